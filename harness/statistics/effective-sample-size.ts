import { studentT95 } from './student-t.ts';
import { minimumBlocks } from './time-blocks.ts';

/**
 * How many independent samples the samples at hand are worth, when the question is what share of them lies below some
 * value; null below `minimumBlocks` blocks that hold samples. At least 0, at most the number of samples.
 *
 * The number of samples is divided by the design effect. How uncertain that factor is itself is paid for as E. L. Korn and
 * B. I. Graubard do (*Confidence Intervals for Proportions with Small Expected Number of Positive Counts*, Survey
 * Methodology 24, 1998), with Student's t.
 */
export function effectiveSampleSize(
  within: readonly number[],
  counts: readonly number[],
  share: number,
): number | null {
  const factor = designEffect(within, counts, share);
  if (factor === null) return null;
  const blocks = counts.filter((count) => count > 0).length;
  const paidForUncertainty = (1.96 / studentT95(blocks - 1)) ** 2;
  return (sum(counts) / factor) * paidForUncertainty;
}

/**
 * How much more the share varies from block to block than independent samples would make it vary (L. Kish, *Survey
 * Sampling*, 1965); at least 1. Null below `minimumBlocks` blocks that hold samples.
 *
 * `within` and `counts` give, for each block of time, how many samples are within the value and how many there are;
 * `share` is the share that is expected (0.95 at the 95th percentile).
 */
export function designEffect(within: readonly number[], counts: readonly number[], share: number): number | null {
  const blocks = counts.filter((count) => count > 0).length;
  if (blocks < minimumBlocks) return null;
  const samples = sum(counts);
  const observedShare = sum(within) / samples;
  let squares = 0;
  for (const [block, count] of counts.entries()) {
    const excess = (within[block] ?? 0) - observedShare * count;
    squares += excess * excess;
  }
  const variance = ((blocks / (blocks - 1)) * squares) / (samples * samples);
  const independentVariance = (share * (1 - share)) / samples;
  return Math.max(1, variance / independentVariance);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
