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

/** Of an even number the mean of the two in the middle; not a number of no values. */
export function median(values: readonly number[]): number {
  const ascending = values.toSorted((one, other) => one - other);
  const middle = (ascending.length - 1) / 2;
  return ((ascending[Math.floor(middle)] ?? Number.NaN) + (ascending[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
