/**
 * P(at least `successes` of independent trials succeed), trial i with probability `probabilities[i]`: the upper tail of the
 * Poisson binomial distribution, by convolution. With all of them 1/2 this is the p-value of the sign test
 * (W. Dixon and A. Mood, Journal of the American Statistical Association 41, 1946).
 */
export function atLeastOf(successes: number, probabilities: readonly number[]): number {
  if (successes <= 0) return 1;
  // chances[k]: exactly k of the trials so far; the last one holds `successes` or more.
  const chances = new Array<number>(successes + 1).fill(0);
  chances[0] = 1;
  for (const probability of probabilities) {
    chances[successes] = (chances[successes] ?? 0) + (chances[successes - 1] ?? 0) * probability;
    for (let k = successes - 1; k > 0; k -= 1) {
      chances[k] = (chances[k] ?? 0) * (1 - probability) + (chances[k - 1] ?? 0) * probability;
    }
    chances[0] = (chances[0] ?? 0) * (1 - probability);
  }
  return chances[successes] ?? 0;
}
