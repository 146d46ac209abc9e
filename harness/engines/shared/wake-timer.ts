import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { monotonicMs } from '../../machine/clock.ts';
import { ownModule } from '../../machine/own-package.ts';
import { type WakeTimerData, wakeTimerStates } from './wake-timer-worker.ts';

/**
 * Wakes this thread at each scheduled start, to a fraction of a millisecond: the timers of Node know whole ones only, and
 * busy-waiting would take a whole CPU from the system that is measured. A thread of its own walks the same arrivals and
 * sleeps between them.
 */
export interface WakeTimer {
  /** `windowStartMs` by `performance.now()`; `onWake` is called soon after a scheduled start. */
  start(windowStartMs: number, onWake: () => void, onDefect: (error: unknown) => void): void;
  stop(): Promise<void>;
}

export async function createWakeTimer(
  schedule: Omit<WakeTimerData, 'windowStartMs' | 'state' | 'wakes'>,
): Promise<WakeTimer> {
  const windowStart = new Float64Array(new SharedArrayBuffer(8));
  const state = new Int32Array(new SharedArrayBuffer(4));
  const wakes = new Int32Array(new SharedArrayBuffer(4));
  const workerData: WakeTimerData = { ...schedule, windowStartMs: windowStart, state, wakes };
  const thread = new Worker(ownModule('./wake-timer-worker', import.meta.url), { workerData, execArgv: [] });
  await once(thread, 'message');
  return {
    start(windowStartMs, onWake, onDefect) {
      thread.on('error', onDefect);
      windowStart[0] = windowStartMs + monotonicMs() - performance.now();
      Atomics.store(state, 0, wakeTimerStates.running);
      Atomics.notify(state, 0);
      void listen(wakes, () => Atomics.load(state, 0) === wakeTimerStates.running, onWake);
    },
    async stop() {
      Atomics.store(state, 0, wakeTimerStates.stopped);
      Atomics.notify(state, 0);
      Atomics.notify(wakes, 0);
      await thread.terminate();
    },
  };
}

async function listen(wakes: Int32Array, isRunning: () => boolean, onWake: () => void): Promise<void> {
  let heard = 0;
  while (isRunning()) {
    await Atomics.waitAsync(wakes, 0, heard).value;
    heard = Atomics.load(wakes, 0);
    if (isRunning()) onWake();
  }
}
