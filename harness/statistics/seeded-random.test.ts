import { expect, it } from 'vitest';
import { seededRandom } from './seeded-random.ts';

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
