import type { Estimate } from '../core/units.ts';
import { normalAtMost, studentT95 } from './student-t.ts';
import { minimumBlocks, sum } from './sums.ts';

/** How often each block was drawn: one row of `blocks` numbers for each replicate. */
export interface Resamples {
  readonly blocks: number;
  readonly weights: Uint8Array;
}

/** Draws as many blocks as there are, with replacement, again and again. All ratios of a trial can share the draws. */
export function drawResamples(blocks: number, random: Random, replicates = 2000): Resamples {
  const weights = new Uint8Array(blocks * replicates);
  for (let row = 0; row < weights.length; row += blocks) {
    for (let draw = 0; draw < blocks; draw += 1) {
      const index = row + Math.floor(random() * blocks);
      weights[index] = (weights[index] ?? 0) + 1;
    }
  }
  return { blocks, weights };
}

/**
 * The sum of `numerators` over the sum of `denominators`, one of each for every block of time, with its two-sided 95 %
 * interval. A mean is the ratio to a count, a rate the ratio to a duration. Null below `minimumBlocks` blocks or when there
 * is nothing to divide by.
 *
 * Whole blocks are resampled, which keeps what is correlated inside a block together (E. Carlstein, Annals of Statistics
 * 14, 1986). With few blocks the plain percentile interval is too narrow, so its tails are widened as Student's t would:
 * the "expanded percentile" interval of T. Hesterberg, *What Teachers Should Know About the Bootstrap*, The American
 * Statistician 69, 2015.
 */
export function ratioEstimate(
  numerators: readonly number[],
  denominators: readonly number[],
  resamples: Resamples,
): Estimate | null {
  const { blocks, weights } = resamples;
  const total = sum(denominators);
  if (blocks < minimumBlocks || !(total > 0)) return null;
  const replicated: number[] = [];
  for (let row = 0; row < weights.length; row += blocks) {
    let numerator = 0;
    let denominator = 0;
    for (let block = 0; block < blocks; block += 1) {
      const weight = weights[row + block] ?? 0;
      numerator += weight * (numerators[block] ?? 0);
      denominator += weight * (denominators[block] ?? 0);
    }
    if (denominator > 0) replicated.push(numerator / denominator);
  }
  const value = sum(numerators) / total;
  const sorted = Float64Array.from(replicated).sort();
  const tail = expandedTail(blocks);
  const low = sorted[Math.floor(tail * (sorted.length - 1))] ?? value;
  const high = sorted[Math.ceil((1 - tail) * (sorted.length - 1))] ?? value;
  return { value, low: Math.min(value, low), high: Math.max(value, high) };
}

/** The share of replicates outside each end: P(Z > t sqrt(n / (n - 1))), t with n - 1 degrees of freedom; 0.0057 for 8 blocks. */
export function expandedTail(blocks: number): number {
  return 1 - normalAtMost(studentT95(blocks - 1) * Math.sqrt(blocks / (blocks - 1)));
}

/** Numbers in [0, 1). */
export type Random = () => number;

/**
 * A reproducible source of randomness: mulberry32 by T. Ettinger (public domain), 32 bits of state, good enough for
 * resampling and useless for secrets. Seeds are taken modulo 2^32.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
