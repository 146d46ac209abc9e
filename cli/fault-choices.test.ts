import { expect, it } from 'vitest';
import { TierbenchError } from '../harness/core/errors.ts';
import type { FaultChoice } from '../harness/core/run.ts';
import { readTier } from '../harness/files/tier-file.ts';
import { checkFaultServices } from './fault-choices.ts';

const tiers = await Promise.all(['single', 'cached'].map((name) => readTier(name)));

function problemsOf(faults: readonly FaultChoice[]): string[] {
  try {
    checkFaultServices(faults, tiers);
  } catch (error) {
    if (error instanceof TierbenchError)
      return error.problems.map(({ what, nextStep }) => `${what}; ${nextStep ?? ''}`);
    throw error;
  }
  return [];
}

it('takes a service that one of the tiers has, an instance of it, and all of them', () => {
  const services = ['cache', 'api', 'api/2', 'replica', 'database/1', null];
  expect(problemsOf(services.map((service) => ({ kind: 'kill', service })))).toEqual([]);
});

it('names every service and instance that none of them has', () => {
  const problems = problemsOf(
    ['cach', 'api/9', 'api/0', 'cache'].map((service): FaultChoice => ({ kind: 'pause', service })),
  );
  expect(problems).toHaveLength(3);
  expect(problems[0]).toContain("there is no service 'cach' in single, cached");
  expect(problems[0]).toContain("Did you mean 'cache'?");
  expect(problems[1]).toContain("'api' has no instance 'api/9'");
});
