import { expect, it } from 'vitest';
import { type MadeUpTrial, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { MetricId } from '../core/metrics.ts';
import type { ProbeSample } from '../core/trial.ts';
import { demandsOf, demandsOfSteps, expectedRates } from './demands.ts';
import { judgeTrial } from './judge-trial.ts';

const context = {
  services: [
    { name: 'api', instances: 2, cpus: 1, resources: ['cpu-cores', 'main-thread'] },
    { name: 'database', instances: 1, resources: ['cpu-cores'] },
    { name: 'replica', instances: 1, resources: ['cpu-cores', 'replica-lag'] },
  ] as const,
  systemCpus: 2,
};

/** Each request takes 4 ms of the API and 1 ms of the database, which uses 0.05 CPUs by itself. */
function trialAt(ratePerS: number, more: MadeUpTrial = {}) {
  const reading = (source: string, metric: MetricId, value: number): ProbeSample[] =>
    [1, 2, 3, 4, 5].map((atS) => ({ atS, source, metric, value }));
  const samples = [
    ...reading('api/1', 'cpu-cores', 0.002 * ratePerS),
    ...reading('api/2', 'cpu-cores', 0.002 * ratePerS),
    ...reading('api/1', 'main-thread', 0.0018 * ratePerS),
    ...reading('api/2', 'main-thread', 0.0018 * ratePerS),
    ...reading('database/1', 'cpu-cores', 0.05 + 0.001 * ratePerS),
    ...reading('database/1', 'main-thread', 0.9),
    ...reading('database/1', 'commits', 3 * ratePerS),
    ...reading('database/1', 'rows-read', 3 * ratePerS),
    ...reading('replica/1', 'rows-read', ratePerS),
    ...reading('api/1', 'pool-in-use', 4),
    ...reading('api/2', 'pool-in-use', 6),
    ...reading('api/1', 'cache-hits', 0.75 * ratePerS),
    ...reading('api/1', 'cache-misses', 0.25 * ratePerS),
  ];
  return judgeTrial(madeUpTrial({ okPerS: ratePerS, measuredS: 6, samples, ...more }));
}

it('takes the CPU of a request from each service, what it uses by itself apart, and what else a request costs', () => {
  const demands = demandsOf(
    [50, 100, 200, 220, 240].map((ratePerS) => trialAt(ratePerS)),
    context,
  );
  expect(demands?.takenAtPerS).toEqual([200, 240]);
  expect(demands?.services).toMatchObject([
    { service: 'api', cpuS: expect.closeTo(0.004, 6) },
    { service: 'database', cpuS: expect.closeTo(0.001, 6), backgroundCpus: expect.closeTo(0.05, 6) },
  ]);
  expect(demands?.services[0]?.interval?.lowS).toBeCloseTo(0.004, 6);
  expect(demands?.amounts).toContainEqual({ service: 'database', metric: 'commits', perRequest: expect.closeTo(3, 6) });
  expect(demands?.connections).toEqual([{ service: 'api', metric: 'pool-in-use', mean: 10 }]);
  expect(demands?.rowsReadAtReplicasRatio).toBeCloseTo(0.25, 6);
  expect(demands?.hitRatios).toEqual([{ service: 'api', metric: 'cache-hits', ratio: expect.closeTo(0.75, 6) }]);
});

it('expects as much as the first resource lets through: of the tier file, and of the machine that all share', () => {
  const demands = demandsOf(
    [50, 100, 200, 220, 240].map((ratePerS) => trialAt(ratePerS)),
    context,
  );
  // 2 CPUs of 4 ms; a main thread of each instance, 3.6 ms of two; of the machine 5 ms and 1.95 CPUs.
  expect(demands?.expected.atTierSizes).toMatchObject([{ station: 'api', atMostPerS: expect.closeTo(500, 3) }]);
  expect(demands?.expected.here[0]).toMatchObject({ station: 'machine', atMostPerS: expect.closeTo(390, 3) });
  // With four instances of 4 CPUs the main threads, 3.6 ms of each, are used up first.
  const api = { ...context.services[0], cpus: 4, instances: 4 };
  expect(expectedRates(demands?.services ?? [], { services: [api], systemCpus: null })).toEqual([
    { station: 'api', atMostPerS: expect.closeTo(4 / 0.0036, 1) },
  ]);
});

it('takes nothing from trials in which others used the CPU or requests failed', () => {
  expect(demandsOf([trialAt(100, { failedPerS: 20 }), trialAt(100, { stopped: true })], context)).toBeNull();
  expect(demandsOf([judgeTrial(madeUpTrial())], context)).toBeNull();
});

it('tells the CPU of a step where another scenario has it in another proportion', () => {
  const own = (ratePerS: number, cpuS: number, steps: readonly string[]) => {
    const samples = [1, 2, 3, 4, 5].flatMap((atS): ProbeSample[] => [
      { atS, source: 'api/1', metric: 'cpu-cores', value: ratePerS * cpuS },
    ]);
    return judgeTrial(madeUpTrial({ okPerS: ratePerS, measuredS: 6, samples, steps }));
  };
  const login = [10, 11, 12].map((ratePerS) => own(ratePerS, 0.06, ['log in']));
  const crud = [100, 110, 120].map((ratePerS) => own(ratePerS, 0.002, ['create', 'read']));
  const scenarios = [login, crud].map((trials) => ({ trials, demands: demandsOf(trials, context) }));
  expect(demandsOfSteps(scenarios)).toMatchObject([
    { service: 'api', steps: ['log in'], cpuS: { value: expect.closeTo(0.06, 6) } },
    { service: 'api', steps: ['create', 'read'], cpuS: { value: expect.closeTo(0.002, 6) } },
  ]);
  expect(demandsOfSteps(scenarios.slice(1))).toEqual([]);
});
