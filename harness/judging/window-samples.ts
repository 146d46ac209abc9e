import type { ProbeSample, TrialRecord } from '../core/trial.ts';

/** A rate speaks of the second before it was read: the first reading in the window is mostly about the warm-up. */
const FIRST_S = 0.5;

/** What the probes read about the measured window. */
export function samplesInWindow({ samples, trial }: Pick<TrialRecord, 'samples' | 'trial'>): readonly ProbeSample[] {
  return samples.filter(({ atS }) => atS >= FIRST_S && atS <= trial.measuredS + FIRST_S);
}
