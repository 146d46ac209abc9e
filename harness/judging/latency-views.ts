import type { StepResult, Trial } from '../core/trial.ts';
import { type LatencyHistogram, mergeHistograms } from '../histograms/latency-histogram.ts';
import { samplesNeeded } from '../statistics/quantile-ranks.ts';

/**
 * The latencies of one trial as one way of measuring reads them. Of quantiles and the longest: seconds; infinite where so
 * many were never answered; null where the samples do not allow an interval.
 */
export interface LatencyView {
  /** How many it counts. */
  readonly count: number;
  /** 0..1; 0 where nothing was counted. */
  readonly answeredRatio: number;
  readonly p50S: number | null;
  readonly p95S: number | null;
  readonly p99S: number | null;
  readonly longestS: number | null;
  /** `ratio` 0..1. */
  quantileS(ratio: number): number | null;
}

/**
 * The same trial read in three ways. The first is what users had, and what targets are judged by; a tool that reads in one
 * of the others asks least, or starts its watch late, while the system is slowest, and so hides it (coordinated omission;
 * Tene, "How NOT to Measure Latency", 2015).
 */
export interface LatencyViews {
  /** From the scheduled start. What was dropped or failed counts as never answered. */
  readonly scheduled: LatencyView;
  /** From when it was sent, successful requests only; null where the engine does not tell. */
  readonly sent: LatencyView | null;
  /** As a closed-loop load of ten users reads it; null where the engine does not tell. */
  readonly closedLoop: LatencyView | null;
}

/**
 * Null for loads in which nothing is scheduled, and where there is only one way to read the trial. `latency` is that of all
 * successful requests; `failed` the number of those that failed or were dropped.
 */
export function latencyViews(trial: Trial, latency: LatencyHistogram, failed: number): LatencyViews | null {
  if (trial.plan.load.model !== 'open') return null;
  const [sent, closedLoop] = [
    merged(trial.steps, ({ serviceTime }) => serviceTime),
    merged(trial.steps, ({ closedLoop }) => closedLoop),
  ];
  if (sent === null && closedLoop === null) return null;
  return {
    scheduled: viewOf(latency, failed),
    sent: sent === null ? null : viewOf(sent, 0),
    closedLoop: closedLoop === null ? null : viewOf(closedLoop, 0),
  };
}

/** A step has none where none of its requests was answered. */
function merged(steps: readonly StepResult[], of: (step: StepResult) => string | undefined): LatencyHistogram | null {
  const encoded = steps.map(of).filter((each) => each !== undefined);
  return encoded.length === 0 ? null : mergeHistograms(encoded);
}

function viewOf(answered: LatencyHistogram, neverAnswered: number): LatencyView {
  const count = answered.count + neverAnswered;
  const quantileS = (ratio: number) => {
    if (count === 0 || count < samplesNeeded(ratio)) return null;
    const rank = Math.max(1, Math.ceil(ratio * count * (1 - 2 * Number.EPSILON)));
    return rank > answered.count ? Number.POSITIVE_INFINITY : answered.valueAtRankS(rank);
  };
  return {
    count,
    answeredRatio: count === 0 ? 0 : answered.count / count,
    p50S: quantileS(0.5),
    p95S: quantileS(0.95),
    p99S: quantileS(0.99),
    longestS: count === 0 ? null : neverAnswered > 0 ? Number.POSITIVE_INFINITY : answered.maxS,
    quantileS,
  };
}

/** The percentile at which the latency from the scheduled start and another way of measuring it differ most. */
export interface HiddenLatency {
  readonly percentile: 'p50' | 'p95' | 'p99';
  /** Infinite where so many were never answered. */
  readonly scheduledS: number;
  readonly readS: number;
  /** Who read it. */
  readonly by: 'closedLoop' | 'sent';
  /** `scheduledS` over `readS`: from 1 on something was hidden. */
  readonly times: number;
}

/** As a closed-loop load read it, or, where the engine does not tell, from when it was sent. Null where both have no percentile. */
export function hiddenLatency({ scheduled, sent, closedLoop }: LatencyViews): HiddenLatency | null {
  for (const [by, view] of [['closedLoop', closedLoop] as const, ['sent', sent] as const]) {
    const found = (['p99', 'p95', 'p50'] as const).flatMap((percentile): HiddenLatency[] => {
      const [scheduledS, readS] = [scheduled[`${percentile}S`], view?.[`${percentile}S`] ?? null];
      return scheduledS === null || readS === null
        ? []
        : [{ percentile, scheduledS, readS, by, times: scheduledS / readS }];
    });
    const [first] = found.toSorted((left, right) => (left.times === right.times ? 0 : right.times - left.times));
    if (first !== undefined) return first;
  }
  return null;
}

/** Views nearer than this, as a ratio or in seconds, agree: so much two ways to count may differ by chance. */
const RATIO_THAT_MATTERS = 1.25;
const LATENCY_THAT_MATTERS_S = 0.001;

/** Whether so much was hidden that a reader would have been misled. */
export function isMisleading({ scheduledS, readS, times }: HiddenLatency): boolean {
  return times >= RATIO_THAT_MATTERS && scheduledS - readS >= LATENCY_THAT_MATTERS_S;
}
