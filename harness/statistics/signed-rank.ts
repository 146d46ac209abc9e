/**
 * The exact signed-rank test of F. Wilcoxon and the estimate that goes with it, by J. L. Hodges and E. L. Lehmann
 * (M. Hollander and D. A. Wolfe, *Nonparametric Statistical Methods*, 1999, sections 3.1 to 3.3). Differences of pairs are
 * independent and symmetric about the same middle; nothing is assumed of how they are spread.
 */

/** The means of every two of the values, each with itself too, ascending. */
function walshAverages(values: readonly number[]): readonly number[] {
  return values.flatMap((one, index) => values.slice(index).map((other) => (one + other) / 2)).toSorted(byValue);
}

/** The median of the means of every two values: the middle that the test rejects least. Not a number where there are none. */
export function hodgesLehmann(values: readonly number[]): number {
  const averages = walshAverages(values);
  const middle = averages.length / 2;
  return ((averages[Math.ceil(middle) - 1] ?? Number.NaN) + (averages[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/**
 * How likely differences at least as high as these are if their middle is `middle` or below: P(T+ >= t), where T+ is the number of
 * means of two that are higher. What is equal to it counts as not higher, so that the probability is never too small.
 */
export function signedRankPValue(values: readonly number[], middle = 0): number {
  const higher = walshAverages(values).filter((average) => average > middle).length;
  const { length } = values;
  // T+ is as often so far above its mean as below.
  return signedRankAtMost((length * (length + 1)) / 2 - higher, length);
}

/**
 * The lowest and the highest middle that are not rejected, each with this probability of an error.
 * -Infinity and Infinity where there are too few values for any limit.
 */
export function signedRankLimits(
  values: readonly number[],
  errorProbability: number,
): { readonly low: number; readonly high: number } {
  const averages = walshAverages(values);
  let rank = -1;
  while (signedRankAtMost(rank + 1, values.length) <= errorProbability) rank += 1;
  return {
    low: averages[rank] ?? Number.NEGATIVE_INFINITY,
    high: rank < 0 ? Number.POSITIVE_INFINITY : (averages.at(-1 - rank) ?? Number.POSITIVE_INFINITY),
  };
}

/** P(T+ <= sum) for so many pairs whose middle is 0: the share of all ways to give them signs. */
export function signedRankAtMost(sum: number, pairs: number): number {
  const atMost = distributions.get(pairs) ?? distributionOf(pairs);
  distributions.set(pairs, atMost);
  return sum < 0 ? 0 : (atMost[sum] ?? 1);
}

/** By the number of pairs: they are asked for again and again. */
const distributions = new Map<number, readonly number[]>();

function distributionOf(pairs: number): readonly number[] {
  // ways[t]: so many sets of the ranks 1 to `rank` have the sum t. Whole numbers, exact below 2^53.
  const ways = new Array<number>((pairs * (pairs + 1)) / 2 + 1).fill(0);
  ways[0] = 1;
  for (let rank = 1; rank <= pairs; rank += 1) {
    for (let total = (rank * (rank + 1)) / 2; total >= rank; total -= 1) {
      ways[total] = (ways[total] ?? 0) + (ways[total - rank] ?? 0);
    }
  }
  let upTo = 0;
  return ways.map((count) => {
    upTo += count;
    return upTo / 2 ** pairs;
  });
}

function byValue(one: number, other: number): number {
  return one - other;
}
