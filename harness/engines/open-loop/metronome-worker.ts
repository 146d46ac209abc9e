import { parentPort, workerData } from 'node:worker_threads';
import type { OfferedLoad } from '../../core/load.ts';
import { arrivalsOf } from './arrivals.ts';
import { arrivalsIn, type Share } from './share.ts';

/** What the thread of `metronome.ts` is given. */
export interface MetronomeData {
  readonly load: Extract<OfferedLoad, { model: 'open' }>;
  readonly seed: number;
  readonly share: Share;
  readonly fromS: number;
  readonly untilS: number;
  /** Start of the measured window by `monotonicMs`, once the state is `running`. */
  readonly windowStartMs: Float64Array;
  readonly state: Int32Array;
  /** Counts the beats. */
  readonly beats: Int32Array;
}

export const metronomeStates = { waiting: 0, running: 1, stopped: 2 } as const;

/** Between two beats: what is due meanwhile comes with the later one. */
const SHORTEST_PAUSE_MS = 0.25;

/** The same in all threads and processes, unlike `performance.now()`. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function beat({ load, seed, share, fromS, untilS, windowStartMs, state, beats }: MetronomeData): void {
  const { waiting, running } = metronomeStates;
  const next = arrivalsIn(share, arrivalsOf(load, seed, fromS));
  Atomics.wait(state, 0, waiting);
  const startMs = windowStartMs[0] as number;
  let lastMs = Number.NEGATIVE_INFINITY;
  let dueS = next();
  while (dueS < untilS && Atomics.load(state, 0) === running) {
    const leftMs = Math.max(startMs + dueS * 1000, lastMs + SHORTEST_PAUSE_MS) - monotonicMs();
    if (leftMs > 0 && Atomics.wait(state, 0, running, leftMs) !== 'timed-out') return;
    Atomics.add(beats, 0, 1);
    Atomics.notify(beats, 0);
    lastMs = monotonicMs();
    while (startMs + dueS * 1000 <= lastMs) dueS = next();
  }
}

function isForMetronome(data: Partial<MetronomeData> | null | undefined): data is MetronomeData {
  return data?.beats instanceof Int32Array;
}

// The other thread imports this file too, for what they share, and may itself be somebody's worker.
if (parentPort !== null && isForMetronome(workerData)) {
  parentPort.postMessage('ready');
  beat(workerData);
}
