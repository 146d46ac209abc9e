import type { Estimate } from '../core/units.ts';

/**
 * The binomial distribution, accurate to about 12 digits for up to 10^9 trials.
 *
 * Probabilities of a single count use the saddle-point form of C. Loader, *Fast and Accurate Computation of Binomial
 * Probabilities* (2000), which never subtracts large numbers; tails are summed outwards from there.
 */

/** P(X = successes) for X ~ Bin(trials, probability), probability strictly between 0 and 1. */
export function binomialProbability(successes: number, trials: number, probability: number): number {
  if (successes < 0 || successes > trials) return 0;
  const failures = trials - successes;
  if (successes === 0) return Math.exp(trials * Math.log1p(-probability));
  if (failures === 0) return Math.exp(trials * Math.log(probability));
  const logarithm =
    stirlingError(trials) -
    stirlingError(successes) -
    stirlingError(failures) -
    deviance(successes, trials * probability) -
    deviance(failures, trials * (1 - probability));
  return Math.exp(logarithm) * Math.sqrt(trials / (2 * Math.PI * successes * failures));
}

/** P(X <= successes). */
export function binomialAtMost(successes: number, trials: number, probability: number): number {
  if (successes < 0) return 0;
  if (successes >= trials) return 1;
  if (successes > trials * probability) return 1 - lowerTail(trials - successes - 1, trials, 1 - probability);
  return lowerTail(successes, trials, probability);
}

/** The sum of P(X = k) for k = successes, successes - 1, ..., 0, where `successes` is at most about the mean. */
function lowerTail(successes: number, trials: number, probability: number): number {
  let term = binomialProbability(successes, trials, probability);
  let sum = term;
  for (let k = successes; k > 0 && term > sum * 1e-17; k -= 1) {
    term *= ((k / (trials - k + 1)) * (1 - probability)) / probability;
    sum += term;
  }
  return Math.min(1, sum);
}

/** ln(n!) minus Stirling's approximation of it. */
function stirlingError(n: number): number {
  if (n < 16) {
    let factorial = 1;
    for (let k = 2; k <= n; k += 1) factorial *= k;
    return Math.log(factorial) - (n + 0.5) * Math.log(n) + n - Math.log(2 * Math.PI) / 2;
  }
  const square = n * n;
  return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / square) / square) / square) / n;
}

/** x ln(x/mean) + mean - x, by a series where the two nearly cancel. */
function deviance(x: number, mean: number): number {
  if (Math.abs(x - mean) >= 0.1 * (x + mean)) return x * Math.log(x / mean) + mean - x;
  const ratio = (x - mean) / (x + mean);
  let sum = (x - mean) * ratio;
  let term = 2 * x * ratio;
  for (let j = 3; ; j += 2) {
    term *= ratio * ratio;
    const next = sum + term / j;
    if (next === sum) return sum;
    sum = next;
  }
}

/**
 * A proportion with its exact two-sided interval, of 95 % unless another chance is given that an end misses (Clopper and Pearson, Biometrika 26, 1934). It stays honest where
 * nothing failed: 0 of 1000 gives 0 to 0.0037. Undefined for no observations, so null then.
 */
export function proportionInterval(successes: number, observations: number, missProbability = 0.025): Estimate | null {
  if (observations <= 0) return null;
  return {
    value: successes / observations,
    low: successes === 0 ? 0 : bisect((p) => 1 - binomialAtMost(successes - 1, observations, p) < missProbability),
    high: successes === observations ? 1 : bisect((p) => binomialAtMost(successes, observations, p) > missProbability),
  };
}

/** Where a condition that holds for small probabilities stops to hold. */
function bisect(holds: (probability: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < 60 && high - low > 1e-12 * high; step += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
