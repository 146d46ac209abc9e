import type { MetricId } from '../core/metrics.ts';
import type { ProbeSample, TrialRecord } from '../core/trial.ts';
import { mean } from '../statistics/mean.ts';

/** A rate speaks of the second before it was read: the first reading in the window is mostly about the warm-up. */
const FIRST_S = 0.5;

/** What the probes read about the measured window. */
export function samplesInWindow({ samples, trial }: Pick<TrialRecord, 'samples' | 'trial'>): readonly ProbeSample[] {
  return samples.filter(({ atS }) => atS >= FIRST_S && atS <= trial.measuredS + FIRST_S);
}

export interface SourceMean {
  readonly source: string;
  readonly metric: MetricId;
  /** In the unit of the metric. */
  readonly mean: number;
}

/** The mean over the measured window of each metric of each source; those with a value for each of many are left out. */
export function meansInWindow(record: Pick<TrialRecord, 'samples' | 'trial'>): readonly SourceMean[] {
  const single = samplesInWindow(record).filter(({ detail }) => detail === undefined);
  const groups = Map.groupBy(single, ({ source, metric }) => `${metric} ${source}`);
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    return [{ source: first.source, metric: first.metric, mean: mean(own.map(({ value }) => value)) }];
  });
}
