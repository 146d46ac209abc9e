import type { MetricId } from '../harness/core/metrics.ts';
import type { TrialRecord } from '../harness/core/trial.ts';
import { samplesInWindow } from '../harness/judging/window-samples.ts';
import { mean } from '../harness/statistics/mean.ts';
import { cacheKinds } from './queues.ts';
import type { ScenarioAnalysis } from './scenario-analysis.ts';

/** What a reader needs to know of the conditions, over the measured trials of a tier. Ratios 0..1; null where no probe read it. */
export interface EvidenceMeans {
  /** `most`: the highest mean of a trial. */
  readonly steal: { readonly mean: number; readonly most: number } | null;
  /** By instance, the worst first; those that were never stopped are left out. */
  readonly throttled: readonly { readonly source: string; readonly mean: number }[];
  /** Of all reads. `first`: in the trial that was measured first, which shows how warm the cache was then. */
  readonly caches: readonly { readonly what: string; readonly first: number; readonly mean: number }[];
  readonly blocksHit: { readonly first: number; readonly mean: number } | null;
}

export function evidenceMeans(scenarios: readonly ScenarioAnalysis[]): EvidenceMeans {
  const trials = scenarios
    .flatMap((scenario) => scenario.trials.map(({ record }) => record))
    .toSorted((one, other) => one.sequence - other.sequence);
  const steals = trials.flatMap((trial) => meanOf(trial, 'machine', 'steal') ?? []);
  const sources = new Set(
    trials.flatMap(({ samples }) => samples).flatMap((each) => (each.metric === 'throttled' ? [each.source] : [])),
  );
  const throttled = [...sources]
    .map((source) => ({ source, mean: mean(trials.flatMap((trial) => meanOf(trial, source, 'throttled') ?? [])) }))
    .filter((each) => each.mean > 0)
    .toSorted((one, other) => other.mean - one.mean);
  return {
    steal: steals.length === 0 ? null : { mean: mean(steals), most: Math.max(...steals) },
    throttled,
    caches: cacheKinds.flatMap(({ hits, misses, what }) => {
      const share = shareOver(trials, hits, misses);
      return share === null ? [] : [{ what, ...share }];
    }),
    blocksHit: shareOver(trials, 'blocks-hit', 'blocks-read'),
  };
}

function meanOf(trial: TrialRecord, source: string, metric: MetricId): number | null {
  const own = samplesInWindow(trial).filter((sample) => sample.source === source && sample.metric === metric);
  return own.length === 0 ? null : mean(own.map(({ value }) => value));
}

function shareOver(
  trials: readonly TrialRecord[],
  part: MetricId,
  rest: MetricId,
): { first: number; mean: number } | null {
  const counts = trials
    .map((trial) => ({ part: totalOf(trial, part), rest: totalOf(trial, rest) }))
    .filter((each) => each.part + each.rest > 0);
  const [first] = counts;
  if (first === undefined) return null;
  const parts = counts.reduce((sum, each) => sum + each.part, 0);
  const rests = counts.reduce((sum, each) => sum + each.rest, 0);
  return { first: first.part / (first.part + first.rest), mean: parts / (parts + rests) };
}

function totalOf(trial: TrialRecord, metric: MetricId): number {
  return samplesInWindow(trial).reduce((sum, sample) => sum + (sample.metric === metric ? sample.value : 0), 0);
}
