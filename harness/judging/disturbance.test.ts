import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { Caveat } from '../core/findings.ts';
import type { MetricId } from '../core/metrics.ts';
import type { Target } from '../core/target.ts';
import type { ProbeSample } from '../core/trial.ts';
import { judgeTargets } from './judge.ts';
import { judgeTrial } from './judge-trial.ts';
import { estimateLatency } from './latency-summary.ts';
import { rateGoals, searchEvidence } from './rate-goals.ts';

function sampled(source: string, metric: MetricId, value: number): ProbeSample[] {
  return [1, 2, 3].map((atS) => ({ atS, source, metric, value }));
}

const openLoad = { model: 'open', arrivalRatePerS: 100, arrivals: 'constant' } as const;

/** Latencies of 10 to 110 ms, evenly. */
const spread: MadeUpTrial = { load: openLoad, latencyS: (request) => 0.01 + request / 1000 };

const sharedMachine = [
  ...sampled('machine', 'cores', 2),
  ...sampled('machine', 'machine-utilization', 0.7),
  ...sampled('generator', 'cpu-cores', 0.3),
  ...sampled('api/1', 'cpu-cores', 0.7),
];

function judgedWith(choice: MadeUpTrial) {
  const judged = judgeTrial(madeUpTrial(choice));
  expect(judged.validity).toEqual({ kind: 'valid' });
  return judged;
}

describe('a lag', () => {
  it.each<{ what: string; choice: MadeUpTrial; caveats: readonly Caveat[] }>([
    {
      what: 'of 5 ms in reading is none that matters',
      choice: { generator: { eventLoopLagP99S: 0.005 }, latencyS: 0.002 },
      caveats: [],
    },
    {
      what: 'of 2.5 ms in sending is none that matters',
      choice: { load: openLoad, generator: { sendLagP99S: 0.0025 }, latencyS: 0.002 },
      caveats: [],
    },
    {
      what: 'of a tenth of the p95 in reading is none that matters',
      choice: { generator: { eventLoopLagP99S: 0.03 }, latencyS: 1 },
      caveats: [],
    },
    {
      what: 'in reading',
      choice: { generator: { eventLoopLagP99S: 0.0061 } },
      caveats: [{ code: 'instrument-lag', lagS: 0.0061, sendLagS: 0, readLagS: 0.0061, throttledS: 0 }],
    },
    {
      what: 'in sending, of more than a tenth of the p95',
      choice: { load: openLoad, generator: { sendLagP99S: 0.004 }, latencyS: 0.03 },
      caveats: [{ code: 'instrument-lag', lagS: 0.004, sendLagS: 0.004, readLagS: 0, throttledS: 0 }],
    },
    {
      what: 'in both, and one adds to the other',
      choice: { load: openLoad, generator: { sendLagP99S: 0.02, eventLoopLagP99S: 0.03 } },
      caveats: [{ code: 'instrument-lag', lagS: expect.closeTo(0.05), sendLagS: 0.02, readLagS: 0.03, throttledS: 0 }],
    },
    {
      what: 'of a CPU limit that stops the generator once in a hundred periods is none that matters',
      choice: { samples: sampled('generator', 'throttled', 0.01) },
      caveats: [],
    },
    {
      what: 'of a CPU limit is as long as its stops',
      // Of 10 periods in a second 2 had a stop, together 0.08 s.
      choice: { samples: [...sampled('generator', 'throttled', 0.2), ...sampled('generator', 'throttled-time', 0.08)] },
      caveats: [
        {
          code: 'instrument-lag',
          lagS: expect.closeTo(0.04),
          sendLagS: 0,
          readLagS: 0,
          throttledS: expect.closeTo(0.04),
        },
      ],
    },
    {
      what: 'of a CPU limit is a period at most, also where nobody tells how long stops were',
      choice: { samples: sampled('generator', 'throttled', 0.2) },
      caveats: [{ code: 'instrument-lag', lagS: 0.1, sendLagS: 0, readLagS: 0, throttledS: 0.1 }],
    },
  ])('$what', ({ choice, caveats }) => {
    expect(judgedWith(choice).caveats).toEqual(caveats);
  });

  it('leaves the high end of an interval, and lowers the low one to a lower quantile less the lag', () => {
    const [exact, late] = [{}, { sendLagP99S: 0.02 }].map((generator) => judgedWith({ ...spread, generator }));
    for (const quantile of [0.5, 0.95, 0.99] as const) {
      const [before, after] = [exact, late].map((each) => each && estimateLatency(each.answers.all.latency, quantile));
      expect(after).toMatchObject({ value: before?.value, high: before?.high });
      // One in a hundred may be later than the 99th percentile of the lag: 1 ms here.
      expect(after?.low).toBeCloseTo((before?.low ?? 0) - 0.021, 3);
    }
  });

  it('lowers that of the mean by what the longest one in a hundred add to it as well, and that of the maximum to 0', () => {
    const [exact, late] = [{}, { sendLagP99S: 0.02 }].map((generator) => judgedWith({ ...spread, generator }));
    const [before, after] = [exact, late].map((each) => each && estimateLatency(each.answers.all.latency, 'mean'));
    expect(after?.low).toBeCloseTo((before?.low ?? 0) - 0.02 - 0.01 * 0.11, 3);
    expect(late && estimateLatency(late.answers.all.latency, 'max')).toMatchObject({ low: 0 });
  });

  it('of more than a latency leaves it above 0', () => {
    const { summary } = judgedWith({ load: openLoad, generator: { sendLagP99S: 0.05 }, latencyS: 0.02 });
    expect(summary.latency.p95S).toMatchObject({ value: expect.closeTo(0.02, 3), low: 0 });
  });

  it('of 5.09 ms in logins with a p95 of 445 ms leaves a figure that verdicts are made from', () => {
    const login: MadeUpTrial = {
      scenario: 'login',
      load: { model: 'open', arrivalRatePerS: 20, arrivals: 'poisson' },
      okPerS: 20,
      latencyS: (request) => 0.265 + request / 100,
      generator: { sendLagP99S: 0.00509 },
    };
    const { caveats, summary } = judgedWith(login);
    expect(caveats).toMatchObject([{ code: 'instrument-lag', lagS: 0.00509 }]);
    expect(summary.latency.p95S?.value).toBeCloseTo(0.445, 2);
    expect(verdict(login, 0.5)).toMatchObject({ kind: 'met' });
    expect(verdict(login, 0.3)).toMatchObject({ kind: 'missed' });
    expect(verdict(login, 0.44)).toMatchObject({ kind: 'inconclusive', reasons: [{ code: 'latency-straddles' }] });
  });

  it('makes no miss of a throughput that users had who waited for late answers', () => {
    const late: MadeUpTrial = { concurrency: 10, latencyS: 0.1, generator: { eventLoopLagP99S: 0.02 } };
    const [met, missed] = [90, 200].map((value) => verdict(late, value, 'throughput'));
    expect(met).toMatchObject({ kind: 'met' });
    expect(missed).toMatchObject({ kind: 'inconclusive', reasons: [{ code: 'disturbed' }, {}] });
  });
});

describe('the search for the sustained rate', () => {
  const evidence = (choice: MadeUpTrial, value: number) => {
    const target = madeUpTarget({ value, judged: { by: 'measured', metric: 'latency-p95' } });
    return searchEvidence(judgeTrial(madeUpTrial(choice)), rateGoals([target], 'single', 'crud'));
  };

  it.each<{ what: string; choice: MadeUpTrial; missesAt: number; found: unknown }>([
    { what: 'as they are', choice: {}, missesAt: 0.0905, found: { kind: 'counted', goals: [{ bad: 190, all: 1000 }] } },
    {
      what: 'that only a lag makes too long not at all',
      choice: { generator: { sendLagP99S: 0.02 } },
      missesAt: 0.0905,
      found: { kind: 'invalid', limit: 'generator' },
    },
    {
      what: 'that are too long without the lag as well',
      choice: { generator: { sendLagP99S: 0.02 } },
      missesAt: 0.0505,
      found: { kind: 'counted', goals: [{ bad: 590, all: 1000 }] },
    },
    {
      what: 'that are too long on a machine that others use not at all',
      choice: { samples: sharedMachine },
      missesAt: 0.0505,
      found: { kind: 'invalid', limit: 'machine' },
    },
  ])('counts latencies $what', ({ choice, missesAt, found }) => {
    expect(evidence({ ...spread, ...choice }, missesAt)).toEqual(found);
    expect(evidence({ ...spread, ...choice }, 0.2)).toEqual({ kind: 'counted', goals: [{ bad: 0, all: 1000 }] });
  });
});

describe('a machine that others use', () => {
  const shared: MadeUpTrial = { ...spread, samples: sharedMachine };

  it('is a caveat with the share they took', () => {
    const ratio = expect.closeTo(0.2);
    expect(judgedWith(shared).caveats).toEqual([{ code: 'machine-shared', foreignRatio: ratio, stolenRatio: 0 }]);
    expect(judgedWith({ samples: sampled('machine', 'steal', 0.08) }).caveats).toMatchObject([
      { code: 'machine-shared', foreignRatio: 0, stolenRatio: expect.closeTo(0.08) },
    ]);
  });

  it.each<{ metric: 'latency-p95' | 'throughput' | 'error-ratio'; met: number; missed: number }>([
    { metric: 'latency-p95', met: 0.2, missed: 0.05 },
    { metric: 'error-ratio', met: 0.1, missed: 0.01 },
    { metric: 'throughput', met: 90, missed: 200 },
  ])('lets a target for $metric be met, and makes a missed one inconclusive', ({ metric, met, missed }) => {
    const failing: MadeUpTrial = { ...shared, failedPerS: metric === 'error-ratio' ? 5 : 0 };
    expect(verdict(failing, met, metric)).toMatchObject({ kind: 'met' });
    expect(verdict(failing, missed, metric)).toMatchObject({
      kind: 'inconclusive',
      reasons: expect.arrayContaining([
        { code: 'disturbed', load: openLoad, caveat: expect.objectContaining({ code: 'machine-shared' }) },
      ]),
    });
    expect(verdict({ ...failing, samples: [] }, missed, metric)).not.toMatchObject({
      reasons: expect.arrayContaining([expect.objectContaining({ code: 'disturbed' })]),
    });
  });
});

function verdict(
  choice: MadeUpTrial,
  value: number,
  metric: 'latency-p95' | 'throughput' | 'error-ratio' = 'latency-p95',
) {
  const comparison = metric === 'throughput' ? '>=' : '<';
  const target: Target = madeUpTarget({ value, comparison, judged: { by: 'measured', metric } });
  const record = madeUpTrial(choice);
  const [judged] = judgeTargets(madeUpRun([record], [target]), [judgeTrial(record)], () => null);
  return judged?.verdict;
}
