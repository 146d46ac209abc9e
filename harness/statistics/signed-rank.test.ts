import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hodgesLehmann, signedRankAtMost, signedRankLimits, signedRankPValue } from './signed-rank.ts';

describe('the signed-rank test', () => {
  test('the depression scores of Hollander and Wolfe, example 3.1', () => {
    const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
    const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
    const differences = before.map((value, index) => value - (after[index] ?? 0));
    expect(signedRankPValue(differences)).toBeCloseTo(0.01953125, 12);
    expect(hodgesLehmann(differences)).toBeCloseTo(0.46, 10);
    expect(signedRankLimits(differences, 0.05).low).toBeCloseTo(0.175, 10);
  });

  test('critical values at 0.01', () => {
    const critical = [7, 8, 9, 10, 12, 14, 16, 18, 20].map((pairs) => {
      let sum = -1;
      while (signedRankAtMost(sum + 1, pairs) <= 0.01) sum += 1;
      return sum;
    });
    expect(critical).toEqual([0, 1, 3, 5, 9, 15, 23, 32, 43]);
  });

  test('too few pairs allow no limit', () => {
    expect(signedRankLimits([1, 2, 3, 4, 5, 6], 0.01)).toEqual({ low: -Infinity, high: Infinity });
    expect(signedRankLimits([], 0.05)).toEqual({ low: -Infinity, high: Infinity });
    expect(hodgesLehmann([])).toBeNaN();
  });

  const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 5, maxLength: 20 });

  test('the low limit is above 0 exactly where the test rejects', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(0.05, 0.01, 0.004), (differences, error) => {
        expect(signedRankLimits(differences, error).low > 0).toBe(signedRankPValue(differences) <= error);
      }),
    );
  });

  test('signs changed, the limits change sides', () => {
    fc.assert(
      fc.property(values, (differences) => {
        const { low, high } = signedRankLimits(differences, 0.05);
        const mirrored = signedRankLimits(
          differences.map((value) => -value),
          0.05,
        );
        expect(mirrored.low).toBeCloseTo(-high, 12);
        expect(mirrored.high).toBeCloseTo(-low, 12);
      }),
    );
  });
});
