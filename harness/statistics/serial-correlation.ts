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
  const mean = corrected.reduce((total, value) => total + value, 0) / corrected.length;
  return Math.min(HIGHEST, Math.max(0, mean));
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
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  let squares = 0;
  let products = 0;
  for (const [index, value] of values.entries()) {
    squares += (value - mean) ** 2;
    const before = values[index - 1];
    if (before !== undefined) products += (value - mean) * (before - mean);
  }
  return squares > 0 ? products / squares : null;
}
