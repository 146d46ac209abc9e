import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { MetricId } from '../core/metrics.ts';
import type { Calibration } from '../core/study-record.ts';
import type { ProbeSample } from '../core/trial.ts';
import { summarizeTrial } from './summarize.ts';

function reasonsFor(choice: MadeUpTrial): readonly string[] {
  const { validity } = summarizeTrial(madeUpTrial(choice));
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

describe('a trial can be trusted', () => {
  it.each<{ what: string; choice: MadeUpTrial }>([
    { what: 'when nothing speaks against it', choice: {} },
    { what: 'with a generator that is 80 % busy', choice: { generator: { utilizationRatio: 0.8 } } },
    {
      what: 'with a lag of 5 ms, whatever the latency',
      choice: { generator: { eventLoopLagP99S: 0.005 }, latencyS: 0.002 },
    },
    {
      what: 'with requests sent 2.5 ms late, whatever the latency',
      choice: { load: openLoad, generator: { sendLagP99S: 0.0025 }, latencyS: 0.002 },
    },
    { what: 'with a lag of 30 ms in answers of 1 s', choice: { generator: { eventLoopLagP99S: 0.03 }, latencyS: 1 } },
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
      what: 'with a CPU limit that was met once in a hundred periods',
      choice: { samples: sampled('generator', 'throttled', 0.01) },
    },
    { what: 'with notes on probes that failed', choice: { notes: ['probe postgres failed: connection refused'] } },
  ])('$what', ({ choice }) => {
    expect(reasonsFor(choice)).toEqual([]);
  });
});

describe('a trial cannot be trusted', () => {
  it.each<{ what: string; choice: MadeUpTrial; reason: string }>([
    {
      what: 'when it was stopped',
      choice: { measuredS: 6.5, stopped: true },
      reason: 'it was stopped after 6.5 s of 11.5 s; run it again to the end',
    },
    {
      what: 'when a service died',
      choice: { notes: ['api/1 ended by itself: exit code 1'] },
      reason: 'api/1 ended by itself: exit code 1; the system was not whole while it was measured',
    },
    {
      what: 'when some requests are never answered, and the window is too short to see it',
      choice: { measuredS: 8, okPerS: 300, unfinishedS: [0.01, 7.9, 7.9] },
      reason:
        '2 requests had waited up to 7.9 s in vain when the window closed, while no answer took more than 20 ms; measure longer than the timeout of 10 s with --duration, or lower --timeout',
    },
    {
      what: 'when it was too short for intervals',
      choice: { measuredS: 4.5 },
      reason: 'only 4 whole seconds were measured, and intervals need 5; measure longer with --duration',
    },
    {
      what: 'when it holds too few requests',
      choice: { okPerS: 7 },
      reason:
        'only 70 requests ended in the window, and p95 needs 72; measure longer with --duration, or at a higher load',
    },
    {
      what: 'when the generator was busy',
      choice: { generator: { utilizationRatio: 0.93 } },
      reason:
        'the generator was busy 93 % of the time, more than 80 %: its own limit may have been measured; use fewer virtual users, a faster engine or another core',
    },
    {
      what: 'when the generator read late',
      choice: { generator: { eventLoopLagP99S: 0.0061 } },
      reason:
        'the generator read answers up to 6.1 ms late (p99), more than 5 ms: that is in the latencies; give the generator a core of its own, or use fewer virtual users',
    },
    {
      what: 'when the generator read late for slow answers too',
      choice: { generator: { eventLoopLagP99S: 0.06 }, latencyS: 0.5 },
      reason:
        'the generator read answers up to 60 ms late (p99), more than 50 ms: that is in the latencies; give the generator a core of its own, or use fewer virtual users',
    },
    {
      what: 'when requests were sent more than 5 ms late',
      choice: { load: openLoad, generator: { sendLagP99S: 0.006 }, latencyS: 0.5 },
      reason:
        'requests were sent up to 6 ms after they were due (p99), more than 5 ms; give the generator a core of its own, or lower the arrival rate',
    },
    {
      what: 'when requests were sent later than 10 % of p95',
      choice: { load: openLoad, generator: { sendLagP99S: 0.004 }, latencyS: 0.03 },
      reason:
        'requests were sent up to 4 ms after they were due (p99), more than 3 ms; give the generator a core of its own, or lower the arrival rate',
    },
    {
      what: 'when work was dropped',
      choice: { load: openLoad, okPerS: 98, droppedPerS: 2 },
      reason:
        'only 98 % of the intended 100/s were started, less than 99 %; allow more virtual users, or lower the arrival rate',
    },
    {
      what: 'when fewer requests fell due than asked for',
      choice: { load: openLoad, okPerS: 90 },
      reason:
        'only 90 % of the intended 100/s were started, less than 99 %; allow more virtual users, or lower the arrival rate',
    },
    {
      what: 'when the throughput climbed in a quick trial',
      choice: { measuredS: 8, okPerS: (second) => [60, 70, 80, 90, 100, 110, 120, 130][second] ?? 0 },
      reason:
        'the throughput was not steady: it went from 75/s in the first half to 115/s in the second; warm up longer with --warm-up',
    },
    {
      what: 'when the CPU was stolen',
      choice: { samples: sampled('machine', 'steal', 0.08) },
      reason:
        'the host took 8 % of the CPU away (steal), more than 5 %; use a machine that is not shared, or another time',
    },
    {
      what: 'when others used the machine',
      choice: {
        // 0.9 - 0.1 of two cores are 1.6; the system and the generator used 1.2 of them.
        samples: [...busyMachine, ...sampled('api/1', 'cpu-cores', 0.9), ...sampled('generator', 'cpu-cores', 0.3)],
      },
      reason: "other processes used 20 % of the machine's CPU, more than 10 %; stop them and run again",
    },
    {
      what: 'when a CPU limit stopped the generator',
      choice: { samples: sampled('generator', 'throttled', 0.2) },
      reason:
        'a CPU limit stopped the generator in 20 % of its periods, more than 1 %; raise the limit of the container or control group it runs in',
    },
    {
      what: 'when the latency grew while all was answered that came',
      choice: { load: openLoad, latencyS: (_, second) => 0.02 * (1 + second) },
      reason:
        'the latency was not steady: it went from 60 ms (mean) in the first half to 160 ms in the second; more may come than is served: offer less, or measure longer with --duration',
    },
    {
      what: 'when the latency fell as the system warmed up',
      choice: { load: openLoad, latencyS: (_, second) => 0.02 * (10 - second) },
      reason:
        'the latency was not steady: it went from 160 ms (mean) in the first half to 60 ms in the second; warm up longer with --warm-up',
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
  ])('and only grows worse with time, or not: $what', ({ choice, overloaded }) => {
    expect(summarizeTrial(madeUpTrial(choice)).validity).toMatchObject({ kind: 'invalid', overloaded });
  });

  it('for several reasons, which are all given', () => {
    expect(reasonsFor({ measuredS: 3, stopped: true, generator: { utilizationRatio: 1 } })).toHaveLength(3);
  });

  it('when nothing is answered at all', () => {
    const reasons = reasonsFor({ concurrency: 100, okPerS: 0, unfinishedS: new Array(100).fill(8) });
    expect(reasons[0]).toMatch(
      /^100 requests had waited up to 8 s in vain when the window closed, and none was answered;/,
    );
    expect(reasons[1]).toMatch(/^only 0 requests ended in the window/);
  });

  it('looks at the measured window only', () => {
    const before = sampled('machine', 'steal', 0.5).map((sample) => ({ ...sample, atS: -sample.atS }));
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
  const summaryAt = (okPerS: number, changes: Partial<Calibration> = {}, latencyS = 0.02) =>
    summarizeTrial(madeUpTrial({ okPerS, latencyS }), { ...calibration, ...changes });

  it.each([810, 1000, 1090])('speaks against a trial of %d/s where it makes 1,000/s at most', (okPerS) => {
    expect(summaryAt(okPerS).validity).toEqual({
      kind: 'invalid',
      reasons: [
        `the generator made ${okPerS.toLocaleString('en')}/s, more than 80 % of the 1,000/s it makes at most here: its own limit may have been measured; offer less, or use a faster engine or a machine with more CPUs`,
      ],
      overloaded: false,
    });
  });

  it('says nothing of 80 % of it, or where the ceiling was not the own one', () => {
    expect(summaryAt(800)).toMatchObject({ validity: { kind: 'valid' }, caveats: [] });
    expect(summaryAt(1000, { ceilingIsAtLeast: true })).toMatchObject({ validity: { kind: 'valid' }, caveats: [] });
    expect(summarizeTrial(madeUpTrial({ okPerS: 1000 }))).toMatchObject({ validity: { kind: 'valid' }, caveats: [] });
  });

  it('was measured too low where a trial made more', () => {
    expect(summaryAt(1200)).toMatchObject({
      validity: { kind: 'valid' },
      caveats: [
        'the generator made 1,200/s, more than the 1,000/s found to be its limit: the machine was busy when that was measured',
      ],
    });
  });

  it('is to be minded where an answer takes hardly longer than that of an echo', () => {
    expect(summaryAt(100, {}, 0.0035)).toMatchObject({
      validity: { kind: 'valid' },
      caveats: [
        "its p95 of 3.5 ms is less than twice the 2 ms that the generator reads of an echo: much of it may be the generator's own",
      ],
    });
    expect(summaryAt(100, {}, 0.0045).caveats).toEqual([]);
  });
});
