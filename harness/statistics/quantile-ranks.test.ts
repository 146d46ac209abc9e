import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialAtMost } from './binomial.ts';
import { correlatedQuantileRanks, quantileRanks, samplesNeeded } from './quantile-ranks.ts';

describe('ranks that enclose a quantile', () => {
  it.each([
    { count: 1000, quantile: 0.95, lowRank: 936, highRank: 964 },
    { count: 1000, quantile: 0.99, lowRank: 983, highRank: 997 },
    { count: 72, quantile: 0.95, lowRank: 64, highRank: 72 },
    { count: 368, quantile: 0.99, lowRank: 360, highRank: 368 },
  ])(
    'are $lowRank and $highRank for quantile $quantile of $count samples',
    ({ count, quantile, lowRank, highRank }) => {
      expect(quantileRanks(count, quantile)).toEqual({ lowRank, highRank });
    },
  );

  it.each([
    { quantile: 0.5, needed: 6 },
    { quantile: 0.95, needed: 72 },
    { quantile: 0.99, needed: 368 },
  ])('need $needed samples for quantile $quantile', ({ quantile, needed }) => {
    expect(samplesNeeded(quantile)).toBe(needed);
    expect(quantileRanks(needed, quantile)).not.toBeNull();
    expect(quantileRanks(needed - 1, quantile)).toBeNull();
    expect(quantileRanks(0, quantile)).toBeNull();
  });

  it('are the tightest that miss on each side with at most 2.5 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.constantFrom(0.5, 0.9, 0.95, 0.99), (count, quantile) => {
        const ranks = quantileRanks(count, quantile);
        if (ranks === null) return;
        const { lowRank, highRank } = ranks;
        // The quantile is below sample k exactly when fewer than k samples are below it.
        expect(binomialAtMost(lowRank - 1, count, quantile)).toBeLessThanOrEqual(0.025);
        expect(binomialAtMost(lowRank, count, quantile)).toBeGreaterThan(0.025);
        expect(1 - binomialAtMost(highRank - 1, count, quantile)).toBeLessThanOrEqual(0.025 + 1e-12);
        expect(1 - binomialAtMost(highRank - 2, count, quantile)).toBeGreaterThan(0.025 - 1e-12);
      }),
    );
  });

  it('follow the normal approximation for a hundred million samples', () => {
    const count = 1e8;
    const margin = 1.959964 * Math.sqrt(count * 0.95 * 0.05);
    const ranks = quantileRanks(count, 0.95);
    expect(Math.abs((ranks?.lowRank ?? 0) - (0.95 * count - margin))).toBeLessThan(3);
    expect(Math.abs((ranks?.highRank ?? 0) - (0.95 * count + margin))).toBeLessThan(3);
  });
});

describe('ranks for correlated samples', () => {
  it('are those of independent samples when the samples are worth their number', () => {
    expect(correlatedQuantileRanks(1000, 1000, 0.95)).toEqual(quantileRanks(1000, 0.95));
  });

  it('lie further apart the less the samples are worth, and stay inside the samples', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 368, max: 100_000 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (count, worth) => {
          for (const quantile of [0.5, 0.95, 0.99]) {
            const wide = correlatedQuantileRanks(count, count * worth, quantile);
            const narrow = quantileRanks(count, quantile);
            if (wide === null || narrow === null) throw new Error('there are enough samples');
            expect(wide.lowRank).toBeLessThanOrEqual(narrow.lowRank);
            expect(wide.highRank).toBeGreaterThanOrEqual(narrow.highRank);
            expect(wide.lowRank).toBeGreaterThanOrEqual(1);
            expect(wide.highRank).toBeLessThanOrEqual(count);
          }
        },
      ),
    );
  });

  it('end at the slowest sample when the samples are worth too few for a high end', () => {
    expect(correlatedQuantileRanks(800, 40, 0.95)?.highRank).toBe(800);
    expect(correlatedQuantileRanks(71, 71, 0.95)).toBeNull();
  });
});
