import { describe, expect, it } from 'vitest';
import {
  type MadeUpTrial,
  madeUpRun,
  madeUpTarget,
  madeUpTier,
  madeUpTrial,
} from '../../test-support/made-up-trial.ts';
import type { WhyNot } from '../core/findings.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { RunResult } from '../core/run.ts';
import type { Target } from '../core/target.ts';
import { settingInUnit } from '../services/registry.ts';
import { judgeTargets, overallVerdict } from './judge.ts';
import { judgeTrials } from './judge-trial.ts';
import type { JudgedTarget } from './judged-target.ts';

const latencyTarget = madeUpTarget({ value: 0.2, judged: { by: 'measured', metric: 'latency-p95' } });
const errorTarget = madeUpTarget({ value: 0.001, unit: 'ratio', judged: { by: 'measured', metric: 'error-ratio' } });
const throughputTarget = madeUpTarget({
  value: 1000,
  comparison: '>=',
  unit: 'requests/s',
  judged: { by: 'measured', metric: 'throughput' },
});
const concurrencyTarget = madeUpTarget({
  value: 100,
  comparison: '>=',
  unit: 'users',
  judged: { by: 'measured', metric: 'concurrency' },
});
const dataTarget = madeUpTarget({
  value: 1000,
  comparison: '>=',
  unit: 'tasks',
  judged: { by: 'measured', metric: 'data-size' },
});

const busyGenerator = { utilizationRatio: 0.95 };

function judge(result: RunResult): JudgedTarget[] {
  return judgeTargets(result, judgeTrials(result), settingInUnit);
}

function judgeOne(
  target: Target,
  choices: readonly MadeUpTrial[],
  changes?: Parameters<typeof madeUpRun>[2],
): JudgedTarget {
  const trials = choices.map((choice, index) => madeUpTrial({ ...choice, sequence: index + 1 }));
  const [judged] = judge(madeUpRun(trials, [target], changes));
  if (judged === undefined) throw new Error('the target was not judged');
  return judged;
}

const closed = (concurrency: number) => ({ model: 'closed', concurrency }) as const;

const p95At = (load: OfferedLoad) => ({ load, metric: 'latency-p95', step: null }) as const;

function reasonsOf({ verdict }: JudgedTarget): readonly WhyNot[] {
  return verdict.kind === 'inconclusive' ? verdict.reasons : [];
}

describe('a latency target', () => {
  it('is met when every load keeps it', () => {
    const judged = judgeOne(latencyTarget, [
      { concurrency: 1, latencyS: 0.02 },
      { concurrency: 10, latencyS: 0.15 },
    ]);
    expect(judged.verdict).toEqual({ kind: 'met' });
    expect(judged.value?.value).toBeCloseTo(0.15, 3);
    expect(judged.evidence).toEqual({
      code: 'latency',
      metric: 'latency-p95',
      at: [{ load: closed(10), step: null, valueS: expect.closeTo(0.15, 3) }],
      loads: [closed(1), closed(10)],
      metUpTo: [closed(10)],
    });
  });

  it('is missed when a load is beyond it, with the load up to which it was met', () => {
    const judged = judgeOne(latencyTarget, [
      { concurrency: 1, latencyS: 0.02 },
      { concurrency: 10, latencyS: 0.15 },
      { concurrency: 50, latencyS: 0.4 },
      { concurrency: 100, latencyS: 0.9 },
    ]);
    expect(judged.verdict).toEqual({
      kind: 'missed',
      violation: { code: 'latency-above', ...p95At(closed(50)), valueS: expect.closeTo(0.4, 3), steps: [] },
    });
    expect(judged.evidence).toMatchObject({
      code: 'latency',
      at: [{ load: closed(50) }, { load: closed(100), valueS: expect.closeTo(0.9, 3) }],
      metUpTo: [closed(10)],
    });
  });

  it('is undecided when the interval lies on both sides', () => {
    const judged = judgeOne(latencyTarget, [
      { latencyS: (request, second) => (request % 100 < 95 ? 0.19 : 0.21) + second / 1e4 },
    ]);
    expect(reasonsOf(judged)).toEqual([
      {
        code: 'latency-straddles',
        ...p95At(closed(10)),
        lowS: expect.closeTo(0.19, 2),
        highS: expect.closeTo(0.21, 2),
      },
    ]);
  });

  it.each([0.02, 0.9])('is undecided at %d s when the generator was the limit', (latencyS) => {
    const judged = judgeOne(latencyTarget, [{ concurrency: 100, latencyS, generator: busyGenerator }]);
    expect(reasonsOf(judged)[0]).toMatchObject({
      code: 'invalid-trials',
      loads: [closed(100)],
      reason: { code: 'generator-busy', utilizationRatio: 0.95 },
    });
  });

  it('gives the same reason once for all its loads', () => {
    const judged = judgeOne(latencyTarget, [
      { concurrency: 1, generator: { utilizationRatio: 0.9 } },
      { concurrency: 10 },
      { concurrency: 100, generator: { utilizationRatio: 0.97 } },
    ]);
    expect(reasonsOf(judged)).toEqual([
      {
        code: 'invalid-trials',
        loads: [closed(1), closed(100)],
        reason: { code: 'generator-busy', utilizationRatio: 0.97, limitRatio: 0.8 },
      },
    ]);
  });

  it('is missed when so many requests fail that fewer than 95 % are answered', () => {
    const judged = judgeOne(latencyTarget, [{ okPerS: 90, failedPerS: 10 }]);
    expect(judged.verdict).toEqual({
      kind: 'missed',
      violation: { code: 'too-few-answered', ...p95At(closed(10)), errorRatio: 0.1, steps: [] },
    });
  });

  it('is not met when failures and slow answers together leave fewer than 95 % in time', () => {
    // 4 % fail, and 2.5 % of the answers are slow: each alone would leave p95 below the target.
    const slow = (request: number) => (request < 24 ? 0.5 : 0.02);
    expect(judgeOne(latencyTarget, [{ okPerS: 960, latencyS: slow }]).verdict.kind).toBe('met');
    const judged = judgeOne(latencyTarget, [{ okPerS: 960, failedPerS: 40, latencyS: slow }]);
    expect(reasonsOf(judged)).toEqual([
      {
        code: 'latency-with-failures',
        ...p95At(closed(10)),
        failed: 400,
        requests: 10_000,
        valueS: expect.closeTo(0.5, 3),
      },
    ]);
  });

  it('is undecided when more than 5 % failed of too few to tell', () => {
    const judged = judgeOne(latencyTarget, [{ okPerS: 9.3, failedPerS: 0.6 }]);
    expect(reasonsOf(judged)[0]).toMatchObject({
      code: 'latency-with-failures',
      failed: 6,
      requests: 106,
      valueS: null,
    });
  });

  it('is judged at the load it names, and undecided when that was not measured', () => {
    const at50 = { ...latencyTarget, appliesTo: { tiers: [], scenarios: [], concurrency: 50 } };
    const loads = [
      { concurrency: 10, latencyS: 0.9 },
      { concurrency: 60, latencyS: 0.02 },
    ];
    expect(judgeOne(at50, loads).verdict.kind).toBe('met');
    const missing = judgeOne(at50, loads.slice(0, 1));
    expect(reasonsOf(missing)).toEqual([{ code: 'no-load-as-high', model: 'closed', level: 50 }]);
  });

  it('is not met by a run that ended before the highest load', () => {
    const judged = judgeOne(latencyTarget, [{ concurrency: 1 }], {
      tier: { planned: [1, 100].map((concurrency) => ({ scenario: 'crud', load: { model: 'closed', concurrency } })) },
    });
    expect(reasonsOf(judged)).toEqual([{ code: 'planned-load-not-measured', load: closed(100) }]);
  });

  it('does not look at warm-up', () => {
    const judged = judgeOne(latencyTarget, [{ purpose: 'warm-up', latencyS: 3 }, { latencyS: 0.02 }]);
    expect(judged.verdict.kind).toBe('met');
  });
});

describe('an error target', () => {
  it('is met by all loads together when each alone has too few requests', () => {
    const judged = judgeOne(errorTarget, [
      { concurrency: 1, okPerS: 200 },
      { concurrency: 10, okPerS: 200 },
    ]);
    expect(judged.verdict).toEqual({ kind: 'met' });
    expect(judged.evidence).toEqual({ code: 'failures', failed: 0, requests: 4000, loads: [closed(1), closed(10)] });
  });

  it('is undecided when there are too few requests', () => {
    const judged = judgeOne(errorTarget, [{ okPerS: 100 }]);
    expect(reasonsOf(judged)).toEqual([
      { code: 'error-ratio-straddles', failed: 0, requests: 1000, highRatio: expect.closeTo(0.00368, 5) },
    ]);
  });

  it('is missed when one load fails, however well the others do', () => {
    const judged = judgeOne(errorTarget, [
      { concurrency: 1, okPerS: 5000 },
      { concurrency: 10, okPerS: 95, failedPerS: 5 },
    ]);
    expect(judged.verdict).toEqual({
      kind: 'missed',
      violation: {
        code: 'failures-above',
        scenario: 'crud',
        load: closed(10),
        failed: 50,
        requests: 1000,
        limitRatio: 0.001,
      },
    });
  });

  it('is about the requests of all scenarios together, and missed by the failures of one', () => {
    const login = { scenario: 'login', okPerS: 20 };
    const crud = { scenario: 'crud', okPerS: 1000 };
    expect(judgeOne(errorTarget, [login]).verdict.kind).toBe('inconclusive');
    const judged = judgeOne(errorTarget, [login, crud]);
    expect(judged.verdict).toEqual({ kind: 'met' });
    expect(judged.scenario).toBeNull();
    expect(judged.evidence).toMatchObject({ failed: 0, requests: 10_200 });
    expect(judgeOne(errorTarget, [{ ...login, failedPerS: 2 }, crud]).verdict).toMatchObject({
      kind: 'missed',
      violation: { code: 'failures-above', scenario: 'login', failed: 20, requests: 220 },
    });
    const notReached = judgeOne(errorTarget, [crud], { question: { scenarios: ['crud', 'login'] } });
    expect(reasonsOf(notReached)).toEqual([{ code: 'no-trial-of-scenario', scenario: 'login' }]);
  });

  it('counts what was scheduled and never sent', () => {
    expect(judgeOne(errorTarget, [{ okPerS: 95, droppedPerS: 5 }]).verdict.kind).toBe('missed');
  });
});

describe('a throughput target', () => {
  it('is met by the best load', () => {
    const judged = judgeOne(throughputTarget, [
      { concurrency: 1, okPerS: 300 },
      { concurrency: 10, okPerS: 1200 },
      { concurrency: 100, okPerS: 900 },
    ]);
    expect(judged.verdict).toEqual({ kind: 'met' });
    expect(judged.evidence).toEqual({
      code: 'throughput',
      load: closed(10),
      throughputPerS: 1200,
      loads: [closed(1), closed(10), closed(100)],
    });
  });

  it('is missed when more load brings no more', () => {
    const judged = judgeOne(throughputTarget, [
      { concurrency: 1, okPerS: 300 },
      { concurrency: 10, okPerS: 600 },
      { concurrency: 100, okPerS: 610, latencyS: 0.164 },
    ]);
    expect(judged.verdict).toEqual({
      kind: 'missed',
      violation: { code: 'throughput-below', load: closed(100), throughputPerS: 610 },
    });
  });

  it('is undecided when the interval of the best load lies on both sides', () => {
    const judged = judgeOne(throughputTarget, [
      { concurrency: 1, okPerS: 300 },
      { concurrency: 10, okPerS: (second) => (second % 2 === 0 ? 960 : 1050) },
    ]);
    expect(judged.value?.value).toBe(1005);
    const [reason] = reasonsOf(judged);
    if (reason?.code !== 'throughput-straddles') throw new Error(reason?.code);
    expect(reason.load).toEqual(closed(10));
    expect(reason.lowPerS).toBeLessThan(1000);
    expect(reason.lowPerS).toBeGreaterThan(960);
    expect(reason.highPerS).toBeGreaterThan(1000);
    expect(reason.highPerS).toBeLessThan(1050);
  });

  it('is undecided while the throughput still rises', () => {
    const judged = judgeOne(throughputTarget, [
      { concurrency: 1, okPerS: 300 },
      { concurrency: 10, okPerS: 600 },
    ]);
    expect(reasonsOf(judged)).toEqual([{ code: 'throughput-still-rising', load: closed(10) }]);
  });

  it('is undecided when the generator was the limit where it was best', () => {
    const judged = judgeOne(throughputTarget, [
      { concurrency: 1, okPerS: 600 },
      { concurrency: 10, okPerS: 600 },
      { concurrency: 100, okPerS: 950, generator: busyGenerator },
    ]);
    expect(reasonsOf(judged)[0]).toMatchObject({ loads: [closed(100)], reason: { code: 'generator-busy' } });
  });

  it('is undecided when an invalid trial looked better, whatever made it invalid', () => {
    const judged = judgeOne(throughputTarget, [
      { concurrency: 1, okPerS: 600 },
      { concurrency: 10, okPerS: 600 },
      { concurrency: 100, okPerS: 950, stopped: true },
    ]);
    expect(reasonsOf(judged)[0]).toMatchObject({
      loads: [closed(100)],
      reason: { code: 'stopped', measuredS: 10 },
    });
  });

  it('is not judged by users who pause so long that they offer less, however fast the answers are', () => {
    // 100 users, 100 requests/s: each takes 1 s, of which 20 ms are the answer.
    const pausing = { concurrency: 100, okPerS: 100, latencyS: 0.02 };
    const judged = judgeOne(throughputTarget, [{ ...pausing, concurrency: 10, okPerS: 10 }, pausing]);
    expect(judged.verdict).toEqual({
      kind: 'not-judged',
      why: { code: 'offers-less', load: closed(100), mostPerS: expect.closeTo(102, 0) },
    });
    const judge100 = { ...throughputTarget, value: 100 };
    expect(judgeOne(judge100, [{ ...pausing, okPerS: 120 }]).verdict.kind).toBe('met');
    // Users who wait are not users who pause, and of those who failed nobody knows how long they waited.
    expect(judgeOne(throughputTarget, [{ ...pausing, latencyS: 1 }]).verdict.kind).toBe('inconclusive');
    expect(judgeOne(throughputTarget, [{ ...pausing, failedPerS: 10 }]).verdict.kind).toBe('inconclusive');
  });

  it('of a range is met from its lower end on', () => {
    const range: Target = { ...throughputTarget, comparison: 'between', value: [500, 1000] };
    expect(judgeOne(range, [{ okPerS: 600 }]).verdict.kind).toBe('met');
    expect(judgeOne(range, [{ okPerS: 2000 }]).verdict.kind).toBe('met');
  });
});

describe('a concurrency target', () => {
  it('is met when that many are served without failures, however slowly', () => {
    const judged = judgeOne(concurrencyTarget, [{ concurrency: 100, okPerS: 32, latencyS: 3 }]);
    expect(judged.verdict).toEqual({ kind: 'met' });
    expect(judged.value).toEqual({ value: 100, low: 100, high: 100 });
    expect(judged.evidence).toEqual({ code: 'failures', failed: 0, requests: 320, loads: [closed(100)] });
  });

  it('is undecided while fewer requests are answered than there are users', () => {
    const judged = judgeOne(concurrencyTarget, [{ concurrency: 100, okPerS: 9, latencyS: 3 }]);
    expect(reasonsOf(judged)).toEqual([{ code: 'users-not-answered', load: closed(100), answered: 90 }]);
  });

  it('is missed when they fail, and undecided when so few were measured', () => {
    expect(judgeOne(concurrencyTarget, [{ concurrency: 100, okPerS: 90, failedPerS: 10 }]).verdict.kind).toBe('missed');
    expect(reasonsOf(judgeOne(concurrencyTarget, [{ concurrency: 50 }]))).toEqual([
      { code: 'no-load-as-high', model: 'closed', level: 100 },
    ]);
  });
});

describe('a data target', () => {
  it('is met by data that was measured with', () => {
    const judged = judgeOne(dataTarget, [{}]);
    expect(judged.verdict).toEqual({ kind: 'met' });
    expect(judged.value?.value).toBe(5000);
  });

  it('is undecided when there is less, or when nothing valid was measured', () => {
    const less = { tier: { data: { values: {}, amounts: { users: 10, tasks: 90 } } } };
    expect(reasonsOf(judgeOne(dataTarget, [{}], less))).toEqual([
      { code: 'too-little-data', unit: 'tasks', amount: 90 },
    ]);
    expect(judgeOne(dataTarget, [{ stopped: true }]).verdict.kind).toBe('inconclusive');
    expect(judgeOne(dataTarget, [{}], { tier: { data: null } }).verdict.kind).toBe('not-judged');
  });
});

describe('a setting', () => {
  const setting = (option: string, changes: Partial<Target> & Pick<Target, 'value'>) =>
    judgeOne(madeUpTarget({ comparison: '=', judged: { by: 'setting', option }, ...changes }), [{}]);

  it('is compared with what the tier sets', () => {
    expect(setting('DATABASE_POOL_MAX', { value: 10, unit: 'connections' }).verdict.kind).toBe('met');
    expect(setting('DATABASE_STATEMENT_TIMEOUT_MS', { value: 30, unit: 's' }).verdict.kind).toBe('met');
    expect(setting('api.cpus', { value: [0.5, 1], comparison: 'between', unit: 'cpus' }).verdict.kind).toBe('met');
    expect(setting('DATABASE_POOL_MAX', { value: 20, unit: 'connections' }).verdict).toEqual({
      kind: 'missed',
      violation: {
        code: 'setting-differs',
        option: 'DATABASE_POOL_MAX',
        value: 10,
        unit: 'connections',
        tier: 'single',
      },
    });
  });

  it('that no tier can follow beside another one is shown and not counted where the tier follows the other', () => {
    const about = (id: string, value: number, contradicted: readonly string[], option = 'api.cpus') =>
      madeUpTarget({
        id,
        value,
        comparison: '=',
        unit: 'cpus',
        judged: { by: 'setting', option },
        contradictions: contradicted.map((target) => ({ target, note: '' })),
      });
    const verdicts = (...targets: Target[]) => judge(madeUpRun([], targets)).map(({ verdict }) => verdict);
    const miss = { kind: 'missed', violation: { code: 'setting-differs', value: 0.5 } };
    const met = { kind: 'met' };
    const follows = { kind: 'not-judged', why: { code: 'follows-other', target: 'half', document: 'none' } };
    // Either of the two may name the other.
    expect(verdicts(about('one', 1, ['half']), about('half', 0.5, []))).toEqual([follows, met]);
    expect(verdicts(about('half', 0.5, ['one']), about('one', 1, []))).toEqual([met, follows]);
    expect(verdicts(about('one', 1, []), about('half', 0.5, []))).toMatchObject([miss, met]);
    expect(verdicts(about('one', 1, ['two']), about('two', 2, []))).toMatchObject([miss, miss]);
    expect(verdicts(about('one', 1, ['max']), about('max', 10, [], 'DATABASE_POOL_MAX'))).toMatchObject([miss, met]);
    const [shown] = judge(madeUpRun([], [about('one', 1, ['half']), about('half', 0.5, [])]));
    expect(shown?.value?.value).toBe(0.5);
  });

  it('is not judged where the tier turns off what it is about', () => {
    const limited = { unit: 'requests', comparison: '=', value: 100 } as const;
    const judged = { by: 'setting', option: 'RATE_LIMIT_GENERAL', unlessOff: 'RATE_LIMIT' } as const;
    const [api, ...others] = madeUpTier.services;
    if (api === undefined) throw new Error('the tier has an API');
    const withLimits = (settings: Record<string, string>) => ({
      tier: { tier: { ...madeUpTier, services: [{ ...api, settings }, ...others] } },
    });
    const target = madeUpTarget({ ...limited, judged });
    const at = (settings: Record<string, string>) => judgeOne(target, [{}], withLimits(settings)).verdict;
    expect(at({ RATE_LIMIT: 'off', RATE_LIMIT_GENERAL: '100/15m' })).toEqual({
      kind: 'not-judged',
      why: { code: 'switched-off', option: 'RATE_LIMIT' },
    });
    expect(at({ RATE_LIMIT: 'on', RATE_LIMIT_GENERAL: '100/15m' }).kind).toBe('met');
    expect(at({ RATE_LIMIT_GENERAL: '50/15m' }).kind).toBe('missed');
  });

  it('of a service that the target asks a tier for by name is missed without one', () => {
    const target = madeUpTarget({
      comparison: '>=',
      value: 1,
      unit: 'replicas',
      judged: { by: 'setting', option: 'replica.instances' },
    });
    const named = { ...target, appliesTo: { tiers: ['single'], scenarios: [] } };
    expect(judgeOne(named, [{}]).verdict).toMatchObject({ kind: 'missed', violation: { value: 0 } });
    expect(judgeOne(target, [{}]).verdict.kind).toBe('not-judged');
  });

  it('is not judged where the tier does not set it or has no such service', () => {
    expect(setting('CACHE_TTL_ME_S', { value: 900 }).verdict.kind).toBe('not-judged');
    expect(setting('pooler.cpus', { value: 1 }).verdict).toEqual({
      kind: 'not-judged',
      why: { code: 'no-such-service', kind: 'pooler' },
    });
  });
});

describe('targets that a run cannot judge', () => {
  it('say why', () => {
    const model = judgeOne(madeUpTarget({ value: 1, judged: { by: 'model', model: 'cost' } }), [{}]);
    expect(model.verdict).toEqual({
      kind: 'not-judged',
      why: { code: 'model-only', model: 'cost' },
    });
    const notYet = judgeOne(madeUpTarget({ value: 1, judged: { by: 'not-yet', why: 'No browser is measured.' } }), [
      {},
    ]);
    expect(notYet.verdict).toEqual({
      kind: 'not-judged',
      why: { code: 'not-yet', detail: 'No browser is measured.' },
    });
    const elsewhere = judgeOne({ ...latencyTarget, appliesTo: { tiers: [], scenarios: ['browse'] } }, [{}]);
    expect(elsewhere.verdict).toEqual({
      kind: 'not-judged',
      why: { code: 'other-scenarios', scenarios: ['browse'] },
    });
  });

  it('are undecided when the tier was not run or nothing was measured, and left out when they are about other tiers', () => {
    const notRun = judgeOne(latencyTarget, [{}], { tier: { notRun: [{ code: 'no-container-engine' }] } });
    expect(reasonsOf(notRun)).toEqual([{ code: 'tier-not-run', obstacles: [{ code: 'no-container-engine' }] }]);
    const early = judgeOne(latencyTarget, [], { question: { scenarios: ['crud'] } });
    expect(reasonsOf(early)).toEqual([{ code: 'no-trial-of-scenario', scenario: 'crud' }]);
    const other = { ...latencyTarget, appliesTo: { tiers: ['cached'], scenarios: [] } };
    expect(judge(madeUpRun([madeUpTrial()], [other]))).toEqual([]);
    expect(madeUpTier.name).toBe('single');
  });
});

describe('the overall verdict', () => {
  it('is the worst of what was judged', () => {
    const met = judgeOne(latencyTarget, [{}]);
    const missed = judgeOne(latencyTarget, [{ latencyS: 1 }]);
    const open = judgeOne(latencyTarget, [{ stopped: true }]);
    const notJudged = judgeOne(madeUpTarget({ value: 1, judged: { by: 'not-yet', why: 'x' } }), [{}]);
    expect(overallVerdict([met, notJudged])).toBe('met');
    expect(overallVerdict([met, open])).toBe('inconclusive');
    expect(overallVerdict([met, open, missed])).toBe('missed');
    expect(overallVerdict([notJudged])).toBe('inconclusive');
  });
});
