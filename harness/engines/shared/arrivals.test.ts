import { expect, test } from 'vitest';
import type { OfferedLoad } from '../../core/load.ts';
import { arrivalsOf, arrivalsOfShare, countIn } from './arrivals.ts';
import { checkLoad } from './check-request.ts';

type OpenLoad = Extract<OfferedLoad, { model: 'open' }>;
const open = (arrivals: OpenLoad['arrivals'], arrivalRatePerS: number, changes?: OpenLoad['changes']): OpenLoad => ({
  model: 'open',
  arrivals,
  arrivalRatePerS,
  ...(changes === undefined ? {} : { changes }),
});

function gaps(load: OpenLoad, seed: number, count: number): number[] {
  const next = arrivalsOf(load, seed, 0);
  let before = 0;
  return Array.from({ length: count }, () => {
    const at = next();
    const gap = at - before;
    before = at;
    return gap;
  });
}

test('constant arrivals do not drift in 10 minutes at 20,000/s', () => {
  const next = arrivalsOf(open('constant', 20_000), 1, 0);
  let furthestS = 0;
  for (let index = 0; index < 600 * 20_000; index += 1) {
    furthestS = Math.max(furthestS, Math.abs(next() - index / 20_000));
  }
  expect(furthestS).toBeLessThan(1e-9);
});

test('constant arrivals begin with the warm-up', () => {
  const next = arrivalsOf(open('constant', 4), 1, -0.5);
  expect([next(), next(), next(), next()]).toEqual([-0.5, -0.25, 0, 0.25]);
});

test.each([1, 2, 3])(
  'Poisson arrivals: gaps are exponential by mean, variance and Kolmogorov-Smirnov (seed %i)',
  (seed) => {
    const count = 200_000;
    const rate = 5000;
    const all = gaps(open('poisson', rate), seed, count).map((gap) => gap * rate);
    const mean = all.reduce((sum, gap) => sum + gap, 0) / count;
    const variance = all.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / (count - 1);
    // 4 standard errors: the variance of the variance of an exponential is 8 / n.
    expect(Math.abs(mean - 1)).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(8 / count));
    const sorted = all.toSorted((a, b) => a - b);
    const distance = sorted.reduce((largest, gap, index) => {
      const expected = 1 - Math.exp(-gap);
      return Math.max(largest, Math.abs(expected - index / count), Math.abs(expected - (index + 1) / count));
    }, 0);
    // The 0.1 % critical value of Kolmogorov-Smirnov.
    expect(distance).toBeLessThan(1.95 / Math.sqrt(count));
  },
);

test('Poisson gaps do not depend on each other', () => {
  const all = gaps(open('poisson', 1), 4, 100_000).map((gap) => gap - 1);
  const product = all.slice(1).reduce((sum, gap, index) => sum + gap * (all[index] ?? 0), 0);
  expect(Math.abs(product / all.length)).toBeLessThan(4 / Math.sqrt(all.length));
});

test('the same seed gives the same arrivals, another seed others', () => {
  const load = open('poisson', 100);
  expect(gaps(load, 7, 100)).toEqual(gaps(load, 7, 100));
  expect(gaps(load, 8, 100)).not.toEqual(gaps(load, 7, 100));
});

test.each(['constant', 'poisson'] as const)('%s arrivals follow steps and ramps', (arrivals) => {
  const load = open(arrivals, 1000, [
    { atS: 10, overS: 0, toRatePerS: 2000 },
    { atS: 20, overS: 10, toRatePerS: 500 },
  ]);
  const windows = [
    [-5, 0, 5000],
    [0, 10, 10_000],
    [10, 20, 20_000],
    [20, 25, 8125],
    [25, 30, 4375],
    [30, 40, 5000],
  ] as const;
  const next = arrivalsOf(load, 3, -5);
  let at = next();
  for (const [, toS, expected] of windows) {
    let count = 0;
    for (; at < toS; at = next()) count += 1;
    expect(Math.abs(count - expected)).toBeLessThanOrEqual(arrivals === 'constant' ? 1 : 4 * Math.sqrt(expected));
  }
});

test('arrivals never go back, whatever the rates', () => {
  const changes = Array.from({ length: 50 }, (_, index) => ({
    atS: index - 5,
    overS: index % 3 === 0 ? 0 : 0.75,
    toRatePerS: 1 + ((index * 7919) % 300),
  }));
  for (const arrivals of ['constant', 'poisson'] as const) {
    const all = gaps(open(arrivals, 50, changes), 5, 20_000);
    expect(all.slice(1).every((gap) => gap >= 0 && Number.isFinite(gap))).toBe(true);
  }
});

test('rates that mean nothing are refused', () => {
  const check = (load: OpenLoad) => () => checkLoad(load, 1);
  expect(check(open('constant', 5))).not.toThrow();
  expect(check(open('constant', 5, [{ atS: 1, overS: 2, toRatePerS: 3 }]))).not.toThrow();
  for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(check(open('constant', rate))).toThrow(String(rate));
    expect(check(open('poisson', 1, [{ atS: 1, overS: 0, toRatePerS: rate }]))).toThrow(String(rate));
  }
  const overlapping = [
    { atS: 1, overS: 5, toRatePerS: 3 },
    { atS: 5, overS: 0, toRatePerS: 3 },
  ];
  expect(check(open('constant', 1, overlapping))).toThrow('5 s');
});

const shared = { model: 'open', arrivals: 'poisson', arrivalRatePerS: 100 } as const;

test.each([1, 2, 3, 7])('%i processes together send what one would, each a share of its own', (of) => {
  const whole = arrivalsOf(shared, 5, -1);
  const expected = Array.from({ length: 210 }, () => whole());
  const shares = Array.from({ length: of }, (_, index) => arrivalsOfShare({ index, of }, arrivalsOf(shared, 5, -1)));
  const together = Array.from({ length: 210 }, (_, arrival) => shares[arrival % of]?.());
  expect(together).toEqual(expected);
});

test('users and connections are dealt out completely', () => {
  for (const count of [0, 1, 5, 12]) {
    for (const of of [1, 2, 5, 7]) {
      const counts = Array.from({ length: of }, (_, index) => countIn({ index, of }, count));
      expect(counts.reduce((sum, one) => sum + one, 0)).toBe(count);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  }
});
