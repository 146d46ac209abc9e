import { parentPort, workerData } from 'node:worker_threads';
import type { OfferedLoad } from '../../core/load.ts';
import { monotonicMs } from '../../machine/clock.ts';
import { arrivalsOf, arrivalsOfShare, type Share } from './arrivals.ts';

/** What the thread of `wake-timer.ts` is given. */
export interface WakeTimerData {
  readonly load: Extract<OfferedLoad, { model: 'open' }>;
  readonly seed: number;
  readonly share: Share;
  readonly fromS: number;
  readonly untilS: number;
  /** Start of the measured window by `monotonicMs`, once the state is `running`. */
  readonly windowStartMs: Float64Array;
  readonly state: Int32Array;
  /** Counts how often it woke the other thread. */
  readonly wakes: Int32Array;
}

export const wakeTimerStates = { waiting: 0, running: 1, stopped: 2 } as const;

/** Between two wakes: what is scheduled meanwhile comes with the later one. */
const SHORTEST_PAUSE_MS = 0.25;

function wakeOnTime({ load, seed, share, fromS, untilS, windowStartMs, state, wakes }: WakeTimerData): void {
  const { waiting, running } = wakeTimerStates;
  const next = arrivalsOfShare(share, arrivalsOf(load, seed, fromS));
  Atomics.wait(state, 0, waiting);
  const startMs = windowStartMs[0] as number;
  let lastMs = Number.NEGATIVE_INFINITY;
  let scheduledS = next();
  while (scheduledS < untilS && Atomics.load(state, 0) === running) {
    const leftMs = Math.max(startMs + scheduledS * 1000, lastMs + SHORTEST_PAUSE_MS) - monotonicMs();
    if (leftMs > 0 && Atomics.wait(state, 0, running, leftMs) !== 'timed-out') return;
    Atomics.add(wakes, 0, 1);
    Atomics.notify(wakes, 0);
    lastMs = monotonicMs();
    while (startMs + scheduledS * 1000 <= lastMs) scheduledS = next();
  }
}

function isForWakeTimer(data: Partial<WakeTimerData> | null | undefined): data is WakeTimerData {
  return data?.wakes instanceof Int32Array;
}

// The other thread imports this file too, for what they share, and may itself be somebody's worker.
if (parentPort !== null && isForWakeTimer(workerData)) {
  parentPort.postMessage('ready');
  wakeOnTime(workerData);
}
