import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { LatencyMetric, Target } from '../core/target.ts';
import { settingInUnit } from '../services/registry.ts';
import { judgeTargets } from './judge.ts';
import { judgeTrials } from './judge-trial.ts';
import type { JudgedTarget } from './judged-target.ts';

const eachStep = madeUpTarget({ value: 0.2, judged: { by: 'measured', metric: 'latency-p95', each: 'step' } });
const together = madeUpTarget({ value: 0.2, judged: { by: 'measured', metric: 'latency-p95' } });
const about = (steps: readonly string[]): Target => ({ ...together, appliesTo: { tiers: [], scenarios: [], steps } });
const sevenSteps = ['create', 'read', 'list', 'update', 'stats', 'me', 'delete'];
const closed = (concurrency: number) => ({ model: 'closed', concurrency }) as const;
const open = (arrivalRatePerS: number) => ({ model: 'open', arrivalRatePerS, arrivals: 'poisson' }) as const;

function judgeOne(
  target: Target,
  choices: readonly MadeUpTrial[],
  question: NonNullable<Parameters<typeof madeUpRun>[2]>['question'] = {},
  others: readonly Target[] = [],
): JudgedTarget {
  const trials = choices.map((choice, index) => madeUpTrial({ ...choice, sequence: index + 1 }));
  const run = madeUpRun(trials, [target, ...others], { question });
  const [judged] = judgeTargets(run, judgeTrials(run), settingInUnit);
  if (judged === undefined) throw new Error('the target was not judged');
  return judged;
}

/** 30 % of the requests of one of seven steps are slow: 4 % of all. */
const oneSlow: MadeUpTrial = {
  okPerS: 700,
  steps: sevenSteps,
  latencyS: (request) => (request % 7 === 3 && request % 10 < 3 ? 0.5 : 0.02),
};

describe('a latency target about every step', () => {
  it('is missed by one slow step that all requests together hide', () => {
    expect(judgeOne(together, [oneSlow]).verdict.kind).toBe('met');
    const judged = judgeOne(eachStep, [oneSlow]);
    expect(judged.verdict).toEqual({
      kind: 'missed',
      violation: {
        code: 'latency-above',
        load: closed(10),
        metric: 'latency-p95',
        step: 'update',
        valueS: expect.closeTo(0.5, 2),
        steps: ['update'],
      },
    });
    expect(judged.value?.value).toBeCloseTo(0.5, 2);
    expect(judged.evidence).toMatchObject({ code: 'latency', at: [{ load: closed(10), step: 'update' }], metUpTo: [] });
  });

  it('is met when each keeps it, and names the slowest', () => {
    const judged = judgeOne(eachStep, [{ ...oneSlow, latencyS: (request) => (request % 7 === 5 ? 0.1 : 0.02) }]);
    expect(judged.verdict).toEqual({ kind: 'met' });
    expect(judged.evidence).toMatchObject({ at: [{ step: 'me', valueS: expect.closeTo(0.1, 3) }] });
  });

  it('is judged by the steps it names alone', () => {
    expect(judgeOne(about(['read', 'list']), [oneSlow]).verdict.kind).toBe('met');
    expect(judgeOne(about(['read', 'update']), [oneSlow]).verdict.kind).toBe('missed');
    expect(judgeOne(about(['log in']), [oneSlow]).verdict).toEqual({
      kind: 'not-judged',
      why: { code: 'other-steps', steps: ['log in'] },
    });
  });

  it('is undecided where a step has too few samples', () => {
    const judged = judgeOne(eachStep, [{ okPerS: 49, steps: sevenSteps }]);
    expect(judged.verdict).toMatchObject({
      kind: 'inconclusive',
      reasons: sevenSteps.map((step) => ({ code: 'too-few-for-percentile', step, succeeded: 70, needed: 72 })),
    });
  });

  it('is missed by a step whose requests fail, and names it', () => {
    // All that fails is counted to the first step.
    const judged = judgeOne(eachStep, [{ okPerS: 700, failedPerS: 20, steps: sevenSteps }]);
    expect(judged.verdict).toMatchObject({
      kind: 'missed',
      violation: { code: 'too-few-answered', step: 'create', errorRatio: 20 / 120 },
    });
    expect(judgeOne(together, [{ okPerS: 700, failedPerS: 20, steps: sevenSteps }]).verdict.kind).toBe('met');
  });

  it('is not missed by what is chance among several steps, though it would be of one', () => {
    // 100 requests of each in 10 s, so many of them slow where 5 are allowed.
    const slow = (count: number): MadeUpTrial => ({
      okPerS: 70,
      steps: sevenSteps,
      latencyS: (request, second) =>
        request % 7 === 3 && (request - 3) / 7 < Math.floor(count / 10) + (second < count % 10 ? 1 : 0) ? 0.5 : 0.02,
    });
    const kinds = (count: number) => [
      judgeOne(about(['update']), [slow(count)]).verdict.kind,
      judgeOne(eachStep, [slow(count)]).verdict.kind,
    ];
    expect(kinds(0)).toEqual(['met', 'met']);
    expect(kinds(13)).toEqual(['missed', 'inconclusive']);
    expect(kinds(30)).toEqual(['missed', 'missed']);
  });
});

describe('any measure of latency', () => {
  const at = (metric: LatencyMetric, value: number, choice: MadeUpTrial) =>
    judgeOne(madeUpTarget({ value, judged: { by: 'measured', metric } }), [choice]);
  /** 1 ms to 1 s evenly, the same each second. */
  const even: MadeUpTrial = { okPerS: 1000, latencyS: (request) => ((request * 7) % 1000) / 1000 + 0.001 };

  it.each([
    ['latency-p50', 0.5],
    ['latency-p90', 0.9],
    ['latency-p95', 0.95],
    ['latency-p99', 0.99],
    ['latency-p99.9', 0.999],
    ['latency-mean', 0.5005],
    ['latency-max', 1],
  ] as const)('%s is read, met above and missed below it', (metric, valueS) => {
    expect(at(metric, valueS * 1.05, even).verdict.kind).toBe('met');
    expect(at(metric, valueS * 0.9, even).verdict.kind).toBe('missed');
    expect(at(metric, valueS, even).value?.value).toBeCloseTo(valueS, 2);
  });

  it.each([
    ['latency-p99', 367, 368],
    ['latency-p99.9', 3687, 3688],
  ] as const)('%s is refused below %d samples', (metric, few, needed) => {
    const judged = at(metric, 1, {
      okPerS: (second) => (second < 9 ? Math.floor(few / 10) : few - 9 * Math.floor(few / 10)),
    });
    expect(judged.verdict).toMatchObject({
      kind: 'inconclusive',
      reasons: [{ code: 'too-few-for-percentile', succeeded: few, needed }],
    });
  });

  it('a mean that varies from second to second has an interval, and is undecided within it', () => {
    const choice: MadeUpTrial = { okPerS: 100, latencyS: (_, second) => (second % 2 === 0 ? 0.1 : 0.12) };
    expect(at('latency-mean', 0.11, choice).verdict.kind).toBe('inconclusive');
    const { value } = at('latency-mean', 0.2, choice);
    // Ten seconds, 10 ms from their mean each: 2.262 x sqrt(10/9) x 10 ms / sqrt(10).
    expect(value?.low).toBeCloseTo(0.11 - 0.00754, 4);
    expect(value?.high).toBeCloseTo(0.11 + 0.00754, 4);
  });

  it('a maximum is missed when a single request fails', () => {
    expect(at('latency-max', 1, { okPerS: 100, failedPerS: 0.1 }).verdict.kind).toBe('missed');
  });
});

describe('the loads a latency target is judged at', () => {
  const throughput = madeUpTarget({
    id: 'rate',
    comparison: '>=',
    value: 200,
    unit: 'requests/s',
    judged: { by: 'measured', metric: 'throughput' },
  });
  const logins = madeUpTarget({
    id: 'logins',
    comparison: '>=',
    value: 100,
    unit: 'users',
    judged: { by: 'measured', metric: 'concurrency' },
    appliesTo: { tiers: [], scenarios: [], concurrency: 100 },
  });
  const searched = { arrivalRatesPerS: null, concurrencies: null };
  const trialAt = (ratePerS: number, latencyS: number): MadeUpTrial => ({
    load: open(ratePerS),
    okPerS: ratePerS,
    latencyS,
  });
  const upToHighest = [trialAt(100, 0.05), trialAt(200, 0.1), trialAt(300, 0.5)];

  it('are all that a person asks for', () => {
    expect(judgeOne(together, upToHighest).verdict).toMatchObject({ kind: 'missed', violation: { load: open(300) } });
  });

  it('are those up to the highest rate that a target asks for; a search beyond it is shown', () => {
    const judged = judgeOne(together, upToHighest, searched, [throughput]);
    expect(judged.verdict.kind).toBe('met');
    expect(judged.evidence).toMatchObject({ loads: [open(100), open(200)], metUpTo: [open(200)] });
    const slow = [trialAt(100, 0.05), trialAt(200, 0.3), trialAt(300, 0.5)];
    expect(judgeOne(together, slow, searched, [throughput]).verdict).toMatchObject({ violation: { load: open(200) } });
    const slower = [trialAt(100, 0.3), trialAt(200, 0.1)];
    expect(judgeOne(together, slower, searched, [throughput]).verdict.kind).toBe('missed');
  });

  it('are the lowest where nobody asks for one', () => {
    expect(judgeOne(together, upToHighest, searched).verdict.kind).toBe('met');
    expect(judgeOne(together, [trialAt(100, 0.3), trialAt(200, 0.1)], searched).verdict.kind).toBe('missed');
  });

  it('are not those that only a contradicting target asks for', () => {
    const trials: readonly MadeUpTrial[] = [trialAt(100, 0.05), { concurrency: 100, okPerS: 100, latencyS: 1 }];
    const kind = (target: Target, others: readonly Target[]) => judgeOne(target, trials, searched, others).verdict.kind;
    expect(kind(together, [logins])).toBe('missed');
    expect(kind({ ...together, contradictions: [{ target: 'logins', note: '' }] }, [logins])).toBe('met');
    expect(kind(together, [{ ...logins, contradictions: [{ target: 'made-up', note: '' }] }])).toBe('met');
  });
});
