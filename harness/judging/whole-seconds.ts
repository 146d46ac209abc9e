import type { Interval, Trial } from '../core/trial.ts';

/** An engine's second may be a little short; the rest of a stopped or fractional window is no second. */
const LEAST_S = 0.9;

/** The seconds of the measured window that were measured whole. */
export function wholeSeconds(trial: Trial): readonly Interval[] {
  return trial.intervals.filter(isWholeSecond);
}

export function isWholeSecond({ startS, durationS }: Interval): boolean {
  return startS >= 0 && durationS >= LEAST_S;
}
