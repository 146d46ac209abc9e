import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawResamples, expandedTail, ratioEstimate, seededRandom } from './block-bootstrap.ts';

const resamplesOf = (blocks: number, seed = 1) => drawResamples(blocks, seededRandom(seed));

describe('the interval of a ratio', () => {
  it('is the same for the same seed', () => {
    const counts = [101, 96, 120, 88, 97, 104, 99, 110];
    const seconds = counts.map(() => 1);
    expect(ratioEstimate(counts, seconds, resamplesOf(8))).toEqual(ratioEstimate(counts, seconds, resamplesOf(8)));
  });

  it('is a point when every block says the same', () => {
    const estimate = ratioEstimate([50, 50, 25, 50, 50], [1, 1, 0.5, 1, 1], resamplesOf(5));
    expect(estimate).toEqual({ value: 50, low: 50, high: 50 });
  });

  it('divides sums by sums: a ratio is never an average of ratios', () => {
    expect(ratioEstimate([1, 0, 0, 0, 9], [1, 1, 1, 1, 96], resamplesOf(5))?.value).toBeCloseTo(0.1, 12);
  });

  it('does not exist for fewer than five blocks, nor without a denominator', () => {
    expect(ratioEstimate([1, 2, 3, 4], [1, 1, 1, 1], resamplesOf(4))).toBeNull();
    expect(ratioEstimate([0, 0, 0, 0, 0], [0, 0, 0, 0, 0], resamplesOf(5))).toBeNull();
  });

  it('contains the value and lies between the smallest and the largest block', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 5, maxLength: 20 }), (counts) => {
        const estimate = ratioEstimate(
          counts,
          counts.map(() => 1),
          resamplesOf(counts.length),
        );
        if (estimate === null) throw new Error('there are enough blocks');
        expect(estimate.low).toBeLessThanOrEqual(estimate.value);
        expect(estimate.high).toBeGreaterThanOrEqual(estimate.value);
        expect(estimate.low).toBeGreaterThanOrEqual(Math.min(...counts));
        expect(estimate.high).toBeLessThanOrEqual(Math.max(...counts));
      }),
      { numRuns: 50 },
    );
  });

  it('has the widened tails of Hesterberg', () => {
    // t(7) = 2.365, times sqrt(8 / 7) = 2.528: P(Z > 2.528) = 0.00573.
    expect(expandedTail(8)).toBeCloseTo(0.00573, 4);
    expect(expandedTail(20)).toBeCloseTo(0.0159, 3);
  });
});

it('gives the same numbers for the same seed and others for another', () => {
  const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
  expect(draw(42)).toEqual(draw(42));
  expect(draw(42)).not.toEqual(draw(43));
});

it('is uniform on [0, 1): chi-square of 100 cells is within its 99.9 % range', () => {
  const random = seededRandom(7);
  const cells = new Array<number>(100).fill(0);
  for (let draw = 0; draw < 100_000; draw += 1) {
    const cell = Math.floor(random() * 100);
    cells[cell] = (cells[cell] ?? Number.NaN) + 1;
  }
  const chiSquare = cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chiSquare).toBeGreaterThan(60);
  expect(chiSquare).toBeLessThan(149);
});
