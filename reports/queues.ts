import type { MetricId } from '../harness/core/metrics.ts';
import type { TrialRecord } from '../harness/core/trial.ts';
import { formatNumber, formatSeconds } from '../harness/core/units.ts';
import { samplesInWindow } from '../harness/judging/window-samples.ts';
import { mean } from '../harness/statistics/mean.ts';

/** Queues that the probes see, and what is waited for in them. */
export const queueKinds = [
  { metric: 'password-hashes-waiting', waitsFor: 'a password hash' },
  { metric: 'pool-waiting', waitsFor: 'a database connection' },
  { metric: 'clients-waiting', waitsFor: 'a connection of the pooler' },
] as const;

/** Counters of what was found in a cache and what was not. */
export const cacheKinds = [
  { hits: 'cache-hits', misses: 'cache-misses', what: "the API's cached reads" },
  { hits: 'key-hits', misses: 'key-misses', what: 'keys looked up in Redis' },
] as const;

/** From this mean on a queue is worth a word. */
const QUEUE_FROM = 0.5;

export interface SourceMean {
  readonly source: string;
  readonly metric: MetricId;
  readonly mean: number;
}

/** The mean of each metric of each source over the measured window. */
export function meansOf(trial: TrialRecord): readonly SourceMean[] {
  const measured = samplesInWindow(trial);
  return [...Map.groupBy(measured, ({ source, metric }) => JSON.stringify([source, metric])).values()].flatMap(
    (own) => {
      const [first] = own;
      if (first === undefined) return [];
      return [{ source: first.source, metric: first.metric, mean: mean(own.map(({ value }) => value)) }];
    },
  );
}

/** What queued at each source, in words: `api/1 had 13 waiting for a database connection`. */
export function queueFacts(means: readonly SourceMean[]): readonly string[] {
  const queued = queueKinds.flatMap(({ metric, waitsFor }) =>
    means
      .filter((each) => each.metric === metric && each.mean >= QUEUE_FROM)
      .map((each) => `${each.source} had ${formatNumber(each.mean)} waiting for ${waitsFor}`),
  );
  const late = means
    .filter(({ metric, mean: lagS }) => metric === 'event-loop-lag-p99' && lagS >= 0.02)
    .map(({ source, mean: lagS }) => `${source} had its event loop up to ${formatSeconds(lagS)} late (p99)`);
  return [...queued, ...late];
}

/** The share of the cached reads of the API that its cache answered; null where there was none. */
export function cacheHitRatio(trial: TrialRecord): number | null {
  const means = meansOf(trial);
  const [{ hits, misses }] = cacheKinds;
  const total = (metric: MetricId) => means.reduce((sum, each) => sum + (each.metric === metric ? each.mean : 0), 0);
  const reads = total(hits) + total(misses);
  return reads > 0 ? total(hits) / reads : null;
}

export interface Queue {
  readonly waitsFor: string;
  /** Mean length over all instances together. */
  readonly waiting: number;
}

/** The longest queue of a trial; null where none was seen, undefined where no probe looks at queues. */
export function longestQueue(trial: TrialRecord): Queue | null | undefined {
  const means = meansOf(trial);
  const seen = queueKinds.flatMap(({ metric, waitsFor }) => {
    const own = means.filter((each) => each.metric === metric);
    return own.length === 0 ? [] : [{ waitsFor, waiting: own.reduce((total, each) => total + each.mean, 0) }];
  });
  if (seen.length === 0) return undefined;
  const [longest] = seen.toSorted((one, other) => other.waiting - one.waiting);
  return longest !== undefined && longest.waiting >= QUEUE_FROM ? longest : null;
}
