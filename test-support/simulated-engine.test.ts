import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import oneRequest from '../harness/contracts/engines/scenarios/one-request.ts';
import { expectConsistent, latencyOf, requestFor } from '../harness/contracts/engines/trial-contract.ts';
import type { OfferedLoad } from '../harness/core/load.ts';
import type { Interval, Trial } from '../harness/core/trial.ts';
import { LatencyHistogram } from '../harness/histograms/latency-histogram.ts';
import { earliestFirst, type SimulatedSystem, simulatedEngine } from './simulated-engine.ts';

const never = new AbortController().signal;
const constant100ms: SimulatedSystem = { servers: 1000, serviceTimeS: 0.1, distribution: 'deterministic' };

interface Settings {
  readonly load?: OfferedLoad;
  readonly warmUpS?: number;
  readonly durationS?: number;
  readonly seed?: number;
  readonly timeoutS?: number;
}

function simulate(
  system: SimulatedSystem,
  { load = { model: 'closed', concurrency: 1 }, ...settings }: Settings,
  signal = never,
  seen?: (interval: Interval) => void,
): Promise<Trial> {
  const users = load.model === 'closed' ? load.concurrency : 1;
  const request = requestFor(oneRequest, 'http://127.0.0.1', users, settings);
  return simulatedEngine(system).run({ ...request, plan: { ...request.plan, load } }, signal, seen);
}

const poisson = (arrivalRatePerS: number): OfferedLoad => ({ model: 'open', arrivalRatePerS, arrivals: 'poisson' });

describe('simulated engine, as every engine', () => {
  test.each([1, 10, 100])('a server that always takes 100 ms reads 100 to 110 ms at concurrency %i', async (users) => {
    const trial = await simulate(constant100ms, { load: { model: 'closed', concurrency: users }, durationS: 2 });
    expectConsistent(trial);
    const latency = latencyOf(trial, 'request');
    expect(latency.count).toBeGreaterThanOrEqual(users * 18);
    expect(latency.count).toBeLessThanOrEqual(users * 20);
    // Each virtual user waits for its next answer when the window closes.
    expect(LatencyHistogram.decode(trial.inFlightAtEnd ?? '').count).toBe(users);
    for (const ratio of [0.5, 0.95]) expect(latency.quantileS(ratio)).toBeCloseTo(0.1, 3);
  });

  test('the same seed gives the same trial, another one another', async () => {
    const system: SimulatedSystem = { servers: 1, serviceTimeS: 0.01, distribution: 'exponential' };
    const withSeed = async (seed: number) => (await simulate(system, { load: poisson(50), durationS: 5, seed })).steps;
    expect(await withSeed(3)).toEqual(await withSeed(3));
    expect(await withSeed(3)).not.toEqual(await withSeed(4));
  });

  test('stops when asked and keeps what it measured; stopped before, it measures nothing', async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const trial = await simulate(constant100ms, { warmUpS: 1, durationS: 600 }, stop.signal, (interval) => {
      seen.push(interval.startS);
      if (interval.startS === 3) stop.abort();
    });
    expect(seen.slice(0, 5)).toEqual([-1, 0, 1, 2, 3]);
    expect(trial.stopped).toBe(true);
    expect(trial.measuredS).toBeGreaterThanOrEqual(4);
    expect(trial.measuredS).toBeLessThan(5);
    expectConsistent(trial);
    const none = await simulate(constant100ms, {}, AbortSignal.abort());
    expect(none).toMatchObject({ stopped: true, measuredS: 0, steps: [] });
  });

  test('refuses too few users', async () => {
    const request = requestFor(oneRequest, 'http://127.0.0.1', 3, {});
    await expect(simulatedEngine(constant100ms).run({ ...request, users: [] }, never)).rejects.toMatchObject({
      code: 'TOO_FEW_USERS',
    });
  });

  test('the seconds add up to the totals, whatever the system and the load', async () => {
    const system = fc.record({
      servers: fc.integer({ min: 1, max: 5 }),
      serviceTimeS: fc.double({ min: 0.001, max: 0.3, noNaN: true }),
      distribution: fc.constantFrom('exponential' as const, 'deterministic' as const),
      failureRatio: fc.constantFrom(0, 0.3),
      mostInFlight: fc.constantFrom(3, 1000),
    });
    const load = fc.oneof(
      fc.record({ model: fc.constant('closed' as const), concurrency: fc.integer({ min: 1, max: 10 }) }),
      fc.record({
        model: fc.constant('open' as const),
        arrivalRatePerS: fc.integer({ min: 1, max: 50 }),
        arrivals: fc.constantFrom('poisson' as const, 'constant' as const),
      }),
    );
    await fc.assert(
      fc.asyncProperty(system, load, fc.integer(), async (simulated, offered, seed) => {
        const settings = { load: offered, warmUpS: 0.5, durationS: 3, timeoutS: 1, seed: seed >>> 0 };
        const trial = await simulate(simulated, settings);
        expectConsistent(trial);
        const { intended, completed, dropped } = trial.iterations;
        const inFlight = offered.model === 'closed' ? offered.concurrency : 1000;
        expect(Math.abs(intended - completed - dropped)).toBeLessThanOrEqual(inFlight);
      }),
      { numRuns: 50 },
    );
  });
});

describe('simulated engine against queueing theory', () => {
  const milli = { serviceTimeS: 0.001, distribution: 'exponential' } as const;

  test('M/M/1 at 80 %: response 5 service times in the mean, 14.98 at p95', async () => {
    const trial = await simulate({ servers: 1, ...milli }, { load: poisson(800), warmUpS: 10, durationS: 1000 });
    const latency = latencyOf(trial, 'request');
    expect(latency.meanS).toBeGreaterThan(0.005 * 0.97);
    expect(latency.meanS).toBeLessThan(0.005 * 1.03);
    expect(latency.quantileS(0.95)).toBeGreaterThan(0.014978661 * 0.96);
    expect(latency.quantileS(0.95)).toBeLessThan(0.014978661 * 1.04);
  });

  test('M/M/4 at 80 %: 4.738 service times at p95, 6.893 at p99', async () => {
    const trial = await simulate({ servers: 4, ...milli }, { load: poisson(3200), warmUpS: 5, durationS: 250 });
    const latency = latencyOf(trial, 'request');
    // Lq 2.38572989 at 3.2 arrivals a service time, plus the service itself.
    const meanS = (2.38572989 / 3.2 + 1) / 1000;
    expect(Math.abs(latency.meanS / meanS - 1)).toBeLessThan(0.02);
    expect(Math.abs(latency.quantileS(0.95) / 0.004738019 - 1)).toBeLessThan(0.03);
    expect(Math.abs(latency.quantileS(0.99) / 0.006893204 - 1)).toBeLessThan(0.03);
  });

  test("closed: more users than servers share the servers' rate (Little's law)", async () => {
    const system: SimulatedSystem = { servers: 2, serviceTimeS: 0.01, distribution: 'deterministic' };
    const trial = await simulate(system, { load: { model: 'closed', concurrency: 8 }, warmUpS: 1, durationS: 10 });
    const latency = latencyOf(trial, 'request');
    expect(latency.count / 10).toBeCloseTo(200, 0);
    expect(latency.quantileS(0.5)).toBeCloseTo(8 / 200, 3);
  });

  test('arrivals come at the rate that was asked for', async () => {
    for (const arrivals of ['poisson', 'constant'] as const) {
      const load: OfferedLoad = { model: 'open', arrivalRatePerS: 500, arrivals };
      const trial = await simulate(constant100ms, { load, durationS: 100 });
      const tolerance = arrivals === 'constant' ? 1 : 4 * Math.sqrt(50_000);
      expect(Math.abs(trial.iterations.intended - 50_000)).toBeLessThanOrEqual(tolerance);
    }
  });
});

describe('simulated engine, what it can be asked to do wrong', () => {
  test('failures, timeouts and drops are counted as what they are', async () => {
    const failing = await simulate({ ...constant100ms, failureRatio: 0.25 }, { load: poisson(100), durationS: 50 });
    const { ok = 0, 'http-error': failed = 0 } = failing.steps[0]?.outcomes ?? {};
    expect(failed / (ok + failed)).toBeCloseTo(0.25, 1);
    expect(failing.iterations.failed).toBe(failed);
    expect(failing.failureExamples).toEqual([
      { step: 'request', outcome: 'http-error', message: 'simulated http-error' },
    ]);

    const overloaded = { servers: 1, serviceTimeS: 0.1, distribution: 'deterministic' } as const;
    const late = await simulate(overloaded, { load: poisson(20), durationS: 60, timeoutS: 1 });
    expect(late.steps[0]?.outcomes.timeout).toBeGreaterThan(100);
    const bounded = await simulate({ ...overloaded, mostInFlight: 5 }, { load: poisson(20), durationS: 60 });
    expect(bounded.iterations.dropped).toBeGreaterThan(400);
    expect(latencyOf(bounded, 'request').maxS).toBeLessThanOrEqual(0.5 * 1.001);
    expectConsistent(late);
    expectConsistent(bounded);
  });

  test('it is slower while it warms up', async () => {
    const drifting = { ...constant100ms, warmUpDrift: { extraRatio: 2, timeConstantS: 5 } };
    const trial = await simulate(drifting, { durationS: 60 });
    const meanAt = (second: number) => 1 / (trial.intervals[second]?.steps[0]?.outcomes.ok ?? 0);
    expect(meanAt(0)).toBeGreaterThan(2 * meanAt(50));
  });

  test('the generator reports what it is asked to', async () => {
    const busy = await simulate({ ...constant100ms, generator: { utilizationRatio: 0.97 } }, {});
    expect(busy.generator).toEqual({ utilizationRatio: 0.97, eventLoopLagP99S: 0, sendLagP99S: null });
    expect((await simulate(constant100ms, { load: poisson(5) })).generator.sendLagP99S).toBe(0);
  });
});

test('earliestFirst gives everything in the order of time', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (times) => {
      const queue = earliestFirst((time: number) => time);
      for (const time of times) queue.add(time);
      const taken: number[] = [];
      for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next);
      expect(taken).toEqual(times.toSorted((left, right) => left - right));
    }),
  );
});
