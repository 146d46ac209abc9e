import { describe, expect, it, test } from 'vitest';
import { exactly, type Prices } from '../core/plan.ts';
import { instanceMonth, monthlyCost, type PricedService, perMillionRequests } from './cost.ts';

const prices: Prices = {
  currency: 'USD',
  date: '2026-11-27',
  source: 'made up',
  cpuHour: null,
  memoryGibHour: null,
  instanceMonth: { api: exactly(100), primary: exactly(450), cache: exactly(200) },
  networkGb: null,
  fixedMonth: { frontend: exactly(100), monitoring: exactly(150) },
};
const api: PricedService = { name: 'api', kind: 'api', instances: 3, cpus: 2, memoryBytes: 2 ** 31, size: 1 };
const database: PricedService = { ...api, name: 'database', kind: 'primary', instances: 1 };
const cache: PricedService = { ...api, name: 'cache', kind: 'cache', instances: 1 };

describe('the cost of a month', () => {
  it('is the 1,200 USD of the document lsf-auth for its three servers', () => {
    const { total, withoutPrice } = monthlyCost([api, database, cache], prices, null);
    expect(total).toEqual(exactly(1200));
    expect(withoutPrice).toEqual([]);
  });

  it('takes the price of a kind as often as an instance is larger', () => {
    expect(monthlyCost([{ ...database, size: 1.5 }], prices, null).items[0]?.month).toEqual(exactly(675));
  });

  it('names what has no price, and leaves it out', () => {
    const balancer = { ...api, name: 'balancer', kind: 'load-balancer' };
    expect(monthlyCost([balancer, database], prices, null)).toMatchObject({
      total: exactly(700),
      withoutPrice: ['balancer'],
    });
  });

  it('is that of CPUs and memory where the kind has no price, and of the bytes of responses', () => {
    const own = {
      ...prices,
      cpuHour: { low: 0.04, high: 0.05 },
      memoryGibHour: exactly(0.01),
      networkGb: exactly(0.1),
    };
    const month = instanceMonth({ ...api, kind: 'pooler' }, own);
    expect(month?.low).toBeCloseTo(730 * (2 * 0.04 + 2 * 0.01), 9);
    expect(month?.high).toBeCloseTo(730 * (2 * 0.05 + 2 * 0.01), 9);
    expect(instanceMonth({ ...api, kind: 'pooler', cpus: null }, own)).toBeNull();
    expect(monthlyCost([], own, 1e12).items.at(-1)).toEqual({ name: 'network', month: exactly(100) });
  });
});

test('a million requests: 730 a month is 1 an hour, at 1,000/s 0.278 a million', () => {
  expect(perMillionRequests(730, 1000)).toBeCloseTo(1 / 3.6, 12);
});
