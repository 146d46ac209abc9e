import type { OfferedLoad } from '../../harness/core/load.ts';
import { type Comparison, isLatencyMetric, type LatencyMetric, type Target } from '../../harness/core/target.ts';
import { formatBound } from '../../harness/core/units.ts';
import type { ObserverMetrics } from '../../harness/engines/k6/virtual-user-in-k6.ts';

/** A condition in the words of k6. */
export interface Threshold {
  /** One of the folder's own, or what k6 says of work that was scheduled and never began. */
  readonly metric: keyof ObserverMetrics | 'dropped_iterations';
  /** `p(95)<200` */
  readonly condition: string;
  /** What it stands for: a target with its id, or what must hold for any of them to mean something. */
  readonly because: string;
}

export interface Thresholds {
  readonly set: readonly Threshold[];
  /** Measured targets that this load cannot tell of, and why. */
  readonly leftOut: readonly { readonly target: Target; readonly why: string }[];
}

export interface ExportedTrial {
  readonly scenario: string;
  /** The tier that is going to be measured; where it is not known, only targets for every tier apply. */
  readonly tier: string | undefined;
  readonly load: OfferedLoad;
  readonly warmUpS: number;
  readonly durationS: number;
}

/** More iterations dropped than this, and the load was another than the one asked for. */
const DROPPED_LIMIT_RATIO = 0.01;
/** k6 begins and ends in the middle of requests, which are in no count. */
const COUNT_TOLERANCE = 0.99;

/** The targets that one trial of one scenario can tell of, as thresholds of k6. */
export function thresholdsOf(targets: readonly Target[], trial: ExportedTrial): Thresholds {
  const decided = targets
    .filter(({ judged }) => judged.by === 'measured')
    .map((target) => ({ target, decision: decide(target, trial) }));
  const set = decided.flatMap(({ decision }) => (typeof decision === 'string' ? [] : decision));
  return {
    set: [...set, ...validity(trial, set)],
    leftOut: decided.flatMap(({ target, decision: why }) => (typeof why === 'string' ? [{ target, why }] : [])),
  };
}

function decide(target: Target, trial: ExportedTrial): readonly Threshold[] | string {
  const { judged, appliesTo } = target;
  const { scenario, tier, load, durationS } = trial;
  if (appliesTo.scenarios.length > 0 && !appliesTo.scenarios.includes(scenario)) {
    return `it is about ${appliesTo.scenarios.join(' and ')}`;
  }
  if (appliesTo.steps !== undefined) return `it is about ${appliesTo.steps.join(' and ')} alone`;
  if (appliesTo.tiers.length > 0 && (tier === undefined || !appliesTo.tiers.includes(tier))) {
    return `it is about the tier ${appliesTo.tiers.join(' and ')}, which is not named as the one to measure`;
  }
  const otherLoad = whyOtherLoad(target, load);
  if (otherLoad !== undefined) return otherLoad;
  const because = `${target.id}: ${target.title} ${formatBound(target)}`;
  if (judged.by === 'measured' && isLatencyMetric(judged.metric)) {
    const whole = judged.each === undefined ? because : `${because}, here of all requests together`;
    return conditions(target, aggregates[judged.metric], 1000).map((condition) => ({
      metric: 'latency',
      condition,
      because: whole,
    }));
  }
  switch (judged.by === 'measured' && judged.metric) {
    case 'error-ratio':
      return [
        ...conditions(target, 'rate', 1).map((condition): Threshold => ({ metric: 'failed', condition, because })),
        ...droppedAsFailed(target, trial, because),
      ];
    case 'throughput':
      if (!carriesThroughput(target, load)) {
        return 'one load does not show the highest throughput; `tierbench run` searches for it';
      }
      return conditions(target, 'count', durationS * COUNT_TOLERANCE).map((condition) => ({
        metric: 'succeeded',
        condition,
        because: `${because}, over ${durationS} s`,
      }));
    case 'concurrency':
      return 'so many users are there at that concurrency; the thresholds of failures and latency tell how they fare';
    default:
      return 'k6 cannot see it';
  }
}

/** The words of k6. */
const aggregates: Readonly<Record<LatencyMetric, string>> = {
  'latency-p50': 'p(50)',
  'latency-p90': 'p(90)',
  'latency-p95': 'p(95)',
  'latency-p99': 'p(99)',
  'latency-p99.9': 'p(99.9)',
  'latency-mean': 'avg',
  'latency-max': 'max',
};

function whyOtherLoad({ appliesTo }: Target, load: OfferedLoad): string | undefined {
  const { concurrency, arrivalRatePerS } = appliesTo;
  if (concurrency !== undefined && (load.model !== 'closed' || load.concurrency < concurrency)) {
    return `it is about a concurrency of ${concurrency} or more`;
  }
  if (arrivalRatePerS !== undefined && (load.model !== 'open' || load.arrivalRatePerS < arrivalRatePerS)) {
    return `it is about an arrival rate of ${arrivalRatePerS}/s or more`;
  }
  return undefined;
}

/** Where so much or more arrives, a system that keeps up has the throughput; else the load is named by the target. */
function carriesThroughput({ value, appliesTo }: Target, load: OfferedLoad): boolean {
  if (appliesTo.concurrency !== undefined || appliesTo.arrivalRatePerS !== undefined) return true;
  const least = typeof value === 'number' ? value : value[0];
  return load.model === 'open' && load.arrivalRatePerS >= least;
}

/** `aggregate` in the unit of the metric, which is `factor` times that of the target. */
function conditions({ comparison, value }: Target, aggregate: string, factor: number): readonly string[] {
  const inUnit = (end: number) => Number((end * factor).toPrecision(12));
  if (typeof value !== 'number') return [`${aggregate}>=${inUnit(value[0])}`, `${aggregate}<=${inUnit(value[1])}`];
  return [`${aggregate}${signs[comparison]}${inUnit(value)}`];
}

const signs: Readonly<Record<Comparison, string>> = {
  '<': '<',
  '<=': '<=',
  '=': '==',
  '>=': '>=',
  '>': '>',
  between: '==',
};

/** What was scheduled and never began has failed. */
function droppedAsFailed(target: Target, { load, warmUpS, durationS }: ExportedTrial, because: string): Threshold[] {
  if (load.model === 'closed') return [];
  const scheduled = load.arrivalRatePerS * (warmUpS + durationS);
  return conditions(target, 'count', scheduled).map((condition) => ({
    metric: 'dropped_iterations',
    condition,
    because,
  }));
}

/** k6 takes a threshold for kept where nothing was counted. */
function validity({ load, warmUpS, durationS }: ExportedTrial, set: readonly Threshold[]): Threshold[] {
  const answered: Threshold = { metric: 'succeeded', condition: 'count>0', because: 'something was answered rightly' };
  if (load.model === 'closed' || set.some(({ metric }) => metric === 'dropped_iterations')) return [answered];
  const most = Math.floor(load.arrivalRatePerS * (warmUpS + durationS) * DROPPED_LIMIT_RATIO);
  const offered: Threshold = {
    metric: 'dropped_iterations',
    condition: `count<=${most}`,
    because: 'the load was the one asked for',
  };
  return [answered, offered];
}
