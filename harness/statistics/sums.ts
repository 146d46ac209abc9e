/**
 * Requests are correlated in time: one slow second holds many slow requests, so they say less than as many independent
 * ones. What varies is therefore looked at in blocks of whole seconds, each counted as one observation.
 */

/** More blocks gain little, while longer ones hold more of the correlation (B. Schmeiser, Operations Research 30, 1982). */
export const maximumBlocks = 20;
/** Fewer blocks cannot show how much they differ. */
export const minimumBlocks = 5;

/** Sums consecutive values, one for each second, into at most `maximumBlocks` blocks of nearly equal length. */
export function sumInBlocks(perSecond: readonly number[]): number[] {
  const blocks = new Array<number>(Math.min(perSecond.length, maximumBlocks)).fill(0);
  for (const [second, value] of perSecond.entries()) {
    const block = Math.floor((second * blocks.length) / perSecond.length);
    blocks[block] = (blocks[block] ?? 0) + value;
  }
  return blocks;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The arithmetic mean; 0 of no values. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

/** Of an even number the mean of the two in the middle; null of no values. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((left, right) => left - right);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** Of a sample, by n - 1; not a number of one value. */
export function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((total, value) => total + (value - centre) ** 2, 0) / (values.length - 1);
}
