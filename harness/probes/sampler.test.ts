import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { monotonicS } from '../machine/clock.ts';
import type { Probe, Reading } from './probe.ts';
import { sampleEachSecond } from './sampler.ts';

const reading: Reading = { source: 'api/1', metric: 'pool-waiting', value: 1 };

function probeOf(name: string, read: () => Promise<readonly Reading[]>): Probe {
  return { name, read, async [Symbol.asyncDispose]() {} };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const nowS = monotonicS;

describe('sampling', () => {
  it('reads at once and then every second without drift, timed from the origin it is asked for', async () => {
    const originS = nowS();
    const takes = (durationMs: number) =>
      probeOf('probe', async () => {
        await new Promise((resolve) => setTimeout(resolve, durationMs));
        return [reading];
      });
    const sampling = sampleEachSecond([takes(130)]);
    await vi.advanceTimersByTimeAsync(5500);
    const { samples, notes } = sampling.since(originS + 2);
    expect(samples.map(({ atS }) => atS)).toEqual([-2, -1, 0, 1, 2, 3]);
    expect(samples[0]).toEqual({ atS: -2, ...reading });
    expect(notes).toEqual([]);
    const stopped = sampling.stop();
    await vi.advanceTimersByTimeAsync(0);
    await stopped;
  });

  it('places samples by time that passed, also when the clock of the machine is set back meanwhile', async () => {
    const sampling = sampleEachSecond([probeOf('probe', async () => [reading])]);
    const originS = nowS();
    await vi.advanceTimersByTimeAsync(1500);
    vi.setSystemTime(Date.now() - 30_000);
    await vi.advanceTimersByTimeAsync(2000);
    expect(sampling.since(originS).samples.map(({ atS }) => atS)).toEqual([0, 1, 2, 3]);
    const stopped = sampling.stop();
    await vi.advanceTimersByTimeAsync(0);
    await stopped;
  });

  it('reads once in each second even when timers fire a little early', async () => {
    const now = performance.now.bind(performance);
    const slowClock = vi.spyOn(performance, 'now').mockImplementation(() => now() * 0.9995);
    const sampling = sampleEachSecond([probeOf('probe', async () => [reading])]);
    await vi.advanceTimersByTimeAsync(5500);
    const { samples } = sampling.since(nowS());
    slowClock.mockRestore();
    expect(samples).toHaveLength(6);
    const stopped = sampling.stop();
    await vi.advanceTimersByTimeAsync(0);
    await stopped;
  });

  it('never asks a probe that has not answered yet, and lets it hold up no other', async () => {
    const originS = nowS();
    let inFlight = 0;
    let most = 0;
    const slow = probeOf('slow', async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setTimeout(resolve, 2400));
      inFlight -= 1;
      return [{ ...reading, source: 'slow/1' }];
    });
    const sampling = sampleEachSecond([slow, probeOf('quick', async () => [reading])]);
    await vi.advanceTimersByTimeAsync(6500);
    const { samples } = sampling.since(originS);
    const timesOf = (source: string) => samples.filter((sample) => sample.source === source).map(({ atS }) => atS);
    expect(timesOf('slow/1')).toEqual([0, 3]);
    expect(timesOf('api/1')).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(most).toBe(1);
    const stopped = sampling.stop();
    await vi.advanceTimersByTimeAsync(3000);
    await stopped;
  });

  it('keeps reading a probe that fails, and notes it once', async () => {
    let calls = 0;
    const flaky = probeOf('flaky', async () => {
      calls += 1;
      if (calls <= 3) throw new Error(`attempt ${calls}: connection refused`);
      return [reading];
    });
    const sampling = sampleEachSecond([flaky]);
    await vi.advanceTimersByTimeAsync(5500);
    await sampling.stop();
    const { samples, notes } = sampling.since(0);
    expect(samples).toHaveLength(3);
    expect(notes).toEqual([
      { code: 'probe-failed', probe: 'flaky', times: 3, detail: 'attempt 1: connection refused' },
    ]);
  });

  it('keeps what is in flight when it stops, and reads nothing after', async () => {
    let calls = 0;
    const slow = probeOf('slow', async () => {
      calls += 1;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return [reading];
    });
    const sampling = sampleEachSecond([slow]);
    await vi.advanceTimersByTimeAsync(100);
    const stopped = sampling.stop();
    await vi.advanceTimersByTimeAsync(5000);
    await stopped;
    expect(calls).toBe(1);
    expect(sampling.since(0).samples).toHaveLength(1);
  });

  it('stops even when a probe hangs', async () => {
    const sampling = sampleEachSecond([probeOf('hanging', () => new Promise(() => undefined))]);
    const stopped = sampling.stop();
    await vi.advanceTimersByTimeAsync(2000);
    await expect(stopped).resolves.toBeUndefined();
  });
});
