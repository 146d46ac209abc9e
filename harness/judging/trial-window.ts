import type { Interval, StepResult, Trial } from '../core/trial.ts';

/** What a trial counted: in its window, and second by second. */

/** An engine's second may be a little short; the rest of a stopped or fractional window is no second. */
const SHORTEST_SECOND_S = 0.9;

/** The seconds of the measured window that were measured whole. */
export function wholeSeconds(trial: Trial): readonly Interval[] {
  return trial.intervals.filter(isWholeSecond);
}

export function isWholeSecond({ startS, durationS }: Interval): boolean {
  return startS >= 0 && durationS >= SHORTEST_SECOND_S;
}

/** Requests that succeeded, of all steps together. */
export function succeededIn({ steps }: Pick<Interval, 'steps'>): number {
  return steps.reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
}

/** Successful requests per second of an interval; 0 where it has no length. */
export function throughputPerSIn(interval: Interval): number {
  return interval.durationS > 0 ? succeededIn(interval) / interval.durationS : 0;
}

/** Requests that ended, whatever their outcome, of all these steps together. */
export function requestsIn(steps: readonly Pick<StepResult, 'outcomes'>[]): number {
  return steps.reduce((sum, { outcomes }) => Object.values(outcomes).reduce((total, count) => total + count, sum), 0);
}

export interface RequestCounts {
  /** Requests that did not succeed or were never sent. */
  readonly failed: number;
  /** All that should have been sent. */
  readonly all: number;
  /** Those of iterations that were dropped: as many as the iterations that were started sent. */
  readonly dropped: number;
}

export function requestCounts(trial: Trial): RequestCounts {
  const { iterations } = trial;
  const requests = requestsIn(trial.steps);
  const started = Math.max(iterations.completed, iterations.intended - iterations.dropped);
  const perIteration = requests > 0 && started > 0 ? requests / started : 1;
  const dropped = Math.round(iterations.dropped * perIteration);
  return { failed: requests - succeededIn(trial) + dropped, all: requests + dropped, dropped };
}
