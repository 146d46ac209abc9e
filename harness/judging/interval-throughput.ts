import type { Interval } from '../core/trial.ts';

/** Requests of an interval that succeeded, of all steps together. */
export function succeededIn({ steps }: Interval): number {
  return steps.reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
}

/** Successful requests per second of an interval; 0 where it has no length. */
export function throughputPerSIn(interval: Interval): number {
  return interval.durationS > 0 ? succeededIn(interval) / interval.durationS : 0;
}
