import { studentT95 } from './student-t.ts';
import { mean, minimumBlocks, sum } from './sums.ts';

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
  const squares = sum(counts.map((count, block) => ((within[block] ?? 0) - observedShare * count) ** 2));
  const variance = ((blocks / (blocks - 1)) * squares) / (samples * samples);
  const independentVariance = (share * (1 - share)) / samples;
  return Math.max(1, variance / independentVariance);
}

/**
 * Blocks of time that follow each other are alike: a garbage collection or a checkpoint lasts longer than one of them.
 * The mean of such blocks is less sure than their differences suggest.
 */

/** Alike beyond this, ten blocks say next to nothing, and the formulas below leave their range. */
const HIGHEST = 0.95;

/**
 * How alike neighbouring blocks are, 0 to 0.95: the autocorrelation at lag 1, of all series together, as each by itself
 * is too short to tell. Series are of what is measured alike: one scenario at several loads. 0 where nothing varies.
 *
 * The autocorrelation of n values around their own mean comes out too low by (1 + 4 r)/n (F. H. C. Marriott and
 * J. A. Pope, *Bias in the estimation of autocorrelations*, Biometrika 41, 1954); that is put right.
 */
export function serialCorrelation(series: readonly (readonly number[])[]): number {
  const corrected = series.flatMap((values) => {
    const observed = lagOne(values);
    const { length } = values;
    return observed === null || length < 5 ? [] : [(length * observed + 1) / (length - 4)];
  });
  if (corrected.length === 0) return 0;
  return Math.min(HIGHEST, Math.max(0, mean(corrected)));
}

/**
 * How many times larger the variance of the mean of `blocks` values is than their differences suggest, when each is alike
 * to the one before by `correlation`: 1 for none. The first-order case in F. W. Zwiers and H. von Storch, *Taking serial
 * correlation into account in tests of the mean*, Journal of Climate 8, 1995; the differences themselves are too small
 * as well, which the second factor puts right.
 */
export function serialInflation(correlation: number, blocks: number): number {
  let factor = 1;
  for (let lag = 1; lag < blocks; lag += 1) factor += 2 * (1 - lag / blocks) * correlation ** lag;
  return (factor * (blocks - 1)) / (blocks - factor);
}

function lagOne(values: readonly number[]): number | null {
  const centre = mean(values);
  let squares = 0;
  let products = 0;
  for (const [index, value] of values.entries()) {
    squares += (value - centre) ** 2;
    const before = values[index - 1];
    if (before !== undefined) products += (value - centre) * (before - centre);
  }
  return squares > 0 ? products / squares : null;
}
