import { expect, it } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { serialCorrelation, serialInflation } from './serial-correlation.ts';

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
