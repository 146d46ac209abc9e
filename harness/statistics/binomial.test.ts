import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialAtMost, binomialProbability } from './binomial.ts';

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
