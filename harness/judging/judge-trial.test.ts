import { describe, expect, it } from 'vitest';
import { madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { TrialRecord } from '../core/trial.ts';
import { judgeTrial } from './judge-trial.ts';

const summarize = (record: TrialRecord) => judgeTrial(record).summary;

describe('the summary of a trial', () => {
  it('counts successful requests over the measured window, and drops and failures as errors', () => {
    const summary = summarize(madeUpTrial({ measuredS: 10, okPerS: 90, failedPerS: 6, droppedPerS: 4 }));
    expect(summary.throughputPerS).toEqual({ value: 90, low: 90, high: 90 });
    expect(summary.iterationsPerS?.value).toBe(90);
    // (6 + 4) / (90 + 6 + 4)
    expect(summary.errorRatio).toBeCloseTo(0.1, 12);
    expect(summary.latency.count).toBe(900);
  });

  it('gives the throughput of the whole window, but no interval weight to a part of a second', () => {
    // 10 whole seconds of 100 and half a second of 100: 1100 / 10.5.
    const summary = summarize(madeUpTrial({ measuredS: 10.5, okPerS: 100 }));
    expect(summary.throughputPerS?.value).toBeCloseTo(1100 / 10.5, 9);
    expect(summary.throughputPerS?.low).toBe(100);
    expect(summary.throughputPerS?.high).toBeCloseTo(1100 / 10.5, 9);
  });

  it('reads a server that always takes 100 ms as 100 to 101 ms, with an interval that is a point', () => {
    const { latency } = summarize(madeUpTrial({ latencyS: 0.1 }));
    for (const quantile of [latency.p50S, latency.p95S, latency.p99S]) {
      expect(quantile?.value).toBeGreaterThanOrEqual(0.1);
      expect(quantile?.value).toBeLessThan(0.101);
      expect(quantile?.low).toBe(quantile?.value);
      expect(quantile?.high).toBe(quantile?.value);
    }
    expect(latency.meanS).toBeCloseTo(0.1, 3);
  });

  it('takes quantiles over all steps from their requests, not from their quantiles', () => {
    // Half of the requests take 10 ms, half 200 ms: p50 is 10 ms and p95 200 ms; the mean of the p95s would be 105 ms.
    const measured = madeUpTrial({
      steps: ['fast', 'slow'],
      latencyS: (request) => (request % 2 === 0 ? 0.01 : 0.2),
    });
    const { latency, steps } = summarize(measured);
    expect(latency.p50S?.value).toBeCloseTo(0.01, 4);
    expect(latency.p95S?.value).toBeCloseTo(0.2, 3);
    expect(steps.map((step) => [step.name, step.requests, step.throughputPerS?.value])).toEqual([
      ['fast', 500, 50],
      ['slow', 500, 50],
    ]);
    expect(steps[0]?.latency.p95S?.value).toBeCloseTo(0.01, 4);
  });

  it('has no interval where the samples do not allow one', () => {
    // 71 requests: one too few for p95, enough for p50.
    const few = summarize(madeUpTrial({ okPerS: (second) => (second === 0 ? 8 : 7) }));
    expect(few.latency.count).toBe(71);
    expect(few.latency.p50S).not.toBeNull();
    expect(few.latency.p95S).toBeNull();
    // 300 requests: enough for p95, too few for p99.
    const more = summarize(madeUpTrial({ okPerS: 30 }));
    expect(more.latency.p95S).not.toBeNull();
    expect(more.latency.p99S).toBeNull();
    // Four seconds cannot show how much seconds differ, however many requests they hold.
    const short = summarize(madeUpTrial({ measuredS: 4, okPerS: 1000 }));
    expect(short.latency.p95S).toBeNull();
    expect(short.throughputPerS).toBeNull();
  });

  it('widens the interval when slow requests come together in slow seconds', () => {
    // Both: one request in ten takes 300 ms. Spread evenly, or all in two of twenty seconds.
    const spread = summarize(madeUpTrial({ measuredS: 20, latencyS: (request) => (request % 10 === 0 ? 0.3 : 0.02) }));
    const together = summarize(
      madeUpTrial({ measuredS: 20, latencyS: (_, second) => (second % 10 === 0 ? 0.3 : 0.02) }),
    );
    expect(spread.latency.p95S?.low).toBeCloseTo(0.3, 2);
    expect(together.latency.p95S?.value).toBeCloseTo(0.3, 2);
    expect(together.latency.p95S?.low).toBeCloseTo(0.02, 3);
  });

  it('takes for each iteration that was dropped as many requests as the others sent', () => {
    const steps = ['create', 'read', 'list', 'delete'];
    const measured = madeUpTrial({
      load: { model: 'open', arrivalRatePerS: 100, arrivals: 'poisson' },
      okPerS: 396,
      steps,
    });
    const iterations = { intended: 1000, completed: 990, failed: 0, dropped: 10 };
    expect(summarize({ ...measured, trial: { ...measured.trial, iterations } }).errorRatio).toBe(0.01);
  });

  it('is the same for the same trial', () => {
    const measured = madeUpTrial({
      okPerS: (second) => 90 + ((second * 7) % 20),
      latencyS: (request) => 0.01 + request / 5000,
    });
    expect(summarize(measured)).toEqual(summarize(structuredClone(measured)));
  });

  it('does not look at the seconds of the warm-up', () => {
    const measured = madeUpTrial({ okPerS: 100 });
    const slow = madeUpTrial({ okPerS: 5, latencyS: 3 }).trial.intervals;
    const warmUp = slow.map((interval) => ({ ...interval, startS: interval.startS - slow.length }));
    const intervals = [...warmUp, ...measured.trial.intervals];
    const warmedUp = { ...measured, trial: { ...measured.trial, intervals } };
    expect(summarize(warmedUp)).toEqual(summarize(measured));
  });

  it('holds when nothing was measured at all', () => {
    const { summary, validity } = judgeTrial(madeUpTrial({ measuredS: 0, stopped: true }));
    expect(summary.throughputPerS).toBeNull();
    expect(summary.errorRatio).toBe(0);
    expect(summary.latency).toEqual({ count: 0, meanS: 0, maxS: 0, p50S: null, p95S: null, p99S: null });
    expect(validity.kind).toBe('invalid');
  });
});
