import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { Reason } from '../core/findings.ts';
import type { MetricId } from '../core/metrics.ts';
import type { Calibration } from '../core/study-record.ts';
import type { ProbeSample } from '../core/trial.ts';
import { judgeTrial } from './judge-trial.ts';

function reasonsFor(choice: MadeUpTrial): readonly Reason[] {
  const { validity } = judgeTrial(madeUpTrial(choice));
  return validity.kind === 'valid' ? [] : validity.reasons;
}

function sampled(source: string, metric: MetricId, value: number): ProbeSample[] {
  return [1, 2, 3].map((atS) => ({ atS, source, metric, value }));
}

const busyMachine = [
  ...sampled('machine', 'cores', 2),
  ...sampled('machine', 'machine-utilization', 0.9),
  ...sampled('machine', 'interrupts', 0.1),
];

const openLoad = { model: 'open', arrivalRatePerS: 100, arrivals: 'constant' } as const;

describe('a trial is valid', () => {
  it.each<{ what: string; choice: MadeUpTrial }>([
    { what: 'when nothing speaks against it', choice: {} },
    { what: 'with a generator that is 80 % busy', choice: { generator: { utilizationRatio: 0.8 } } },
    { what: 'with all requests failed, of which there are enough', choice: { okPerS: 0, failedPerS: 50 } },
    { what: 'with a quick trial of 8 s', choice: { measuredS: 8, okPerS: (second) => 95 + 5 * (second % 3) } },
    {
      what: 'when the system itself keeps the machine busy',
      choice: {
        samples: [...busyMachine, ...sampled('api/1', 'cpu-cores', 1.2), ...sampled('generator', 'cpu-cores', 0.3)],
      },
    },
    {
      what: 'when nobody can tell whose CPU it was',
      choice: { samples: [...busyMachine, ...sampled('generator', 'cpu-cores', 0.3)] },
    },
    {
      what: 'with answers still to come that take no longer than others',
      choice: { latencyS: 1, unfinishedS: [0.1, 1.9] },
    },
    {
      what: 'when requests that are never answered time out within the window',
      choice: { okPerS: 300, failedPerS: 1, failedAs: 'timeout', unfinishedS: [7.9] },
    },
    { what: 'with a short stall at the end', choice: { unfinishedS: [0.9] } },
    {
      what: 'when its rate was to change on the way',
      choice: {
        load: { ...openLoad, changes: [{ atS: 5, overS: 0, toRatePerS: 200 }] },
        okPerS: (second) => (second < 5 ? 100 : 200),
        latencyS: (_, second) => (second < 5 ? 0.02 : 0.2),
      },
    },
    {
      what: 'with notes on probes that failed',
      choice: { notes: [{ code: 'probe-failed', probe: 'postgres', times: 1, detail: 'refused' }] },
    },
  ])('$what', ({ choice }) => {
    expect(reasonsFor(choice)).toEqual([]);
  });
});

describe('a trial is invalid', () => {
  it.each<{ what: string; choice: MadeUpTrial; reason: Reason }>([
    {
      what: 'when it was stopped',
      choice: { measuredS: 6.5, stopped: true },
      reason: { code: 'stopped', measuredS: 6.5, plannedS: 11.5 },
    },
    {
      what: 'when a service crashed',
      choice: { notes: [{ code: 'service-crashed', instance: 'api/1', detail: 'exit code 1' }] },
      reason: { code: 'service-crashed', instance: 'api/1', detail: 'exit code 1' },
    },
    {
      what: 'when some requests are never answered, and the window is too short to see it',
      choice: { measuredS: 8, okPerS: 300, unfinishedS: [0.01, 7.9, 7.9] },
      reason: {
        code: 'never-answered',
        requests: 2,
        waitedS: expect.closeTo(7.9, 2),
        longestAnswerS: expect.closeTo(0.02, 3),
        timeoutS: 10,
      },
    },
    {
      what: 'when it was too short for intervals',
      choice: { measuredS: 4.5 },
      reason: { code: 'too-few-seconds', seconds: 4, neededSeconds: 5 },
    },
    {
      what: 'when it holds too few requests',
      choice: { okPerS: 7 },
      reason: { code: 'too-few-requests', requests: 70, neededRequests: 72 },
    },
    {
      what: 'when the generator had nothing left to send requests with',
      choice: { failedPerS: 1, failedAs: 'generator-limit' },
      reason: { code: 'generator-out-of-resources', resource: 'ports', requests: 10 },
    },
    {
      what: 'when the generator was busy',
      choice: { generator: { utilizationRatio: 0.93 } },
      reason: { code: 'generator-busy', utilizationRatio: 0.93, limitRatio: 0.8 },
    },
    {
      what: 'when work was dropped',
      choice: { load: openLoad, okPerS: 98, droppedPerS: 2 },
      reason: { code: 'not-offered', startedRatio: 0.98, limitRatio: 0.99, arrivalRatePerS: 100 },
    },
    {
      what: 'when fewer requests were scheduled than asked for',
      choice: { load: openLoad, okPerS: 90 },
      reason: { code: 'not-offered', startedRatio: 0.9, limitRatio: 0.99, arrivalRatePerS: 100 },
    },
    {
      what: 'when the throughput climbed in a quick trial',
      choice: { measuredS: 8, okPerS: (second) => [60, 70, 80, 90, 100, 110, 120, 130][second] ?? 0 },
      reason: { code: 'throughput-drift', firstHalfPerS: 75, secondHalfPerS: 115 },
    },
    {
      what: 'when most of the CPU was stolen',
      choice: { samples: sampled('machine', 'steal', 0.55) },
      reason: { code: 'cpu-stolen', ratio: expect.closeTo(0.55), limitRatio: 0.5 },
    },
    {
      what: 'when others used most of the machine',
      choice: {
        // 0.9 - 0.1 of two cores are 1.6; the system and the generator used 0.4 of them.
        samples: [...busyMachine, ...sampled('api/1', 'cpu-cores', 0.1), ...sampled('generator', 'cpu-cores', 0.3)],
      },
      reason: { code: 'foreign-cpu', ratio: expect.closeTo(0.6), limitRatio: 0.5 },
    },
    {
      what: 'when the latency grew while all was answered that came',
      choice: { load: openLoad, latencyS: (_, second) => 0.02 * (1 + second) },
      reason: {
        code: 'latency-drift',
        firstHalfMeanS: expect.closeTo(0.06, 3),
        secondHalfMeanS: expect.closeTo(0.16, 3),
      },
    },
    {
      what: 'when the latency fell as the system warmed up',
      choice: { load: openLoad, latencyS: (_, second) => 0.02 * (10 - second) },
      reason: {
        code: 'latency-drift',
        firstHalfMeanS: expect.closeTo(0.16, 3),
        secondHalfMeanS: expect.closeTo(0.06, 3),
      },
    },
  ])('$what', ({ choice, reason }) => {
    expect(reasonsFor(choice)).toEqual([reason]);
  });

  it.each<{ what: string; choice: MadeUpTrial; overloaded: boolean }>([
    {
      what: 'as its latency grew',
      choice: { load: openLoad, latencyS: (_, second) => 0.02 * (1 + second) },
      overloaded: true,
    },
    {
      what: 'as its latency fell',
      choice: { load: openLoad, latencyS: (_, second) => 0.02 * (10 - second) },
      overloaded: false,
    },
    {
      what: 'as its latency grew with a busy generator',
      choice: {
        load: openLoad,
        latencyS: (_, second) => 0.02 * (1 + second),
        generator: { utilizationRatio: 1 },
      },
      overloaded: false,
    },
  ])('and is overloaded or not: $what', ({ choice, overloaded }) => {
    expect(judgeTrial(madeUpTrial(choice)).validity).toMatchObject({ kind: 'invalid', overloaded });
  });

  it('for several reasons, which are all given', () => {
    expect(reasonsFor({ measuredS: 3, stopped: true, generator: { utilizationRatio: 1 } })).toHaveLength(3);
  });

  it('when nothing is answered at all', () => {
    const reasons = reasonsFor({ concurrency: 100, okPerS: 0, unfinishedS: new Array(100).fill(8) });
    expect(reasons).toMatchObject([
      { code: 'never-answered', requests: 100, waitedS: expect.closeTo(8, 1), longestAnswerS: 0 },
      { code: 'too-few-requests', requests: 0 },
    ]);
  });

  it('looks at the measured window only', () => {
    const before = sampled('machine', 'steal', 0.9).map((sample) => ({ ...sample, atS: -sample.atS }));
    expect(reasonsFor({ samples: [...before, ...sampled('machine', 'steal', 0)] })).toEqual([]);
  });
});

describe('what the generator itself can do', () => {
  const calibration: Calibration = {
    ceilingPerS: 1000,
    ceilingConcurrency: 50,
    ceilingIsAtLeast: false,
    floorP50S: 0.001,
    floorP95S: 0.002,
    floorRatePerS: 200,
    sendLagP99S: 0.001,
  };
  const judgedAt = (okPerS: number, changes: Partial<Calibration> = {}, latencyS = 0.02) =>
    judgeTrial(madeUpTrial({ okPerS, latencyS }), { ...calibration, ...changes });

  it.each([810, 1000, 1090])('speaks against a trial of %d/s where it makes 1,000/s at most', (okPerS) => {
    expect(judgedAt(okPerS).validity).toEqual({
      kind: 'invalid',
      reasons: [{ code: 'near-generator-limit', ratePerS: okPerS, ceilingPerS: 1000, limitRatio: 0.8 }],
      overloaded: false,
    });
  });

  it('says nothing of 80 % of it, or where the ceiling was not the own one', () => {
    expect(judgedAt(800)).toMatchObject({ validity: { kind: 'valid' }, caveats: [] });
    expect(judgedAt(1000, { ceilingIsAtLeast: true })).toMatchObject({ validity: { kind: 'valid' }, caveats: [] });
    expect(judgeTrial(madeUpTrial({ okPerS: 1000 }))).toMatchObject({ validity: { kind: 'valid' }, caveats: [] });
  });

  it('was measured too low where a trial made more', () => {
    expect(judgedAt(1200)).toMatchObject({
      validity: { kind: 'valid' },
      caveats: [{ code: 'above-ceiling', ratePerS: 1200, ceilingPerS: 1000 }],
    });
  });

  it('is to be minded where an answer takes hardly longer than that of an echo', () => {
    expect(judgedAt(100, {}, 0.0035)).toMatchObject({
      validity: { kind: 'valid' },
      caveats: [{ code: 'near-floor', p95S: expect.closeTo(0.0035, 5), floorP95S: 0.002 }],
    });
    expect(judgedAt(100, {}, 0.0045).caveats).toEqual([]);
  });
});
