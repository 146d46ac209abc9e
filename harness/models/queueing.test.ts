import { describe, expect, it, test } from 'vitest';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import { erlangB, erlangC, meanWaitS, responseQuantileS } from './queueing.ts';

test.each([
  [2, 0.5, 1 / 3],
  [2, 0.8, 32 / 45],
  [3, 0.8, 288 / 445],
  [4, 0.8, 8192 / 13735],
])('Erlang C of %d servers at %d', (servers, utilization, exact) => {
  expect(erlangC(servers, servers * utilization)).toBeCloseTo(exact, 14);
});

/** Any table of Erlang B has these. */
test.each([
  [1, 1, 1 / 2],
  [2, 1, 1 / 5],
  [3, 2, 4 / 19],
  [10, 5, 0.01838457],
  [20, 12, 0.009796],
])('Erlang B of %d servers at %d erlangs', (servers, load, exact) => {
  expect(erlangB(servers, load)).toBeCloseTo(exact, 6);
});

describe('M/M/c', () => {
  const queue = (servers: number) => ({ servers, meanServiceS: 1, variation: 1 });

  test('one server at 0.8', () => {
    expect(meanWaitS(queue(1), 0.8)).toBeCloseTo(4, 12);
    expect(responseQuantileS(queue(1), 0.8, 0.95)).toBeCloseTo(14.978661, 6);
  });

  test('four servers at 0.8', () => {
    expect(3.2 * meanWaitS(queue(4), 3.2)).toBeCloseTo(2.38572989, 8);
    expect(responseQuantileS(queue(4), 3.2, 0.95)).toBeCloseTo(4.738019, 6);
    expect(responseQuantileS(queue(4), 3.2, 0.99)).toBeCloseTo(6.893204, 6);
  });

  it('has no response time where more arrives than is served', () => {
    expect(responseQuantileS(queue(2), 2, 0.95)).toBe(Infinity);
    expect(meanWaitS(queue(2), 3)).toBe(Infinity);
  });
});

describe('M/G/c', () => {
  it('waits as Pollaczek and Khinchine say with one server', () => {
    for (const variation of [0, 0.5, 1, 2]) {
      const queue = { servers: 1, meanServiceS: 0.01, variation };
      expect(meanWaitS(queue, 70)).toBeCloseTo((0.7 * 0.01 * (1 + variation ** 2)) / (2 * 0.3), 12);
    }
  });

  it('is the service time alone where nothing waits', () => {
    expect(responseQuantileS({ servers: 4, meanServiceS: 0.02, variation: 0 }, 1, 0.95)).toBeCloseTo(0.02, 12);
    expect(responseQuantileS({ servers: 4, meanServiceS: 0.02, variation: 1 }, 1e-9, 0.95)).toBeCloseTo(
      0.02 * Math.log(20),
      9,
    );
  });

  /** Arrivals and constant service times drawn one by one. */
  test.each([1, 2, 4])('is within 10 percent of a simulated M/D/c with %d servers', (servers) => {
    for (const utilization of [0.5, 0.8, 0.9]) {
      const random = seededRandom(servers);
      const free = new Array<number>(servers).fill(0);
      const responses: number[] = [];
      let now = 0;
      for (let arrival = 0; arrival < 100_000; arrival += 1) {
        now -= Math.log(1 - random()) / (servers * utilization);
        const next = free.indexOf(Math.min(...free));
        const end = Math.max(now, free[next] ?? 0) + 1;
        free[next] = end;
        responses.push(end - now);
      }
      const p95 = responses.toSorted((one, other) => one - other)[95_000] ?? 0;
      const modelled = responseQuantileS({ servers, meanServiceS: 1, variation: 0 }, servers * utilization, 0.95);
      expect(Math.abs(modelled / p95 - 1)).toBeLessThan(0.1);
    }
  });
});

it('rises with the rate and with the variation', () => {
  const at = (ratePerS: number, variation: number) =>
    responseQuantileS({ servers: 3, meanServiceS: 0.01, variation }, ratePerS, 0.95);
  for (const variation of [0, 0.3, 1, 1.5, 3]) {
    const all = [10, 100, 200, 250, 290, 299].map((rate) => at(rate, variation));
    expect(all).toEqual(all.toSorted((one, other) => one - other));
  }
  expect(at(250, 0.5)).toBeLessThan(at(250, 1));
  expect(at(250, 1)).toBeLessThan(at(250, 2));
});
