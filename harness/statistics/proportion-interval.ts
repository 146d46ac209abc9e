import type { Estimate } from '../core/estimate.ts';
import { binomialAtMost } from './binomial.ts';

/**
 * A proportion with its exact two-sided 95 % interval (Clopper and Pearson, Biometrika 26, 1934). It stays honest where
 * nothing failed: 0 of 1000 gives 0 to 0.0037. Undefined for no observations, so null then.
 */
export function proportionInterval(successes: number, observations: number): Estimate | null {
  if (observations <= 0) return null;
  const missProbability = 0.025;
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
