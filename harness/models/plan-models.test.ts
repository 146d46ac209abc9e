import { describe, expect, it, test } from 'vitest';
import { type AssumptionId, assumptionIds, middle, usualAssumptions } from '../core/plan.ts';
import { planTier, type Requirement, type ServiceCost } from './capacity-plan.ts';
import { meanValueAnalysis } from './mva.ts';
import { activeUsers, loadOf } from './workload.ts';

describe('mean value analysis', () => {
  test('R. Jain, 1991, page 577: 20 users who think for 4 s', () => {
    const visits = [16, 10, 5];
    const stations = [0.125, 0.3, 0.2].map((serviceS, index) => ({
      name: String(index),
      demandS: serviceS * (visits[index] ?? 0),
      servers: 1,
    }));
    const { stations: found } = meanValueAnalysis(stations, 20, 4);
    const perVisit = found.map(({ residenceS }, index) => residenceS / (visits[index] ?? 1));
    expect(perVisit[0]).toBeCloseTo(0.373, 3);
    expect(perVisit[1]).toBeCloseTo(4.854, 3);
    expect(perVisit[2]).toBeCloseTo(0.3, 3);
  });

  it('is within the asymptotic bounds, also with several servers', () => {
    const stations = [
      { name: 'api', demandS: 0.02, servers: 4 },
      { name: 'database', demandS: 0.003, servers: 1 },
    ];
    for (const users of [1, 10, 100, 2000]) {
      const { throughputPerS, responseS, stations: found } = meanValueAnalysis(stations, users, 1);
      expect(throughputPerS).toBeLessThanOrEqual(Math.min(users / 1.023, 200) + 1e-9);
      expect(throughputPerS * (responseS + 1)).toBeCloseTo(users, 6);
      expect(found.reduce((total, { queue }) => total + queue, 0) + throughputPerS).toBeCloseTo(users, 6);
    }
    expect(meanValueAnalysis(stations, 1, 0).responseS).toBeCloseTo(0.023, 12);
  });
});

const middles = Object.fromEntries(assumptionIds.map((id) => [id, middle(usualAssumptions[id])])) as Record<
  AssumptionId,
  number
>;

test('a million users a day: 2,083 requests/s at the peak, from 10,583 users at once', () => {
  const { meanPerS, peakPerS } = loadOf('daily-users', { ...middles, amount: 1e6 }, 0.08);
  expect(meanPerS).toBeCloseTo(694.44, 2);
  expect(peakPerS).toBeCloseTo(2083.33, 2);
  expect(activeUsers(peakPerS, 0.08, 5)).toBeCloseTo(10_583.3, 1);
  expect(loadOf('concurrent-users', { ...middles, amount: 10_583.3 }, 0.08).peakPerS).toBeCloseTo(peakPerS, 1);
  expect(loadOf('monthly-users', { ...middles, amount: 5e6 }, 0.08)).toEqual({ meanPerS, peakPerS });
  expect(loadOf('peak-rate', { ...middles, amount: 300 }, 0.08)).toEqual({ meanPerS: 100, peakPerS: 300 });
});

describe('planTier', () => {
  const api: ServiceCost = {
    name: 'api',
    instances: 2,
    scales: true,
    cpus: 1,
    backgroundCpus: 0,
    cpuS: { low: 0.002, high: 0.0025 },
    mainThreadS: 0.002,
  };
  const database: ServiceCost = {
    name: 'database',
    instances: 1,
    scales: false,
    cpus: 1,
    backgroundCpus: 0,
    cpuS: { low: 0.0004, high: 0.0005 },
    mainThreadS: null,
  };
  const requirement: Requirement = { peakPerS: 1000, growthRatio: 0, headroomRatio: 0.8, failures: 1, largestCpus: 1 };
  const within = { low: 0.9, high: 1 };

  it('takes the larger of headroom and failures, at the worse end of what was measured', () => {
    const { services, carries, next } = planTier([api, database], within, requirement);
    // 0.9/0.0025 = 360/s for each instance: 1000/(360 × 0.8) = 3.5; 1000/360 = 2.8, and one more.
    expect(services[0]).toMatchObject({ instances: 4, atLeast: 3, capacityPerS: { low: 360, high: 500 }, cpus: 4 });
    expect(services[1]).toMatchObject({ instances: 1, carries: true, utilizationRatio: expect.closeTo(0.5556, 3) });
    expect(carries).toBe(true);
    expect(next?.name).toBe('api');
  });

  it('says what a service that does not scale would need', () => {
    const { services, carries, limitPerS } = planTier([api, database], within, { ...requirement, peakPerS: 4000 });
    expect(carries).toBe(false);
    expect(limitPerS).toBeCloseTo(1440, 6);
    expect(services[1]?.needsCpus).toBeCloseTo((4000 * 0.0005) / (0.9 * 0.8), 9);
  });

  it('gives a service that there can be one of the CPUs that it needs, up to the largest instance', () => {
    const larger = planTier([api, database], within, { ...requirement, peakPerS: 4000, largestCpus: 4 });
    // 2.78 CPUs are needed.
    expect(larger.services[1]).toMatchObject({ instances: 1, cpusOfOne: 3, carries: true, needsCpus: null });
    expect(larger.carries).toBe(true);
    expect(larger.services[0]).toMatchObject({ cpusOfOne: 1 });
    const tooLarge = planTier([database], within, { ...requirement, peakPerS: 8000, largestCpus: 4 });
    expect(tooLarge.services[0]).toMatchObject({ cpusOfOne: 4, carries: false, needsCpus: expect.closeTo(5.556, 3) });
  });

  it('does not ask for CPUs that a main thread cannot use', () => {
    const pooler = { ...database, name: 'pooler', mainThreadS: 0.0004 };
    const { services } = planTier([pooler], within, { ...requirement, peakPerS: 4000, largestCpus: 8 });
    expect(services[0]).toMatchObject({ carries: false, needsCpus: null, cpusOfOne: 1 });
  });

  it('carries any load where nothing limits a service', () => {
    const free = { ...database, cpus: null };
    expect(planTier([free], within, requirement)).toMatchObject({ carries: true, limitPerS: Infinity });
  });
});
