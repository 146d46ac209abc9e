import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import oneRequest from '../../contracts/engines/scenarios/one-request.ts';
import { expectConsistent, requestFor } from '../../contracts/engines/trial-contract.ts';
import { requestOutcomes } from '../../core/trial.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { type Accounting, createAccounting, MOST_STEPS } from './accounting.ts';

const ok = (latencyS: number, step = 'read') => ({
  step,
  outcome: 'ok' as const,
  status: 200,
  bodyBytes: 0,
  latencyS,
  describe: () => '',
});

const bad = (outcome: 'http-error' | 'timeout', status: number, message: string) => ({
  step: 'read',
  outcome,
  status,
  bodyBytes: 0,
  latencyS: 1,
  describe: () => message,
});

function consistent(accounting: Accounting, nowS: number, window: { warmUpS: number; durationS: number }) {
  const accounted = accounting.close(nowS, []);
  const { plan } = requestFor(oneRequest, 'http://127.0.0.1', 1, window);
  const generator = { utilizationRatio: 0, eventLoopLagP99S: 0, sendLagP99S: null };
  expectConsistent({ ...accounted, plan, engine: 'test', startedAt: '', startedAtMonotonicS: 1000, generator });
  return accounted;
}

describe('accounting', () => {
  test('counts a request in the second in which it ends, and warm-up only in its seconds', () => {
    const window = { warmUpS: 1.5, durationS: 2 };
    const accounting = createAccounting(window);
    accounting.iterationStarted(-1.5);
    accounting.requestEnded(-0.25, ok(1.25));
    accounting.iterationEnded(-0.25, false);
    accounting.iterationStarted(-0.25);
    accounting.requestEnded(0, ok(0.25)); // Sent while warming up, answered in the window.
    accounting.iterationEnded(0, false);
    accounting.iterationStarted(1.5);
    accounting.requestEnded(1.999, ok(0.499));
    accounting.iterationEnded(1.999, false);
    accounting.iterationStarted(1.999);
    accounting.requestEnded(2, ok(0.001)); // The window is over.
    accounting.iterationEnded(2, false);
    const { intervals, iterations, steps, measuredS, stopped } = consistent(accounting, 2.01, window);
    expect(intervals.map((interval) => [interval.startS, interval.durationS])).toEqual([
      [-1.5, 0.5],
      [-1, 1],
      [0, 1],
      [1, 1],
    ]);
    expect(intervals.map((interval) => interval.iterations.completed)).toEqual([0, 1, 1, 1]);
    expect(intervals.map((interval) => interval.iterations.intended)).toEqual([1, 1, 0, 2]);
    expect(iterations).toEqual({ intended: 2, completed: 2, failed: 0, dropped: 0 });
    expect([measuredS, stopped]).toEqual([2, false]);
    const read = LatencyHistogram.decode(steps[0]?.latency ?? '');
    expect([...read.buckets()].map((bucket) => [bucket.valueS.toFixed(2), bucket.count])).toEqual([
      ['0.25', 1],
      ['0.50', 1],
    ]);
  });

  test('a failure has no latency, keeps its status and its first message', () => {
    const window = { warmUpS: 0, durationS: 1 };
    const accounting = createAccounting(window);
    accounting.requestEnded(0.1, bad('http-error', 503, 'first'));
    accounting.requestEnded(0.2, bad('http-error', 503, 'second'));
    accounting.requestEnded(0.3, bad('timeout', 0, 'late'));
    accounting.requestEnded(0.4, ok(0.01));
    accounting.iterationDropped(0.5);
    const { steps, iterations, failureExamples } = consistent(accounting, 1, window);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({ name: 'read', statuses: { 200: 1, 503: 2 } });
    expect(steps[0]?.outcomes).toMatchObject({ ok: 1, 'http-error': 2, timeout: 1, 'wrong-answer': 0 });
    expect(LatencyHistogram.decode(steps[0]?.latency ?? '').count).toBe(1);
    expect(iterations).toEqual({ intended: 1, completed: 0, failed: 0, dropped: 1 });
    expect(failureExamples).toEqual([
      { step: 'read', outcome: 'http-error', message: 'first' },
      { step: 'read', outcome: 'timeout', message: 'late' },
    ]);
  });

  test('gives each second once, as soon as it is over, empty ones too', () => {
    const accounting = createAccounting({ warmUpS: 1, durationS: 3 });
    const starts = (nowS: number) => accounting.advance(nowS).map((interval) => interval.startS);
    expect(starts(-0.5)).toEqual([]);
    expect(starts(0.01)).toEqual([-1]);
    accounting.requestEnded(2.5, ok(0.1));
    expect(starts(2.5)).toEqual([0, 1]);
    expect(starts(2.6)).toEqual([]);
    expect(accounting.close(2.75, [])).toMatchObject({ measuredS: 2.75, stopped: true });
    expect(starts(2.75)).toEqual([2]);
    accounting.requestEnded(2.8, ok(0.1));
    expect(accounting.close(9, []).steps[0]?.outcomes.ok).toBe(1);
  });

  test('keeps how long the requests in flight at the end had waited, and counts them nowhere', () => {
    const window = { warmUpS: 1, durationS: 2 };
    const accounting = createAccounting(window);
    accounting.requestEnded(1.5, ok(0.2));
    // One has waited since the warm-up, one for a while; one was sent after the window and before its end was noticed.
    const { inFlightAtEnd, steps, measuredS } = accounting.close(2.25, [-0.5, 1.9, 2.1]);
    const waited = LatencyHistogram.decode(inFlightAtEnd ?? '');
    expect([...waited.buckets()].map(({ valueS }) => valueS.toFixed(2))).toEqual(['0.10', '2.50']);
    expect([measuredS, steps[0]?.outcomes.ok, steps.length]).toEqual([2, 1, 1]);
  });

  test('stopped before the window: warm-up seconds, and nothing measured', () => {
    const accounting = createAccounting({ warmUpS: 5, durationS: 3 });
    accounting.requestEnded(-4.5, ok(0.1));
    const { intervals, ...rest } = accounting.close(-3.5, []);
    expect(intervals.map((interval) => [interval.startS, interval.durationS])).toEqual([
      [-5, 1],
      [-4, 0.5],
    ]);
    expect(rest).toMatchObject({ measuredS: 0, stopped: true, steps: [], iterations: { intended: 0 } });
  });

  test('whatever happens when, the seconds add up to the totals', () => {
    const event = fc.record({
      afterS: fc.double({ min: 0, max: 1.5, noNaN: true }),
      kind: fc.constantFrom('started', 'ended', 'failed', 'dropped', 'request', 'advance'),
      step: fc.constantFrom('read', 'write', 'log in'),
      outcome: fc.constantFrom(...requestOutcomes),
      latencyS: fc.double({ min: 0, max: 5, noNaN: true }),
    });
    const window = fc.record({
      warmUpS: fc.constantFrom(0, 0.3, 1, 2.5),
      durationS: fc.constantFrom(0.2, 1, 3, 4.75),
    });
    fc.assert(
      fc.property(window, fc.array(event, { maxLength: 40 }), (limits, events) => {
        const accounting = createAccounting(limits);
        let nowS = -limits.warmUpS - 0.5;
        const seen: number[] = [];
        for (const { afterS, kind, step, outcome, latencyS } of events) {
          nowS += afterS / 4;
          const answered = outcome === 'ok' || outcome === 'wrong-answer' || outcome === 'http-error';
          if (kind === 'started') accounting.iterationStarted(nowS);
          else if (kind === 'dropped') accounting.iterationDropped(nowS);
          else if (kind === 'advance') seen.push(...accounting.advance(nowS).map((interval) => interval.startS));
          else if (kind === 'request') {
            const how = { step, outcome, status: answered ? 200 : 0, bodyBytes: 0, latencyS };
            accounting.requestEnded(nowS, { ...how, describe: () => 'x' });
          } else accounting.iterationEnded(nowS, kind === 'failed');
        }
        nowS = Math.max(nowS, -limits.warmUpS + 0.1);
        const { intervals } = consistent(accounting, nowS, limits);
        seen.push(...accounting.advance(nowS).map((interval) => interval.startS));
        expect(seen).toEqual(intervals.map((interval) => interval.startS));
      }),
      { numRuns: 200 },
    );
  });

  test('refuses more names of requests than it can keep apart, also of what leaves no trace', () => {
    const accounting = createAccounting({ warmUpS: 0, durationS: 2 });
    for (let id = 0; id < MOST_STEPS; id += 1) accounting.requestEnded(id < 100 ? -1 : 1, ok(0.1, `read ${id}`));
    accounting.requestEnded(1, ok(0.1, 'read 0'));
    expect(() => accounting.requestEnded(1, ok(0.1, 'read 4711'))).toThrow(
      expect.objectContaining({ code: 'SCENARIO_TOO_MANY_STEPS', message: expect.stringContaining("'read 4711'") }),
    );
  });
});
