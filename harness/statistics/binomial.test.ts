import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialAtMost, binomialProbability, proportionInterval } from './binomial.ts';

/** Pascal's triangle: exact up to rounding, for small numbers of trials. */
function bruteForce(trials: number, probability: number): number[] {
  let row = [1];
  for (let trial = 0; trial < trials; trial += 1) {
    row = Array.from(
      { length: row.length + 1 },
      (_, k) => (row[k] ?? 0) * (1 - probability) + (row[k - 1] ?? 0) * probability,
    );
  }
  return row;
}

describe('binomial probabilities', () => {
  it('agree with brute force to 11 digits for small numbers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.double({ min: 0.001, max: 0.999, noNaN: true }), (trials, p) => {
        let atMost = 0;
        for (const [k, probability] of bruteForce(trials, p).entries()) {
          atMost += probability;
          expect(Math.abs(binomialProbability(k, trials, p) - probability)).toBeLessThan(1e-11);
          expect(Math.abs(binomialAtMost(k, trials, p) - atMost)).toBeLessThan(1e-11);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('stay accurate for a hundred million trials', () => {
    const trials = 1e8;
    const p = 0.95;
    const deviation = Math.sqrt(trials * p * (1 - p));
    const density = 1 / (Math.sqrt(2 * Math.PI) * deviation);
    // Edgeworth's expansion at the mean, with the correction for whole numbers; what it leaves out is below 1e-9.
    const expected = 0.5 + density * (1 / 2 + (1 - 2 * p) / 6);
    expect(binomialAtMost(trials * p, trials, p)).toBeCloseTo(expected, 8);
    expect(binomialProbability(trials * p, trials, p)).toBeCloseTo(density, 10);
  });

  it('end at 0 and 1', () => {
    expect(binomialAtMost(-1, 10, 0.5)).toBe(0);
    expect(binomialAtMost(10, 10, 0.5)).toBe(1);
    expect(binomialProbability(11, 10, 0.5)).toBe(0);
  });
});

describe('the interval of a proportion', () => {
  it('has the closed form 1 - 0.025^(1/n) when nothing was seen', () => {
    const none = proportionInterval(0, 1000);
    expect(none?.low).toBe(0);
    expect(none?.high).toBeCloseTo(1 - 0.025 ** (1 / 1000), 10);
  });

  it('agrees with published values to 4 digits', () => {
    // R: binom.test(10, 100)$conf.int
    const tenth = proportionInterval(10, 100);
    expect(tenth?.value).toBe(0.1);
    expect(tenth?.low).toBeCloseTo(0.04900469, 7);
    expect(tenth?.high).toBeCloseTo(0.1762226, 7);
  });

  it('contains the value, and each end is where 2.5 % is left', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (observations, share) => {
          const successes = Math.round(observations * share);
          const estimate = proportionInterval(successes, observations);
          if (estimate === null) throw new Error('there are observations');
          expect(estimate.low).toBeLessThanOrEqual(estimate.value);
          expect(estimate.high).toBeGreaterThanOrEqual(estimate.value);
          if (successes < observations) {
            expect(binomialAtMost(successes, observations, estimate.high)).toBeCloseTo(0.025, 6);
          }
          if (successes > 0) {
            expect(1 - binomialAtMost(successes - 1, observations, estimate.low)).toBeCloseTo(0.025, 6);
          }
        },
      ),
    );
  });

  it('does not exist without observations', () => {
    expect(proportionInterval(0, 0)).toBeNull();
  });
});
