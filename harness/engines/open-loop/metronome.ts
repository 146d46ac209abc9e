import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type MetronomeData, metronomeStates, monotonicMs } from './metronome-worker.ts';

/**
 * Tells when something is due, to a fraction of a millisecond: the timers of Node know whole ones only, and to turn in
 * circles until it is time would take a whole CPU from the system that is measured. A thread of its own walks the same
 * arrivals and sleeps between them.
 */
export interface Metronome {
  /** `windowStartMs` by `performance.now()`; `onBeat` is called soon after something has become due. */
  start(windowStartMs: number, onBeat: () => void, onDefect: (error: unknown) => void): void;
  stop(): Promise<void>;
}

export async function createMetronome(
  schedule: Omit<MetronomeData, 'windowStartMs' | 'state' | 'beats'>,
): Promise<Metronome> {
  const windowStart = new Float64Array(new SharedArrayBuffer(8));
  const state = new Int32Array(new SharedArrayBuffer(4));
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const workerData: MetronomeData = { ...schedule, windowStartMs: windowStart, state, beats };
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const thread = new Worker(new URL(`./metronome-worker.${ending}`, import.meta.url), { workerData, execArgv: [] });
  await once(thread, 'message');
  return {
    start(windowStartMs, onBeat, onDefect) {
      thread.on('error', onDefect);
      windowStart[0] = windowStartMs + monotonicMs() - performance.now();
      Atomics.store(state, 0, metronomeStates.running);
      Atomics.notify(state, 0);
      void listen(beats, () => Atomics.load(state, 0) === metronomeStates.running, onBeat);
    },
    async stop() {
      Atomics.store(state, 0, metronomeStates.stopped);
      Atomics.notify(state, 0);
      Atomics.notify(beats, 0);
      await thread.terminate();
    },
  };
}

async function listen(beats: Int32Array, isRunning: () => boolean, onBeat: () => void): Promise<void> {
  let heard = 0;
  while (isRunning()) {
    await Atomics.waitAsync(beats, 0, heard).value;
    heard = Atomics.load(beats, 0);
    if (isRunning()) onBeat();
  }
}
