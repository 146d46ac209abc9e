import { expect, it } from 'vitest';
import { type MadeUpTrial, madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { Target } from '../core/target.ts';
import { judgeP95At, judgeThroughputAt } from './judge-at-load.ts';
import { judgeTrials } from './judge-trial.ts';

const latency = madeUpTarget({ value: 0.2, judged: { by: 'measured', metric: 'latency-p95' } });
const throughput = madeUpTarget({
  value: 100,
  comparison: '>=',
  unit: 'requests/s',
  judged: { by: 'measured', metric: 'throughput' },
});

function kindsAt(judge: typeof judgeP95At, targets: readonly Target[], choice: MadeUpTrial): readonly string[] {
  const run = madeUpRun([madeUpTrial(choice)], targets);
  return judgeTrials(run).flatMap((trial) => judge(run, trial).map(({ kind }) => kind));
}

it.each<[MadeUpTrial, string]>([
  [{ latencyS: 0.1 }, 'met'],
  [{ latencyS: 0.3 }, 'missed'],
  [{ latencyS: (request) => (request < 94 ? 0.1 : request < 96 ? 0.199 : 0.3) }, 'inconclusive'],
  [{ latencyS: 0.1, generator: { utilizationRatio: 0.95 } }, 'inconclusive'],
])('p95 of one load is judged by that load alone: %o is %s', (choice, kind) => {
  expect(kindsAt(judgeP95At, [latency, throughput], choice)).toEqual([kind]);
});

it.each<[MadeUpTrial, string]>([
  [{ okPerS: 120 }, 'met'],
  [{ okPerS: 80 }, 'not-reached'],
  [{ okPerS: (second) => (second % 2 === 0 ? 90 : 112) }, 'inconclusive'],
  [{ okPerS: 80, stopped: true }, 'inconclusive'],
])('a load reaches a throughput or does not, but does not miss it: %o is %s', (choice, kind) => {
  expect(kindsAt(judgeThroughputAt, [latency, throughput], choice)).toEqual([kind]);
});

it('a target that names a load, tier or scenario is about that one alone', () => {
  const elsewhere = [{ concurrency: 50 }, { arrivalRatePerS: 10 }].map((load) => ({
    ...latency,
    appliesTo: { tiers: [], scenarios: [], ...load },
  }));
  const others = [
    { ...latency, appliesTo: { tiers: ['cached'], scenarios: [] } },
    { ...latency, appliesTo: { tiers: [], scenarios: ['login'] } },
  ];
  expect(kindsAt(judgeP95At, [...elsewhere, ...others], { concurrency: 10 })).toEqual([]);
  expect(kindsAt(judgeP95At, elsewhere, { concurrency: 50 })).toEqual(['met']);
});
