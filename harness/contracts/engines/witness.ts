import { once } from 'node:events';
import { connect } from 'node:net';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { WITNESS_PATH } from './queue-server.ts';

const BETWEEN_S = 0.005;

/**
 * Asks a server of the contract every 5 ms beside the engine, for an answer that takes no time, with no engine at all
 * and on the thread of the test. Each wait is counted from when it was scheduled, so that it holds everything that made
 * either side late: pauses of the machine, of the server and of the generator's thread.
 */
export interface Witness {
  /** Gives all waits. */
  stop(): Promise<LatencyHistogram>;
}

export async function startWitness(baseUrl: string): Promise<Witness> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(baseUrl).port), noDelay: true });
  await once(socket, 'connect');
  const waits = LatencyHistogram.empty();
  const unanswered: number[] = [];
  let nextMs = performance.now();
  let unread = '';
  let timer: NodeJS.Timeout | undefined;

  function askWhatIsScheduled(): void {
    for (; nextMs <= performance.now(); nextMs += BETWEEN_S * 1000) {
      unanswered.push(nextMs);
      socket.write(`GET ${WITNESS_PATH} HTTP/1.1\r\nhost: witness\r\n\r\n`);
    }
    clearTimeout(timer);
    // Not an interval: that comes a little later each time, and would soon be late by itself.
    timer = setTimeout(askWhatIsScheduled, Math.max(0, nextMs - performance.now()));
  }

  socket.on('data', (bytes) => {
    const heads = (unread + bytes.toString('latin1')).split('\r\n\r\n');
    unread = heads.pop() ?? '';
    for (const _head of heads) waits.record((performance.now() - (unanswered.shift() ?? Number.NaN)) / 1000);
  });
  askWhatIsScheduled();
  return {
    async stop() {
      askWhatIsScheduled();
      clearTimeout(timer);
      while (unanswered.length > 0) await once(socket, 'data');
      socket.destroy();
      return waits;
    },
  };
}

/** For so long, in all, was everybody late by more than `longerThanS`. */
export function pausedS(waits: LatencyHistogram, longerThanS: number): number {
  let count = 0;
  for (const bucket of waits.buckets()) if (bucket.valueS > longerThanS) count += bucket.count;
  return count * BETWEEN_S;
}
