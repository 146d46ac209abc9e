import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ownModule } from '../machine/own-package.ts';
import type { EchoListening } from './calibrate-echo-thread.ts';

/** A server that takes no time worth speaking of, on a thread of this process. */
export interface Echo extends AsyncDisposable {
  readonly baseUrl: string;
  /** As the system knows its thread; null where it does not say. */
  readonly threadId: number | null;
  /** Watches from now on; `stop` gives which share of the time it was busy, 0..1. */
  watch(): { stop(): number };
}

export async function startEcho(): Promise<Echo> {
  const thread = new Worker(ownModule('./calibrate-echo-thread', import.meta.url), { execArgv: [] });
  const [{ port, threadId }] = (await once(thread, 'message')) as [EchoListening];
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    threadId,
    watch() {
      const start = thread.performance.eventLoopUtilization();
      return { stop: () => thread.performance.eventLoopUtilization(start).utilization };
    },
    async [Symbol.asyncDispose]() {
      await thread.terminate();
    },
  };
}
