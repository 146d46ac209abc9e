import { expect, it } from 'vitest';
import { judgeTargets, overallVerdict } from '../harness/judging/judge.ts';
import { judgeTrials } from '../harness/judging/judge-trial.ts';
import { settingInUnit } from '../harness/services/registry.ts';
import type { SimulatedSystem } from '../test-support/simulated-engine.ts';
import { simulatedRun } from '../test-support/simulated-run.ts';
import { exitCodes } from './output/streams.ts';
import { readInputs } from './read-inputs.ts';
import { readRunOptions, type TypedRunOptions } from './run-options.ts';

/** Password hashes of 50 ms on 16 CPUs; requests of 4 ms on 8. */
const fast = {
  login: { servers: 16, serviceTimeS: 0.05, distribution: 'deterministic', steps: ['log in'] },
  crud: {
    servers: 8,
    serviceTimeS: 0.004,
    distribution: 'deterministic',
    steps: ['create task', 'read task', 'list tasks', 'update task', 'read updated', 'delete task', 'read deleted'],
  },
  mixed: {
    servers: 8,
    serviceTimeS: 0.004,
    distribution: 'deterministic',
    steps: ['me', 'list tasks', 'filter tasks', 'read task', 'stats', 'log in'],
  },
} as const satisfies Readonly<Record<string, SimulatedSystem>>;

const slow = {
  login: { ...fast.login, serviceTimeS: 10 * fast.login.serviceTimeS },
  crud: { ...fast.crud, serviceTimeS: 10 * fast.crud.serviceTimeS },
  mixed: { ...fast.mixed, serviceTimeS: 10 * fast.mixed.serviceTimeS },
};

/** `tierbench run --quick` where these systems answer in place of the tiers; verdicts of what is measured, by their targets. */
async function quickRun(systems: Readonly<Record<string, SimulatedSystem>>, typed: TypedRunOptions = {}) {
  const { question, data, ...options } = readRunOptions({ quick: true, ...typed });
  const { tiers, targets } = await readInputs({ question, data, ...options });
  const { record, outcome } = await simulatedRun({ tiers, targets, question, data, systems });
  expect(outcome).not.toBeInstanceOf(Error);
  expect(record.status.state).toBe('finished');
  const judged = judgeTargets(record, judgeTrials(record), settingInUnit);
  const measured = judged.filter(({ target }) => target.judged.by === 'measured');
  const kinds = Object.fromEntries(
    [...Map.groupBy(measured, ({ target, scenario }) => `${target.id} ${scenario ?? 'all'}`)].map(([name, same]) => [
      name,
      [...new Set(same.map(({ verdict }) => verdict.kind))].join(),
    ]),
  );
  return { exitCode: exitCodes[overallVerdict(judged)], kinds, tiers: tiers.length };
}

it('is 0 where the built-in tiers are fast enough for every target', { timeout: 60_000 }, async () => {
  expect(await quickRun(fast)).toEqual({
    exitCode: 0,
    tiers: 4,
    kinds: {
      'authflow-local-throughput crud': 'met',
      'authflow-local-throughput mixed': 'met',
      'lsf-auth-logins-at-once login': 'met',
      'lsf-auth-tasks all': 'met',
      'lsf-auth-throughput crud': 'met',
      'lsf-auth-throughput mixed': 'met',
      // Of scenarios that a quick run leaves out.
      'scalability-strategy-concurrent-users all': 'not-judged',
      'scalability-strategy-error-ratio all': 'met',
      'scalability-strategy-latency-p95 crud': 'met',
      'scalability-strategy-latency-p95 login': 'met',
      'scalability-strategy-latency-p95 mixed': 'met',
    },
  });
});

it('is 2 where they are 10 times slower', { timeout: 60_000 }, async () => {
  expect(await quickRun(slow)).toMatchObject({
    exitCode: 2,
    tiers: 4,
    kinds: {
      'authflow-local-throughput crud': 'missed',
      'lsf-auth-logins-at-once login': 'met',
      'lsf-auth-throughput crud': 'missed',
      'scalability-strategy-latency-p95 crud': 'met',
      'scalability-strategy-latency-p95 login': 'missed',
    },
  });
});

it('is 3 where trials are too short for enough samples', { timeout: 60_000 }, async () => {
  expect(await quickRun(fast, { rate: '50', duration: '2' })).toMatchObject({
    exitCode: 3,
    tiers: 4,
    kinds: {
      'authflow-local-throughput crud': 'inconclusive',
      'lsf-auth-tasks all': 'inconclusive',
      'scalability-strategy-error-ratio all': 'inconclusive',
      'scalability-strategy-latency-p95 crud': 'inconclusive',
    },
  });
});

it('follows from targets of the command line alone', { timeout: 60_000 }, async () => {
  const typed = { tier: 'single', p95: '200ms', errors: '0.1%' };
  expect(await quickRun(fast, typed)).toEqual({
    exitCode: 0,
    tiers: 1,
    kinds: { 'p95 login': 'met', 'p95 crud': 'met', 'p95 mixed': 'met', 'errors all': 'met' },
  });
  expect(await quickRun(slow, typed)).toMatchObject({
    exitCode: 2,
    kinds: { 'p95 login': 'missed', 'p95 crud': 'met' },
  });
});

it('follows from the lowest load of an engine without arrival rates, where nobody asks for others', async () => {
  const typed = { tier: 'single', engine: 'autocannon', p95: '200ms' };
  expect(await quickRun(fast, typed)).toMatchObject({ exitCode: 0 });
  expect(await quickRun(fast, { ...typed, concurrency: '1,10,100' })).toMatchObject({ exitCode: 2 });
});
