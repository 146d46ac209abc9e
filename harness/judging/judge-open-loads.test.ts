import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { Target } from '../core/target.ts';
import { judgeTargets } from './judge.ts';
import { judgeP95At } from './judge-at-load.ts';
import { judgeTrials } from './summarize.ts';
import type { JudgedTarget } from './summary.ts';

/** Ladders of arrival rates, with a number of waiting users at their end. */

const at = (arrivalRatePerS: number): OfferedLoad => ({ model: 'open', arrivalRatePerS, arrivals: 'poisson' });
const users = (concurrency: number): OfferedLoad => ({ model: 'closed', concurrency });
const probe = (okPerS: number): MadeUpTrial => ({ purpose: 'warm-up', load: users(25), okPerS });

function judgeOne(target: Target, choices: readonly MadeUpTrial[]): JudgedTarget {
  const result = madeUpRun(
    choices.map((choice, index) => madeUpTrial({ ...choice, sequence: index + 1 })),
    [target],
  );
  const [judged] = judgeTargets(result, judgeTrials(result));
  if (judged === undefined) throw new Error('the target was not judged');
  return judged;
}

function reasonsOf({ verdict }: JudgedTarget): string {
  return verdict.kind === 'inconclusive' ? verdict.reasons.join('; ') : '';
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
    expect(judged.evidence).toBe('498/s at 500/s, the most over 100/s to 500/s');
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
    expect(judgeTargets(result, judgeTrials(result))[0]?.verdict.kind).toBe('met');
  });

  it('is missed when waiting users get no more out of it than the probe did', () => {
    const judged = judgeOne(target, [
      probe(300),
      { load: at(150), okPerS: 150 },
      { load: at(280), okPerS: 280 },
      { load: users(100), okPerS: 305 },
    ]);
    expect(judged.verdict).toEqual({ kind: 'missed', violations: ['305/s at concurrency 100 at most, not >= 500/s'] });
    expect(judged.evidence).toBe('305/s at concurrency 100, the most over 150/s to 280/s and concurrency 100');
  });

  it('is missed when more arrived than was answered', () => {
    const trial = madeUpTrial({ load: at(600), okPerS: 330 });
    // The rest waits until the window closes.
    const iterations = { intended: 6000, completed: 3300, failed: 0, dropped: 0 };
    const trials = [madeUpTrial({ load: at(150), okPerS: 150 }), { ...trial, trial: { ...trial.trial, iterations } }];
    const result = madeUpRun(trials, [target]);
    expect(judgeTargets(result, judgeTrials(result))[0]?.verdict).toEqual({
      kind: 'missed',
      violations: ['330/s at 600/s at most, not >= 500/s'],
    });
  });

  it('is not missed because one of the few that arrived was under way when the window closed', () => {
    const trial = madeUpTrial({ load: at(10), okPerS: (second) => (second === 9 ? 9 : 10) });
    const iterations = { intended: 100, completed: 98, failed: 0, dropped: 0 };
    const result = madeUpRun([{ ...trial, trial: { ...trial.trial, iterations } }], [target]);
    const [judged] = judgeTargets(result, judgeTrials(result));
    expect(judged && reasonsOf(judged)).toBe(
      'nearly all that arrived at 10/s was answered, so more may be; measure higher rates with --rate',
    );
  });

  it('is undecided when all that arrived was answered, or more users still got more', () => {
    expect(
      reasonsOf(
        judgeOne(target, [
          { load: at(150), okPerS: 150 },
          { load: at(280), okPerS: 280 },
        ]),
      ),
    ).toBe('all that arrived at 280/s was answered, so more may be; measure higher rates with --rate');
    expect(reasonsOf(judgeOne(target, [probe(200), { load: users(100), okPerS: 305 }]))).toContain(
      'still rising at concurrency 100',
    );
  });
});

it('an error target is not met where a two-hundredth of the iterations was dropped, however many requests each has', () => {
  const target = madeUpTarget({ value: 0.001, unit: 'ratio', judged: { by: 'measured', metric: 'error-ratio' } });
  const steps = ['log in', 'me', 'create', 'read', 'list', 'change', 'delete'];
  const trial = madeUpTrial({ load: at(1000), okPerS: 6965, steps });
  const iterations = { intended: 10_000, completed: 9950, failed: 0, dropped: 50 };
  const result = madeUpRun([{ ...trial, trial: { ...trial.trial, iterations } }], [target]);
  expect(judgeTargets(result, judgeTrials(result))[0]?.verdict).toEqual({
    kind: 'missed',
    violations: ['350 of 70,000 requests failed at 1,000/s, 0.5 %, not < 0.1 %'],
  });
});

describe('a latency target', () => {
  const target = madeUpTarget({ value: 0.2, judged: { by: 'measured', metric: 'latency-p95' } });

  it('tells up to which rate and up to how many users it was met', () => {
    const judged = judgeOne(target, [
      { load: at(100), okPerS: 100, latencyS: 0.05 },
      { load: at(300), okPerS: 300, latencyS: 0.4 },
      { load: users(10), okPerS: 100, latencyS: 0.1 },
      { load: users(100), okPerS: 300, latencyS: 0.3 },
    ]);
    expect(judged.verdict.kind).toBe('missed');
    expect(judged.evidence).toBe(
      'p95 400 ms at 300/s; p95 300 ms at concurrency 100; met up to 100/s and concurrency 10',
    );
  });

  it('tells rates from numbers of users where trials of both are not sound', () => {
    const busy = { generator: { utilizationRatio: 0.95 } };
    const judged = judgeOne(
      target,
      [200, 300]
        .map((rate) => ({ load: at(rate), okPerS: rate, ...busy }))
        .concat([50, 100].map((count) => ({ load: users(count), okPerS: 300, ...busy }))),
    );
    expect(reasonsOf(judged)).toContain('200/s, 300/s, concurrency 50, 100: the generator was busy');
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
        run: judgeTargets(result, summarized)[0]?.verdict.kind,
        atLoad: summarized.flatMap((each) => judgeP95At(result, each).map(({ kind }) => kind)),
      };
    };
    expect(judgeAt(125)).toEqual({ run: 'met', atLoad: ['met'] });
    expect(judgeAt(100)).toEqual({ run: 'inconclusive', atLoad: [] });
  });

  it('of a number of users is not judged by as many arrivals', () => {
    const named = { ...target, appliesTo: { ...target.appliesTo, concurrency: 100 } };
    expect(reasonsOf(judgeOne(named, [{ load: at(500), okPerS: 500 }]))).toBe(
      'no load of concurrency 100 or more was measured; add --concurrency 100',
    );
  });
});
