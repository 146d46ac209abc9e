import type { Note } from '../core/findings.ts';
import type { MetricId } from '../core/metrics.ts';
import type { SustainedRateAnswer } from '../core/run.ts';
import type { Estimate } from '../core/units.ts';
import type { Bottleneck, BottleneckUnknown } from './bottleneck.ts';
import type { Demand, Demands } from './demands.ts';
import type { Queue, Utilization } from './resource-use.ts';

/**
 * What is different from one tier to the next in a scenario: the rate it sustains, and the CPU of one request. Pure; the
 * words are those of the reports.
 */

/** A smaller difference between two tiers is no answer: another start may differ by as much. */
export const SMALLEST_DIFFERENCE_RATIO = 0.1;
const FEW_HITS_RATIO = 0.1;
const MANY_HITS_RATIO = 0.3;

export interface ComparedTier {
  readonly tier: string;
  /** Null where no search was made. */
  readonly rate: Pick<SustainedRateAnswer, 'valuePerS' | 'lowPerS' | 'highPerS' | 'end'> | null;
  /** What limited the lowest rate above the sustained one; null where there is none. */
  readonly limit: Bottleneck | BottleneckUnknown | null;
  readonly demands: Demands | null;
  readonly notes: readonly Note[];
}

export type Quantity =
  /** Iterations/s. */
  | { readonly code: 'sustained-rate' }
  /** Seconds of CPU; `service` null: of all services together. */
  | { readonly code: 'cpu-per-request'; readonly service: string | null };

/** Why a quantity is so much more or less on the second tier, as far as it is known. */
export type Cause =
  /** What saturates first on that tier. */
  | { readonly code: 'limited-by'; readonly tier: string; readonly use: Utilization | Queue }
  /** `kept` false: the pooler of the second tier keeps none; true: that of the first kept none. */
  | { readonly code: 'prepared-statements'; readonly kept: boolean; readonly pooler: string }
  /** `readsFollowWrites`: at least as many rows are written as are read from the cache. */
  | { readonly code: 'few-cache-hits'; readonly hitRatio: number; readonly readsFollowWrites: boolean }
  | { readonly code: 'cache-hits'; readonly hitRatio: number }
  | { readonly code: 'reads-at-replica'; readonly rowsRatio: number }
  /** So much more or less of it for one request. */
  | { readonly code: 'other-work'; readonly metric: MetricId; readonly before: number; readonly after: number };

/** Why it is not known whether there is a difference. */
export type WhyOpen =
  | { readonly code: 'no-interval-of-rate'; readonly tier: string; readonly end: SustainedRateAnswer['end'] }
  /** Fewer than three trials near saturation. */
  | { readonly code: 'too-few-trials'; readonly tier: string }
  /** The interval of the ratio lies on both sides of a difference that matters. */
  | { readonly code: 'interval-too-wide' };

interface About {
  readonly scenario: string;
  readonly before: string;
  readonly tier: string;
  readonly quantity: Quantity;
}

/** `ratio`: how many times that of the tier `before`. Its ends are the ratios of opposite ends: rather wide than narrow. */
export type TierDifference = About &
  (
    | (Figures & { readonly verdict: 'different'; readonly causes: readonly Cause[] })
    | (Figures & { readonly verdict: 'no-difference' })
    | { readonly verdict: 'open'; readonly ratio: Estimate | null; readonly why: WhyOpen }
  );

interface Figures {
  readonly ratio: Estimate;
  readonly valueBefore: number;
  readonly valueAfter: number;
}

/** `tiers` in the order of the run; each is held against the one before it. */
export function tierDifferences(scenario: string, tiers: readonly ComparedTier[]): readonly TierDifference[] {
  return tiers.slice(1).flatMap((after, index) => {
    const before = tiers[index];
    if (before === undefined) return [];
    const about = (quantity: Quantity): About => ({ scenario, before: before.tier, tier: after.tier, quantity });
    return [...rateDifference(before, after, about), ...cpuDifferences(before, after, about)];
  });
}

type AboutOf = (quantity: Quantity) => About;

function rateDifference(before: ComparedTier, after: ComparedTier, aboutOf: AboutOf): readonly TierDifference[] {
  if (before.rate === null || after.rate === null) return [];
  const about = aboutOf({ code: 'sustained-rate' });
  const [from, to] = [rateEstimate(before.rate), rateEstimate(after.rate)];
  const unknown = from === null ? before : after;
  if (from === null || to === null) {
    const end = unknown.rate?.end ?? 'stopped';
    return [{ ...about, verdict: 'open', ratio: null, why: { code: 'no-interval-of-rate', tier: unknown.tier, end } }];
  }
  return [decide(about, from, to, () => [before, after].flatMap(limitedBy))];
}

function rateEstimate({ valuePerS, lowPerS, highPerS }: NonNullable<ComparedTier['rate']>): Estimate | null {
  if (lowPerS === null || highPerS === null || lowPerS <= 0) return null;
  return { value: valuePerS ?? (lowPerS + highPerS) / 2, low: lowPerS, high: highPerS };
}

function limitedBy({ tier, limit }: ComparedTier): readonly Cause[] {
  const use = limit === null || 'unknown' in limit ? null : limit.first;
  return use === null ? [] : [{ code: 'limited-by', tier, use }];
}

/** Of each service that both have, and of all. */
function cpuDifferences(before: ComparedTier, after: ComparedTier, aboutOf: AboutOf): readonly TierDifference[] {
  const [from, to] = [before.demands, after.demands];
  if (from === null || to === null) return [];
  const both = from.services.flatMap((own) => {
    const other = to.services.find(({ service }) => service === own.service);
    return other === undefined ? [] : [{ service: own.service, pair: [cpuOf([own]), cpuOf([other])] as const }];
  });
  const all = { service: null, pair: [cpuOf(from.services), cpuOf(to.services)] as const };
  return [all, ...both].map(({ service, pair: [one, other] }): TierDifference => {
    const about = aboutOf({ code: 'cpu-per-request', service });
    if (one === null || other === null) {
      const { tier } = one === null ? before : after;
      return { ...about, verdict: 'open', ratio: null, why: { code: 'too-few-trials', tier } };
    }
    return decide(about, one, other, (ratio) => (service === null ? [] : causesOf(service, ratio, before, after)));
  });
}

function cpuOf(demands: readonly Demand[]): Estimate | null {
  const total = { value: 0, low: 0, high: 0 };
  for (const { cpuS, interval } of demands) {
    if (interval === null) return null;
    total.value += cpuS;
    total.low += interval.lowS;
    total.high += interval.highS;
  }
  return total.low > 0 ? total : null;
}

function decide(
  about: About,
  from: Estimate,
  to: Estimate,
  causes: (ratio: number) => readonly Cause[],
): TierDifference {
  const ratio = { value: to.value / from.value, low: to.low / from.high, high: to.high / from.low };
  const figures = { ratio, valueBefore: from.value, valueAfter: to.value };
  const [least, most] = [1 - SMALLEST_DIFFERENCE_RATIO, 1 + SMALLEST_DIFFERENCE_RATIO];
  if (ratio.low > most || ratio.high < least) {
    return { ...about, ...figures, verdict: 'different', causes: causes(ratio.value) };
  }
  if (ratio.low >= least && ratio.high <= most) return { ...about, ...figures, verdict: 'no-difference' };
  return { ...about, verdict: 'open', ratio, why: { code: 'interval-too-wide' } };
}

/** What is known to make a request dearer or cheaper for a service; it must point the way the CPU went. */
function causesOf(service: string, ratio: number, before: ComparedTier, after: ComparedTier): readonly Cause[] {
  const [from, to] = [before.demands, after.demands];
  if (from === null || to === null) return [];
  const isDearer = ratio > 1;
  const isDatabase = amountOf(to, 'rows-read', service) !== null;
  const causes: Cause[] = [];
  const without = [before, after].map(({ notes }) => notes.find(({ code }) => code === 'prepared-statements-off'));
  const note = isDearer ? without[1] : without[0];
  if (
    isDatabase &&
    note?.code === 'prepared-statements-off' &&
    (without[0] === undefined) !== (without[1] === undefined)
  ) {
    causes.push({ code: 'prepared-statements', kept: !isDearer, pooler: note.service });
  }
  const [hitsBefore, hits] = [hitsOf(from), hitsOf(to)];
  if (hits !== null && hits.ratio >= MANY_HITS_RATIO && hits.ratio > (hitsBefore?.ratio ?? 0) && !isDearer) {
    causes.push({ code: 'cache-hits', hitRatio: hits.ratio });
  }
  if (hits !== null && hits.ratio < FEW_HITS_RATIO && hitsBefore === null && isDearer && !isDatabase) {
    const written = amountOf(to, 'rows-written') ?? 0;
    causes.push({ code: 'few-cache-hits', hitRatio: hits.ratio, readsFollowWrites: written >= hits.readsPerRequest });
  }
  const rowsRatio = to.rowsReadAtReplicasRatio;
  if (isDatabase && !isDearer && rowsRatio !== null && rowsRatio > (from.rowsReadAtReplicasRatio ?? 0)) {
    causes.push({ code: 'reads-at-replica', rowsRatio });
  }
  return [...causes, ...otherWork(service, isDearer, from, to)];
}

const workMetrics = ['statements', 'commits', 'rows-scanned', 'commands', 'queries', 'requests'] as const;

function otherWork(service: string, isDearer: boolean, from: Demands, to: Demands): readonly Cause[] {
  for (const metric of workMetrics) {
    const [before, after] = [amountOf(from, metric, service), amountOf(to, metric, service)];
    if (before === null || after === null) continue;
    const least = 1 + SMALLEST_DIFFERENCE_RATIO;
    if (isDearer ? after > before * least : after < before / least)
      return [{ code: 'other-work', metric, before, after }];
  }
  return [];
}

/** For one request; of any service where none is named. */
function amountOf({ amounts }: Demands, metric: MetricId, service?: string): number | null {
  return (
    amounts.find((each) => each.metric === metric && each.service === (service ?? each.service))?.perRequest ?? null
  );
}

/** The app knows which reads were meant for the cache; the server also counts those of other keys. */
function hitsOf(demands: Demands): { readonly ratio: number; readonly readsPerRequest: number } | null {
  for (const [hits, misses] of [
    ['cache-hits', 'cache-misses'],
    ['key-hits', 'key-misses'],
  ] as const) {
    const found = demands.hitRatios.find(({ metric }) => metric === hits);
    const readsPerRequest = (amountOf(demands, hits) ?? 0) + (amountOf(demands, misses) ?? 0);
    if (found !== undefined) return { ratio: found.ratio, readsPerRequest };
  }
  return null;
}
