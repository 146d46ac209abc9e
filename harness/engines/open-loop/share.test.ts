import { expect, test } from 'vitest';
import { arrivalsOf } from './arrivals.ts';
import { arrivalsIn, countIn } from './share.ts';

const load = { model: 'open', arrivals: 'poisson', arrivalRatePerS: 100 } as const;

test.each([1, 2, 3, 7])('%i threads together send what one would, each a share of its own', (of) => {
  const whole = arrivalsOf(load, 5, -1);
  const expected = Array.from({ length: 210 }, () => whole());
  const shares = Array.from({ length: of }, (_, index) => arrivalsIn({ index, of }, arrivalsOf(load, 5, -1)));
  const together = Array.from({ length: 210 }, (_, arrival) => shares[arrival % of]?.());
  expect(together).toEqual(expected);
});

test('users and connections are dealt out without one left over', () => {
  for (const count of [0, 1, 5, 12]) {
    for (const of of [1, 2, 5, 7]) {
      const counts = Array.from({ length: of }, (_, index) => countIn({ index, of }, count));
      expect(counts.reduce((sum, one) => sum + one, 0)).toBe(count);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  }
});
