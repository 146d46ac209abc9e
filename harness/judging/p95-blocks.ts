import type { Trial } from '../core/trial.ts';
import { LatencyHistogram, mergeHistograms } from '../histograms/latency-histogram.ts';
import type { QuantileBlocks } from '../statistics/change.ts';
import { sumInBlocks } from '../statistics/time-blocks.ts';
import { wholeSeconds } from './whole-seconds.ts';

/** The latencies of a trial, all steps together, by blocks of whole seconds: what p95 can be compared by. */
export function p95Blocks(trial: Trial): QuantileBlocks {
  const seconds = wholeSeconds(trial).map(({ steps }) =>
    mergeHistograms(steps.filter(({ outcomes }) => outcomes.ok > 0).map(({ latency }) => latency)),
  );
  const all = LatencyHistogram.merged(seconds);
  if (all.count === 0) return { within: [], counts: [], quantileOf: () => 0 };
  const p95S = all.quantileS(0.95);
  return {
    within: sumInBlocks(seconds.map((second) => countUpTo(second, p95S))),
    counts: sumInBlocks(seconds.map(({ count }) => count)),
    quantileOf: (share) => all.quantileS(share),
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
