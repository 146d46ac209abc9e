import type { Estimate } from '../core/units.ts';
import type { LatencyHistogram } from '../histograms/latency-histogram.ts';
import type { QuantileBlocks } from '../statistics/change.ts';
import { effectiveSampleSize } from '../statistics/correlation.ts';
import { correlatedQuantileRanks } from '../statistics/quantile-ranks.ts';
import { studentTQuantile } from '../statistics/student-t.ts';
import { minimumBlocks, sumInBlocks } from '../statistics/sums.ts';
import type { LatencySample, LatencySummary } from './judged-trial.ts';

/** Those that something is reported or judged by. */
const quantiles = [0.5, 0.9, 0.95, 0.99, 0.999] as const;

/** A quantile (0..1), or what else can be said of latencies. */
export type LatencyMeasure = number | 'mean' | 'max';

/** `bySecond` are the same latencies by whole seconds of the window. */
export function sampleLatency(
  all: LatencyHistogram,
  bySecond: readonly LatencyHistogram[],
  lag: LatencySample['lag'],
): LatencySample {
  const counts = sumInBlocks(bySecond.map(({ count }) => count));
  const sumsS = sumInBlocks(bySecond.map(({ count, meanS }) => (count === 0 ? 0 : count * meanS)));
  if (all.count === 0) return { histogram: all, worth: new Map(), sumsS, counts, lag };
  const shares = quantiles.map((quantile) => ({
    quantile,
    limitS: all.quantileS(quantile),
    within: new Array<number>(bySecond.length).fill(0),
    below: new Array<number>(bySecond.length).fill(0),
  }));
  for (const [second, histogram] of bySecond.entries()) {
    for (const { valueS, count } of histogram.buckets()) {
      for (const { limitS, within, below } of shares) {
        if (valueS <= limitS) within[second] = (within[second] ?? 0) + count;
        if (valueS < limitS) below[second] = (below[second] ?? 0) + count;
      }
    }
  }
  const worth = shares.map(({ quantile, within, below }): [number, number | null] => {
    // Where many latencies are equal, what is below the value can vary while what is within it does not, and the reverse.
    const worthWithin = effectiveSampleSize(sumInBlocks(within), counts, quantile);
    const worthBelow = effectiveSampleSize(sumInBlocks(below), counts, quantile);
    return [quantile, worthWithin === null || worthBelow === null ? null : Math.min(worthWithin, worthBelow)];
  });
  return { histogram: all, worth: new Map(worth), sumsS, counts, lag };
}

/**
 * A measure of latencies with its interval, each end of which misses with at most this probability (of a 95 % interval
 * 0.025); null where the samples are too few for one. The maximum is that of the samples and has none.
 *
 * Of a quantile the interval is the exact binomial one for as many samples as the correlated requests are worth, and never
 * narrower than for independent ones. For p95 of correlated requests in simulated trials of 8 to 60 s it covers in 90 to
 * 99 %, where a bootstrap of the same blocks covers in 69 to 95 % and binomial ranks alone in 12 to 52 %
 * (harness/statistics/coverage.test.ts repeats the main cases). Of the mean it is Student's t over blocks of time.
 *
 * A lag of the instrument lowers the low end (`InstrumentLag` says why): of a quantile to that of the quantile which is
 * `beyondRatio` lower, less `lagS`; of the mean by `lagS` and by what the share `beyondRatio` of the longest latencies adds
 * to it. Of the maximum nothing is sure but that it is no longer. The value is as it was measured.
 */
export function estimateLatency(
  sample: LatencySample,
  measure: LatencyMeasure,
  missProbability = 0.025,
): Estimate | null {
  const { histogram, worth, lag } = sample;
  if (histogram.count === 0) return null;
  if (measure === 'max') {
    return { value: histogram.maxS, low: lag.lagS > 0 ? 0 : histogram.maxS, high: histogram.maxS };
  }
  if (measure === 'mean') return meanEstimate(sample, missProbability);
  const worthOf = worth.get(measure) ?? null;
  const ranks = worthOf && correlatedQuantileRanks(histogram.count, worthOf, measure, missProbability);
  if (!ranks) return null;
  const lowRank = ranks.lowRank - Math.ceil(lag.beyondRatio * histogram.count);
  return {
    value: histogram.quantileS(measure),
    low: lowRank < 1 ? 0 : Math.max(0, histogram.valueAtRankS(lowRank) - lag.lagS),
    high: histogram.valueAtRankS(ranks.highRank),
  };
}

function meanEstimate({ histogram, sumsS, counts, lag }: LatencySample, missProbability: number): Estimate | null {
  const value = histogram.meanS;
  const blocks = counts.filter((count) => count > 0).length;
  if (blocks < minimumBlocks) return null;
  const samples = counts.reduce((total, count) => total + count, 0);
  const meanS = sumsS.reduce((total, sum) => total + sum, 0) / samples;
  const squares = sumsS.reduce((total, sumS, block) => total + (sumS - meanS * (counts[block] ?? 0)) ** 2, 0);
  const errorS = Math.sqrt((blocks / (blocks - 1)) * squares) / samples;
  const marginS = studentTQuantile(missProbability, blocks - 1) * errorS;
  const ownS = lag.lagS + (lag.beyondRatio > 0 ? longestInMeanS(histogram, lag.beyondRatio) : 0);
  return { value, low: Math.max(0, value - marginS - ownS), high: value + marginS };
}

/** What the longest of all latencies, this share of them, adds to their mean. */
function longestInMeanS(histogram: LatencyHistogram, ratio: number): number {
  let left = Math.ceil(ratio * histogram.count);
  let sumS = 0;
  for (const { valueS, count } of [...histogram.buckets()].toReversed()) {
    const taken = Math.min(left, count);
    sumS += taken * valueS;
    left -= taken;
    if (left === 0) break;
  }
  return sumS / histogram.count;
}

export function summarizeLatency(sample: LatencySample): LatencySummary {
  const { count } = sample.histogram;
  return {
    count,
    meanS: count === 0 ? 0 : sample.histogram.meanS,
    maxS: count === 0 ? 0 : sample.histogram.maxS,
    p50S: estimateLatency(sample, 0.5),
    p95S: estimateLatency(sample, 0.95),
    p99S: estimateLatency(sample, 0.99),
  };
}

/** What p95 can be compared by: the same latencies by blocks of whole seconds. */
export function p95BlocksOf(
  all: LatencyHistogram,
  bySecond: readonly LatencyHistogram[],
): Pick<QuantileBlocks, 'within' | 'counts'> {
  if (all.count === 0) return { within: [], counts: [] };
  const p95S = all.quantileS(0.95);
  return {
    within: sumInBlocks(bySecond.map((second) => countUpTo(second, p95S))),
    counts: sumInBlocks(bySecond.map(({ count }) => count)),
  };
}

function countUpTo(histogram: LatencyHistogram, limitS: number): number {
  let count = 0;
  for (const bucket of histogram.buckets()) {
    if (bucket.valueS > limitS) break;
    count += bucket.count;
  }
  return count;
}
