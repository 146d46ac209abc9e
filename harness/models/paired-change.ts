import type { Estimate } from '../core/units.ts';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import { holm } from '../statistics/change.ts';
import { hodgesLehmann, signedRankLimits, signedRankPValue } from '../statistics/signed-rank.ts';
import { variance } from '../statistics/sums.ts';

/**
 * Whether a change made something slower, from pairs of one measurement before it and one after it, taken minutes apart in
 * fresh processes. The pairs are looked at a few times, each time with a part of the probability of a false alarm, so that a
 * clear change ends the measurement early.
 */

export interface Look {
  readonly pairs: number;
  /** Probability of a false alarm that this look may add. */
  readonly errorProbability: number;
}

/** All looks together: below 0.02, and below 0.01 in simulations, since a false alarm also takes an estimate of half the tolerance. */
export const looks: readonly Look[] = [
  { pairs: 8, errorProbability: 0.004 },
  { pairs: 14, errorProbability: 0.003 },
  { pairs: 20, errorProbability: 0.004 },
  { pairs: 30, errorProbability: 0.006 },
];

/** Beyond it 30 pairs do not show a change of 10 %. */
export const MOST_NOISE = 0.15;

/** One-sided, of the limit that a metric must stay below to be not slower. */
const UNCHANGED_ERROR = 0.05;

export type ChangeKind = 'slower' | 'not-slower' | 'undecided';

export interface PairedChange {
  readonly kind: ChangeKind;
  /** After over before, with its two-sided 95 % interval; infinite ends where the pairs are too few. */
  readonly ratio: Estimate;
  /** Standard deviation of the logarithm of a ratio between pairs. */
  readonly noise: number;
}

/**
 * Judges several metrics together. `changes` has the logarithm of after over before of each pair, for each metric.
 * Slower: the signed-rank test rejects at the look's probability, held together for all metrics (Holm), and the estimate is
 * at least half the tolerance. Not slower: the upper limit is below half the tolerance.
 */
export function judgeChanges(
  changes: readonly (readonly number[])[],
  { errorProbability }: Look,
  toleranceRatio: number,
): readonly PairedChange[] {
  const matters = Math.log1p(toleranceRatio / 2);
  const rejected = holm(
    changes.map((own) => signedRankPValue(own)),
    errorProbability,
  );
  return changes.map((own, index) => {
    const value = hodgesLehmann(own);
    const { low, high } = signedRankLimits(own, 0.025);
    const isSlower = rejected[index] === true && value >= matters;
    const isUnchanged = signedRankLimits(own, UNCHANGED_ERROR).high < matters;
    return {
      kind: isSlower ? 'slower' : isUnchanged ? 'not-slower' : 'undecided',
      ratio: { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high) },
      noise: Math.sqrt(variance(own)),
    };
  });
}

export type Side = 'base' | 'head';

/** Which of each pair comes first: in every two pairs each of them once, which of the two by chance. */
export function sidesOfPairs(pairs: number, seed: number): readonly (readonly [Side, Side])[] {
  const random = seededRandom(seed);
  const orders: (readonly [Side, Side])[] = [];
  while (orders.length < pairs) {
    const two: (readonly [Side, Side])[] = [
      ['base', 'head'],
      ['head', 'base'],
    ];
    orders.push(...(random() < 0.5 ? two : two.toReversed()));
  }
  return orders.slice(0, pairs);
}
