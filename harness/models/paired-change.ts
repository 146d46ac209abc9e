import type { Estimate } from '../core/units.ts';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import { holm } from '../statistics/change.ts';
import { hodgesLehmann, signedRankLimits, signedRankPValue } from '../statistics/signed-rank.ts';
import { studentTQuantile } from '../statistics/student-t.ts';
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

/** All looks together: below 0.02 for one metric, and much less in simulations, since an alarm also takes an estimate of half the tolerance. */
export const looks: readonly Look[] = [
  { pairs: 8, errorProbability: 0.004 },
  { pairs: 14, errorProbability: 0.003 },
  { pairs: 20, errorProbability: 0.004 },
  { pairs: 30, errorProbability: 0.006 },
];

/** Those that so many pairs allow; the first one always. */
export function looksWithin(mostPairs: number): readonly Look[] {
  return looks.filter(({ pairs }, index) => index === 0 || pairs <= mostPairs);
}

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
  /** It may well be slower: more pairs are needed before anything else is said. */
  readonly isSuspect: boolean;
}

/** Part of the probability of a look that is kept for the first metric; at the first look all of it. */
const SHARE_OF_FIRST = 0.5;

/** How likely any of several metrics is a suspect by chance. */
const FALSE_SUSPICION = 0.1;

/** Share of wrong ones among the metrics that are named once there is an alarm. */
const FALSE_NAMES = 0.1;

/**
 * Judges several metrics together. `changes` has the logarithm of after over before of each pair, for each metric; the first
 * of them is the quietest. Not slower: the upper limit is below half the tolerance. Slower: the estimate is at least half the
 * tolerance (at the first look the whole), and
 * - the signed-rank test rejects at the look's probability, held together for all metrics. The first metric has a share of
 *   it by itself (all of it at the first look, where the others cannot be rejected anyway) and hands it on when it is
 *   rejected; the others share the rest (Holm). That is the fallback procedure of B. L. Wiens, *A fixed sequence Bonferroni
 *   procedure for testing multiple endpoints*, Pharmaceutical Statistics 2, 2003;
 * - or another metric is slower in this sense, and the test stands among those of all metrics by the method of
 *   Y. Benjamini and Y. Hochberg (Journal of the Royal Statistical Society B 57, 1995): there is an alarm already, and this
 *   says what it is about.
 */
export function judgeChanges(
  changes: readonly (readonly number[])[],
  look: Look,
  toleranceRatio: number,
): readonly PairedChange[] {
  const matters = Math.log1p(toleranceRatio / 2);
  const pValues = changes.map((own) => signedRankPValue(own));
  const estimates = changes.map((own) => hodgesLehmann(own));
  const least = leastEstimate(look, toleranceRatio);
  const alarms = rejected(pValues, look).map((stands, index) => stands && (estimates[index] ?? 0) >= least);
  const named = alarms.includes(true) ? benjaminiHochberg(pValues, FALSE_NAMES) : [];
  const suspects = holm(pValues, FALSE_SUSPICION);
  return changes.map((own, index) => {
    const value = estimates[index] ?? Number.NaN;
    const { low, high } = signedRankLimits(own, 0.025);
    const isSlower = alarms[index] === true || (named[index] === true && value >= matters);
    const isUnchanged = signedRankLimits(own, UNCHANGED_ERROR).high < matters;
    return {
      kind: isSlower ? 'slower' : isUnchanged ? 'not-slower' : 'undecided',
      ratio: { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high) },
      noise: Math.sqrt(variance(own)),
      isSuspect: suspects[index] === true && value >= matters,
    };
  });
}

/** Of an alarm. Eight pairs that all point one way are not rare enough by themselves: they must be far off as well. */
function leastEstimate(look: Look, toleranceRatio: number): number {
  return Math.log1p(isFirst(look) ? toleranceRatio : toleranceRatio / 2);
}

function isFirst({ pairs }: Look): boolean {
  return pairs === looks[0]?.pairs;
}

function shareOfFirst(look: Look): number {
  return isFirst(look) ? 1 : SHARE_OF_FIRST;
}

/**
 * Of the probability of a look, for several metrics. A single quiet metric hardly ever alarms by chance, since its estimate
 * must be half the tolerance too; of many metrics some are so noisy that only the test holds them back.
 */
const SHARE_OF_SEVERAL = 1 / 8;

/** At the first look nothing less than the whole probability allows an alarm at all. */
function errorOf(look: Look, metrics: number): number {
  return look.errorProbability * (metrics === 1 || isFirst(look) ? 1 : SHARE_OF_SEVERAL);
}

function rejected([first = 1, ...others]: readonly number[], look: Look): readonly boolean[] {
  const errorProbability = errorOf(look, 1 + others.length);
  const share = others.length === 0 ? 1 : shareOfFirst(look);
  const standsFirst = first <= share * errorProbability;
  const rest = holm(others, (standsFirst ? 1 : 1 - share) * errorProbability);
  return [standsFirst || (!rest.includes(false) && first <= errorProbability), ...rest];
}

/** Which p-values stand when of those that do at most this share may be wrong, on average. */
function benjaminiHochberg(pValues: readonly number[], share: number): readonly boolean[] {
  const ascending = pValues.toSorted((one, other) => one - other);
  const last = ascending.findLast((pValue, rank) => pValue <= (share * (rank + 1)) / pValues.length) ?? -1;
  return pValues.map((pValue) => pValue <= last);
}

/** Of 100 changes of that size so many are found. */
const POWER = 0.9;

/**
 * The least change that so many pairs show in nine of ten cases, as a ratio: 1.12 is 12 %. Null where that many pairs show
 * nothing. `noise` as in PairedChange; `metrics` are judged together, and `isFirst` is the quietest of them.
 */
export function visibleRatio(
  noise: number,
  pairs: number,
  {
    metrics,
    isFirst,
    toleranceRatio,
  }: { readonly metrics: number; readonly isFirst: boolean; readonly toleranceRatio: number },
): number | null {
  const look = looks.findLast((each) => each.pairs <= pairs);
  if (look === undefined) return null;
  const share = metrics === 1 ? 1 : shareOfFirst(look);
  const error = errorOf(look, metrics) * (isFirst ? share : (1 - share) / (metrics - 1));
  if (error < 2 ** -look.pairs) return null;
  const ofMean = noise / Math.sqrt(look.pairs * SIGNED_RANK_EFFICIENCY);
  const missed = studentTQuantile(1 - POWER, look.pairs - 1) * ofMean;
  const alarm = Math.max(studentTQuantile(error, look.pairs - 1) * ofMean, leastEstimate(look, toleranceRatio));
  return Math.exp(alarm + missed);
}

/** Of the signed-rank test against Student's, where differences are normal. */
const SIGNED_RANK_EFFICIENCY = 3 / Math.PI;

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
