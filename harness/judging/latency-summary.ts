import type { Estimate } from '../core/estimate.ts';
import type { LatencyHistogram } from '../histograms/latency-histogram.ts';
import type { QuantileBlocks } from '../statistics/change.ts';
import { effectiveSampleSize } from '../statistics/correlation.ts';
import { correlatedQuantileRanks } from '../statistics/quantile-ranks.ts';
import { sumInBlocks } from '../statistics/sums.ts';
import type { LatencySummary } from './judged-trial.ts';

const quantiles = [0.5, 0.95, 0.99] as const;

/**
 * The latencies of a window, with 95 % intervals. `bySecond` are the same latencies by whole seconds of the window.
 *
 * The interval is the exact binomial one for as many samples as the correlated requests are worth, and never narrower
 * than for independent ones. For p95 of correlated requests in simulated trials of 8 to 60 s it covers in 90 to 99 %, where
 * a bootstrap of the same blocks covers in 69 to 95 % and binomial ranks alone in 12 to 52 %
 * (harness/statistics/coverage.test.ts repeats the main cases).
 */
export function summarizeLatency(all: LatencyHistogram, bySecond: readonly LatencyHistogram[]): LatencySummary {
  if (all.count === 0) return { count: 0, meanS: 0, maxS: 0, p50S: null, p95S: null, p99S: null };
  const values = quantiles.map((quantile) => all.quantileS(quantile));
  const counts = sumInBlocks(bySecond.map(({ count }) => count));
  const shares = values.map((limitS) => ({
    limitS,
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
  const [p50S = null, p95S = null, p99S = null] = quantiles.map((quantile, index): Estimate | null => {
    const { limitS: value = 0, within = [], below = [] } = shares[index] ?? {};
    // Where many latencies are equal, what is below the value can vary while what is within it does not, and the reverse.
    const worthWithin = effectiveSampleSize(sumInBlocks(within), counts, quantile);
    const worthBelow = effectiveSampleSize(sumInBlocks(below), counts, quantile);
    if (worthWithin === null || worthBelow === null) return null;
    const ranks = correlatedQuantileRanks(all.count, Math.min(worthWithin, worthBelow), quantile);
    if (ranks === null) return null;
    return {
      value,
      low: all.valueAtRankS(ranks.lowRank),
      high: all.valueAtRankS(ranks.highRank),
    };
  });
  return { count: all.count, meanS: all.meanS, maxS: all.maxS, p50S, p95S, p99S };
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
