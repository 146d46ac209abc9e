import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './block-bootstrap.ts';
import { effectiveSampleSize, serialCorrelation, serialInflation } from './correlation.ts';

const tenBlocks = (value: number) => new Array<number>(10).fill(value);
/** (1.96 / 2.262)^2: what ten blocks cost. */
const tenBlocksPay = 0.7508;

describe('the effective sample size', () => {
  it('is the number of samples, less the price of few blocks, when all blocks are alike', () => {
    expect(effectiveSampleSize(tenBlocks(95), tenBlocks(100), 0.95)).toBeCloseTo(1000 * tenBlocksPay, 0);
  });

  it('is about the number of blocks when each block is all or nothing', () => {
    // Share 1/2, five blocks all within and five all beyond: each block is one observation.
    const within = [100, 0, 100, 0, 100, 0, 100, 0, 100, 0];
    // Variance 10/9 x 10 x 50^2 / 1000^2 = 1/36; independent 1/4000; design effect 111.1.
    expect(effectiveSampleSize(within, tenBlocks(100), 0.5)).toBeCloseTo((1000 / 111.11) * tenBlocksPay, 2);
  });

  it('does not count blocks without samples', () => {
    const counts = [...new Array(6).fill(0), 50, 50, 50, 50];
    expect(effectiveSampleSize(counts, counts, 0.95)).toBeNull();
    expect(effectiveSampleSize([], [], 0.95)).toBeNull();
  });

  it('is never more than the number of samples', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 5, maxLength: 20 }),
        (blocks) => {
          const counts = blocks.map(([count]) => count);
          const within = blocks.map(([count, share]) => Math.round(count * share));
          const worth = effectiveSampleSize(within, counts, 0.95);
          if (worth === null) return;
          expect(worth).toBeGreaterThanOrEqual(0);
          expect(worth).toBeLessThanOrEqual(counts.reduce((sum, count) => sum + count, 0));
        },
      ),
    );
  });
});

function series(correlation: number, length: number, random: () => number): number[] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let state = normal();
  return Array.from({ length }, () => {
    state = correlation * state + Math.sqrt(1 - correlation ** 2) * normal();
    return state;
  });
}

it.each([0, 0.3, 0.6])('many short series together tell a correlation of %f', (correlation) => {
  const random = seededRandom(11);
  const all = Array.from({ length: 500 }, () => series(correlation, 10, random));
  expect(Math.abs(serialCorrelation(all) - correlation)).toBeLessThan(0.08);
});

it('the inflated variance is the true one', () => {
  const random = seededRandom(12);
  const means = Array.from({ length: 4000 }, () => {
    const values = series(0.5, 10, random);
    const mean = values.reduce((sum, value) => sum + value, 0) / 10;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 9 / 10;
    return { mean, variance };
  });
  const claimed = means.reduce((sum, { variance }) => sum + variance, 0) / means.length;
  const real = means.reduce((sum, { mean }) => sum + mean ** 2, 0) / means.length;
  expect(claimed * serialInflation(0.5, 10)).toBeGreaterThan(0.93 * real);
  expect(claimed * serialInflation(0.5, 10)).toBeLessThan(1.07 * real);
  expect(claimed).toBeLessThan(0.5 * real);
});

it('is 0 where nothing varies, and then changes nothing', () => {
  expect(serialCorrelation([[3, 3, 3, 3, 3, 3], []])).toBe(0);
  expect(serialInflation(0, 10)).toBeCloseTo(1, 12);
});
