import { describe, expect, test } from 'vitest';
import type { OfferedLoad } from '../../core/load.ts';
import { arrivalsOf } from '../shared/arrivals.ts';
import { k6Load } from './k6-load.ts';

type OpenLoad = Extract<OfferedLoad, { model: 'open' }>;

const loadOf = (load: OfferedLoad, warmUpS: number, durationS: number) => k6Load({ load, warmUpS, durationS }, 50);
const open = (arrivalRatePerS: number, changes?: OpenLoad['changes']): OpenLoad => ({
  model: 'open',
  arrivalRatePerS,
  arrivals: 'constant',
  ...(changes !== undefined && { changes }),
});

test('a closed load is as many virtual users of k6', () => {
  const { executor, nextScheduledS } = loadOf({ model: 'closed', concurrency: 50 }, 2, 10.5);
  expect(executor).toEqual({ executor: 'constant-vus', vus: 50, duration: '12600ms', gracefulStop: '5s' });
  expect(nextScheduledS).toBeUndefined();
});

test('k6 knows no scenario of less than a second', () => {
  expect(loadOf(open(5), 0, 0.3)).toMatchObject({ executor: { duration: '1000ms' }, executorS: 1 });
});

test.each([
  [200, 200, '1000ms'],
  [0.7, 7, '10000ms'],
  [333.3, 3333, '10000ms'],
  [1000 / 3, 333333333, '1000000000ms'],
  [1e-9, 1, '1000000000000ms'],
])('%d/s in the whole numbers k6 knows', (arrivalRatePerS, rate, timeUnit) => {
  expect(loadOf(open(arrivalRatePerS), 0, 1).executor).toMatchObject({
    executor: 'constant-arrival-rate',
    rate,
    timeUnit,
    preAllocatedVUs: 50,
    maxVUs: 50,
  });
});

test('a constant rate is scheduled in steps of whole nanoseconds, as in k6', () => {
  const { nextScheduledS } = loadOf(open(30_000), 0, 10);
  const first = Array.from({ length: 30_001 }, () => nextScheduledS?.());
  expect(first.slice(0, 2)).toEqual([0, 33_333e-9]);
  expect(first[30_000]).toBeCloseTo(0.99999, 9);
});

describe('a rate that changes', () => {
  const changes = [
    { atS: 1, overS: 2, toRatePerS: 30 },
    { atS: 4, overS: 0, toRatePerS: 5 },
    { atS: 5, overS: 4, toRatePerS: 25 },
  ];

  test('is stages, cut where the window ends, and the load before it holds while warming up', () => {
    const { executor, startsLate } = loadOf(open(10, changes), 3, 7);
    expect(executor).toMatchObject({
      executor: 'ramping-arrival-rate',
      startRate: 10,
      timeUnit: '1000ms',
      stages: [
        { duration: '4000ms', target: 10 },
        { duration: '2000ms', target: 30 },
        { duration: '1000ms', target: 30 },
        { duration: '0ms', target: 5 },
        { duration: '1000ms', target: 5 },
        { duration: '2000ms', target: 15 },
      ],
    });
    expect(startsLate).toBe(true);
  });

  test('is scheduled when the other engines mean it to be, but for the first, which k6 leaves out', () => {
    const load = open(10, changes);
    const { nextScheduledS } = loadOf(load, 3, 7);
    const arrivals = arrivalsOf(load, 1, -3);
    arrivals();
    for (let atS = -3; atS < 6.9; ) {
      const scheduledS = nextScheduledS?.() ?? Number.NaN;
      atS = arrivals();
      expect(scheduledS - 3).toBeCloseTo(atS, 9);
    }
  });

  test('is scheduled no more when it is over', () => {
    const { nextScheduledS } = loadOf(open(10, changes), 0, 2);
    const all = Array.from({ length: 100 }, () => nextScheduledS?.() ?? Number.NaN);
    expect(all.filter((atS) => atS <= 2).length).toBe(25);
    expect(all.at(-1)).toBe(Number.POSITIVE_INFINITY);
  });
});
