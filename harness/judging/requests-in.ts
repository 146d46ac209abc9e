import type { StepResult } from '../core/trial.ts';

/** Requests that ended, however they did, of all these steps together. */
export function requestsIn(steps: readonly Pick<StepResult, 'outcomes'>[]): number {
  return steps.reduce((sum, { outcomes }) => Object.values(outcomes).reduce((total, count) => total + count, sum), 0);
}
