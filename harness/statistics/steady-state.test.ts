import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './block-bootstrap.ts';
import { steadyStateStart, trendScore } from './steady-state.ts';

describe('the start of the steady state', () => {
  it('follows the definition: worked example', () => {
    // By hand, batches of 1: cuts 0..5 leave 10..5 values; only the 1 and the 4 differ from 10.
    // Cut 0: mean 8.5, squares 94.5 / 100; cut 1: 9.33, 32 / 81; cut 2: 0.
    expect(steadyStateStart([1, 4, 10, 10, 10, 10, 10, 10, 10, 10], 1)).toBe(2);
  });

  it('is the start when nothing changes, and 0 when there is too little to look at', () => {
    expect(steadyStateStart(new Array(60).fill(7))).toBe(0);
    expect(steadyStateStart([])).toBe(0);
    expect(steadyStateStart([1, 2, 3], 1)).toBe(0);
  });

  it('is where a warm-up ends, to a batch, in noise of 5 %', () => {
    const random = seededRandom(1);
    const noisy = (level: number) => level * (0.95 + 0.1 * random());
    const observations = Array.from({ length: 100 }, (_, second) => noisy(second < 22 ? 300 : 1000));
    expect(steadyStateStart(observations)).toBeGreaterThanOrEqual(20);
    expect(steadyStateStart(observations)).toBeLessThanOrEqual(30);
  });

  it('is past half when the level never settles', () => {
    const climbing = Array.from({ length: 100 }, (_, second) => 100 + 10 * second);
    expect(steadyStateStart(climbing)).toBeGreaterThan(50);
  });

  it('does not depend on the unit of what is observed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 30, maxLength: 80 }),
        fc.constantFrom(0.5, 2, 1024),
        (observations, factor) => {
          const scaled = observations.map((value) => value * factor);
          expect(steadyStateStart(scaled)).toBe(steadyStateStart(observations));
        },
      ),
    );
  });
});

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
