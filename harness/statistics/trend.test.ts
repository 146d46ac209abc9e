import { describe, expect, it } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { trendScore } from './trend.ts';

describe('the trend of values', () => {
  it('is that of Mann and Kendall where neighbours have nothing to do with each other', () => {
    // S = 45 of 45 pairs rise, variance 10 x 9 x 25 / 18 = 125; a straight line leaves nothing that could be alike.
    const rising = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    expect(trendScore(rising)).toBeCloseTo(44 / Math.sqrt(125), 10);
    expect(trendScore(rising.toReversed())).toBeCloseTo(-44 / Math.sqrt(125), 10);
    expect(trendScore([1, 2, 3, 4, 5, 6, 7, 8, 9, 1000])).toBeGreaterThan(0);
  });

  it('is none where nothing changes, and where there is nothing', () => {
    expect(trendScore([5, 5, 5, 5, 5, 5])).toBe(0);
    expect(trendScore([])).toBe(0);
    expect(trendScore([7])).toBe(0);
  });

  it.each([
    { correlation: 0, atMost: 0.01 },
    { correlation: 0.5, atMost: 0.05 },
  ])(
    'is seen in at most $atMost of the series of 30 that only wander, alike by $correlation',
    ({ correlation, atMost }) => {
      const random = seededRandom(11);
      let seen = 0;
      for (let series = 0; series < 1000; series += 1) {
        let value = 0;
        const values = Array.from({ length: 60 }, () => {
          value = correlation * value + random() + random() + random() - 1.5;
          return value;
        }).slice(30);
        if (Math.abs(trendScore(values)) > 3) seen += 1;
      }
      expect(seen / 1000).toBeLessThanOrEqual(atMost);
    },
  );
});
