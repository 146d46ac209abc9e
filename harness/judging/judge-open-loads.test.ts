import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { WhyNot } from '../core/findings.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { Target } from '../core/target.ts';
import { settingInUnit } from '../services/registry.ts';
import { judgeTargets } from './judge.ts';
import { judgeP95At } from './judge-at-load.ts';
import { judgeTrials } from './judge-trial.ts';
import type { JudgedTarget } from './judged-target.ts';

/** Arrival rates, and closed-loop loads after them. */

const at = (arrivalRatePerS: number): OfferedLoad => ({ model: 'open', arrivalRatePerS, arrivals: 'poisson' });
const users = (concurrency: number): OfferedLoad => ({ model: 'closed', concurrency });
const pilot = (okPerS: number): MadeUpTrial => ({ purpose: 'warm-up', load: users(25), okPerS });

function judgeOne(target: Target, choices: readonly MadeUpTrial[]): JudgedTarget {
  const result = madeUpRun(
    choices.map((choice, index) => madeUpTrial({ ...choice, sequence: index + 1 })),
    [target],
  );
  const [judged] = judgeTargets(result, judgeTrials(result), settingInUnit);
  if (judged === undefined) throw new Error('the target was not judged');
  return judged;
}

function reasonsOf({ verdict }: JudgedTarget): readonly WhyNot[] {
  return verdict.kind === 'inconclusive' ? verdict.reasons : [];
}

describe('a throughput target', () => {
  const target = madeUpTarget({
    value: 500,
    comparison: '>=',
    unit: 'requests/s',
    judged: { by: 'measured', metric: 'throughput' },
  });

  it('is met where so much arrived and was answered, although chance brought a little less', () => {
    const judged = judgeOne(target, [
      { load: at(100), okPerS: 100 },
      { load: at(500), okPerS: 498 },
    ]);
    expect(judged.verdict.kind).toBe('met');
    expect(judged.evidence).toEqual({
      code: 'throughput',
      load: at(500),
      throughputPerS: 498,
      loads: [at(100), at(500)],
    });
  });

  it('is not met where a hundredth of what arrived was dropped or failed', () => {
    for (const lost of [{ droppedPerS: 6 }, { failedPerS: 6 }]) {
      expect(judgeOne(target, [{ load: at(500), okPerS: 494, ...lost }]).verdict.kind).not.toBe('met');
    }
  });

  it('counts requests, not iterations', () => {
    // Four requests each: 125 iterations arrive in a second.
    const steps = ['create', 'read', 'list', 'delete'];
    const trial = madeUpTrial({ load: at(125), okPerS: 496, steps });
    const iterations = { intended: 1240, completed: 1240, failed: 0, dropped: 0 };
    const result = madeUpRun([{ ...trial, trial: { ...trial.trial, iterations } }], [target]);
    expect(judgeTargets(result, judgeTrials(result), settingInUnit)[0]?.verdict.kind).toBe('met');
  });

  it('is missed when a closed-loop load gets no more out of it than the pilot trial did', () => {
    const judged = judgeOne(target, [
      pilot(300),
      { load: at(150), okPerS: 150 },
      { load: at(280), okPerS: 280 },
      { load: users(100), okPerS: 305 },
    ]);
    expect(judged.verdict).toEqual({
      kind: 'missed',
      violation: { code: 'throughput-below', load: users(100), throughputPerS: 305 },
    });
  });

  it('is missed when more arrived than was answered', () => {
    const trial = madeUpTrial({ load: at(600), okPerS: 330 });
    // The rest waits until the window closes.
    const iterations = { intended: 6000, completed: 3300, failed: 0, dropped: 0 };
    const trials = [madeUpTrial({ load: at(150), okPerS: 150 }), { ...trial, trial: { ...trial.trial, iterations } }];
    const result = madeUpRun(trials, [target]);
    expect(judgeTargets(result, judgeTrials(result), settingInUnit)[0]?.verdict).toEqual({
      kind: 'missed',
      violation: { code: 'throughput-below', load: at(600), throughputPerS: 330 },
    });
  });

  it('is not missed because one of the few that arrived was in flight at the end of the window', () => {
    const trial = madeUpTrial({ load: at(10), okPerS: (second) => (second === 9 ? 9 : 10) });
    const iterations = { intended: 100, completed: 98, failed: 0, dropped: 0 };
    const result = madeUpRun([{ ...trial, trial: { ...trial.trial, iterations } }], [target]);
    const [judged] = judgeTargets(result, judgeTrials(result), settingInUnit);
    expect(judged && reasonsOf(judged)).toEqual([{ code: 'limit-not-reached', load: at(10), nearly: true }]);
  });

  it('is undecided when all that arrived was answered, or more users still got more', () => {
    expect(
      reasonsOf(
        judgeOne(target, [
          { load: at(150), okPerS: 150 },
          { load: at(280), okPerS: 280 },
        ]),
      ),
    ).toEqual([{ code: 'limit-not-reached', load: at(280), nearly: false }]);
    expect(reasonsOf(judgeOne(target, [pilot(200), { load: users(100), okPerS: 305, latencyS: 0.33 }]))).toEqual([
      { code: 'throughput-still-rising', load: users(100) },
    ]);
  });
});

it('an error target is not met where a two-hundredth of the iterations was dropped, however many requests each has', () => {
  const target = madeUpTarget({ value: 0.001, unit: 'ratio', judged: { by: 'measured', metric: 'error-ratio' } });
  const steps = ['log in', 'me', 'create', 'read', 'list', 'change', 'delete'];
  const trial = madeUpTrial({ load: at(1000), okPerS: 6965, steps });
  const iterations = { intended: 10_000, completed: 9950, failed: 0, dropped: 50 };
  const result = madeUpRun([{ ...trial, trial: { ...trial.trial, iterations } }], [target]);
  expect(judgeTargets(result, judgeTrials(result), settingInUnit)[0]?.verdict).toEqual({
    kind: 'missed',
    violation: {
      code: 'failures-above',
      scenario: 'crud',
      load: at(1000),
      failed: 350,
      requests: 70_000,
      limitRatio: 0.001,
    },
  });
});

describe('a latency target', () => {
  const target = madeUpTarget({ value: 0.2, judged: { by: 'measured', metric: 'latency-p95' } });

  it('gives the rate and the concurrency up to which it was met', () => {
    const judged = judgeOne(target, [
      { load: at(100), okPerS: 100, latencyS: 0.05 },
      { load: at(300), okPerS: 300, latencyS: 0.4 },
      { load: users(10), okPerS: 100, latencyS: 0.1 },
      { load: users(100), okPerS: 300, latencyS: 0.3 },
    ]);
    expect(judged.verdict.kind).toBe('missed');
    expect(judged.evidence).toMatchObject({
      at: [
        { load: at(300), step: null, valueS: expect.closeTo(0.4, 3) },
        { load: users(100), step: null, valueS: expect.closeTo(0.3, 3) },
      ],
      metUpTo: [at(100), users(10)],
    });
  });

  it('names rates and concurrencies where trials of both are invalid', () => {
    const busy = { generator: { utilizationRatio: 0.95 } };
    const judged = judgeOne(
      target,
      [200, 300]
        .map((rate) => ({ load: at(rate), okPerS: rate, ...busy }))
        .concat([50, 100].map((count) => ({ load: users(count), okPerS: 300, ...busy }))),
    );
    expect(reasonsOf(judged)).toMatchObject([
      {
        code: 'invalid-trials',
        loads: [at(200), at(300), users(50), users(100)],
        reason: { code: 'generator-busy' },
      },
    ]);
  });

  it('of a rate is about requests, as the documents are, and not about iterations', () => {
    const named = { ...target, appliesTo: { ...target.appliesTo, arrivalRatePerS: 500 } };
    const steps = ['create', 'read', 'list', 'delete'];
    const judgeAt = (iterationsPerS: number) => {
      const trial = madeUpTrial({ load: at(iterationsPerS), okPerS: 4 * iterationsPerS, steps, latencyS: 0.05 });
      const count = 10 * iterationsPerS;
      const iterations = { intended: count, completed: count, failed: 0, dropped: 0 };
      const result = madeUpRun([{ ...trial, trial: { ...trial.trial, iterations } }], [named]);
      const summarized = judgeTrials(result);
      return {
        run: judgeTargets(result, summarized, settingInUnit)[0]?.verdict.kind,
        atLoad: summarized.flatMap((each) => judgeP95At(result, each).map(({ kind }) => kind)),
      };
    };
    expect(judgeAt(125)).toEqual({ run: 'met', atLoad: ['met'] });
    expect(judgeAt(100)).toEqual({ run: 'inconclusive', atLoad: [] });
  });

  it('of a number of users is not judged by as many arrivals', () => {
    const named = { ...target, appliesTo: { ...target.appliesTo, concurrency: 100 } };
    expect(reasonsOf(judgeOne(named, [{ load: at(500), okPerS: 500 }]))).toEqual([
      { code: 'no-load-as-high', model: 'closed', level: 100 },
    ]);
  });
});
