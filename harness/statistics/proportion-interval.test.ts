import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialAtMost } from './binomial.ts';
import { proportionInterval } from './proportion-interval.ts';

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
