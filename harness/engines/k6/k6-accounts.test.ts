import { expect, test } from 'vitest';
import type { Interval } from '../../core/trial.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { createK6Accounts, type K6Accounts } from './k6-accounts.ts';
import type { DroppedInK6, EndedInK6, K6Event } from './k6-events.ts';

/** The clock of the machine when that of the test run read 0, and when the scenario of k6 began. */
const RUN_START_MS = 1_795_274_574_000;
const ORIGIN_MS = 120;

const ok: EndedInK6 = { step: 'get', outcome: 'ok', status: 200, follows: 'done' };

/** What k6 would report at `atS` from the start of its executor. */
const runMs = (atS: number): number => ORIGIN_MS + atS * 1000;
const origin: K6Event = { kind: 'origin', runMs: ORIGIN_MS };
const reportedAt = (vu: number, atS: number, holdsBack: boolean): K6Event => ({
  kind: 'reported',
  vu,
  runMs: runMs(atS),
  wallMs: Math.floor(RUN_START_MS + runMs(atS)),
  holdsBack,
});
/** k6 began. */
const began = [origin, reportedAt(1, 0, false)];
const iteration = (vu: number, atS: number): K6Event => ({ kind: 'iteration', vu, runMs: runMs(atS) });
const dropped = (atS: number): DroppedInK6 => ({ count: 1, wallMs: RUN_START_MS + runMs(atS) });
const ended = (vu: number, fromS: number, toS: number, how = ok): K6Event => ({
  kind: 'ended',
  vu,
  runMs: runMs(toS),
  latencyMs: (toS - fromS) * 1000,
  serviceTimeMs: (toS - fromS) * 1000,
  bodyBytes: 0,
  how,
});
const request = (vu: number, fromS: number, toS: number): K6Event[] => [iteration(vu, fromS), ended(vu, fromS, toS)];

function add(accounts: K6Accounts, reports: readonly (K6Event | DroppedInK6)[]): void {
  for (const each of reports) {
    if ('kind' in each) accounts.add(each);
    else accounts.addDropped(each);
  }
}

function reported(accounts: K6Accounts, reports: readonly (K6Event | DroppedInK6)[]) {
  add(accounts, [...began, ...reports]);
  const account = accounts.close();
  const none = LatencyHistogram.empty().encode();
  const { latency, serviceTime } = account.steps[0] ?? { latency: none };
  return {
    ...account,
    latency: LatencyHistogram.decode(latency),
    serviceTime: LatencyHistogram.decode(serviceTime ?? none),
    inFlightAtEnd: LatencyHistogram.decode(account.inFlightAtEnd),
  };
}

const everyS = (periodS: number) => {
  let count = -1;
  return () => {
    count += 1;
    return count * periodS;
  };
};
const openAt = (ratePerS: number, warmUpS: number, durationS: number) =>
  createK6Accounts(
    { load: { model: 'open', arrivalRatePerS: ratePerS, arrivals: 'constant' }, warmUpS, durationS },
    everyS(1 / ratePerS),
  );
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('latency runs from when it was scheduled, service time from when k6 began', () => {
  // Ten a second for 2 s; the executor sleeps from 1.0 to 1.3 s and then begins what is scheduled at once.
  const starts = range(20).map((index) => (index >= 10 && index < 13 ? 1.3 : index / 10));
  const { latency, serviceTime, iterations, sendLagP99S } = reported(
    openAt(10, 0, 2),
    starts.flatMap((atS, index) => request(1 + (index % 5), atS, atS + 0.05)),
  );
  expect(iterations).toEqual({ intended: 20, completed: 20, failed: 0, dropped: 0 });
  expect(serviceTime.maxS).toBeCloseTo(0.05, 3);
  expect([latency.valueAtRankS(17), latency.valueAtRankS(18), latency.valueAtRankS(19), latency.maxS]).toEqual(
    [0.05, 0.15, 0.25, 0.35].map((seconds) => expect.closeTo(seconds, 3)),
  );
  expect(sendLagP99S).toBeCloseTo(0.3, 3);
});

test('what k6 dropped was scheduled in its place: what it began after that is not early', () => {
  // One virtual user that takes 250 ms at ten a second: of three that are scheduled it takes one.
  const samples = range(30).flatMap((index): (K6Event | DroppedInK6)[] =>
    index % 3 === 0 ? request(1, index / 10, index / 10 + 0.25) : [dropped(index / 10)],
  );
  const { latency, iterations, intervals, sendLagP99S } = reported(openAt(10, 1, 2), samples);
  expect(iterations).toEqual({ intended: 20, completed: 7, failed: 0, dropped: 14 });
  expect(intervals.map(({ startS, iterations: { intended, dropped: lost } }) => [startS, intended, lost])).toEqual([
    [-1, 10, 6],
    [0, 10, 7],
    [1, 10, 7],
  ]);
  expect([latency.quantileS(0), latency.maxS]).toEqual([expect.closeTo(0.25, 3), expect.closeTo(0.25, 3)]);
  expect(sendLagP99S).toBeLessThan(1e-5);
});

test('what is in flight at the end waits from when it was scheduled, whether or not k6 had begun it', () => {
  const samples = [
    ...request(1, 0, 0.9),
    iteration(2, 0.25),
    // Answered after the window: k6 lasts a second at least.
    ...request(3, 0.3, 0.8),
  ];
  const { iterations, inFlightAtEnd, steps } = reported(openAt(10, 0, 0.5), samples);
  expect(iterations).toEqual({ intended: 5, completed: 0, failed: 0, dropped: 0 });
  expect(steps).toEqual([]);
  expect(inFlightAtEnd.count).toBe(5);
  expect([inFlightAtEnd.quantileS(0), inFlightAtEnd.maxS]).toEqual([expect.closeTo(0.1, 3), expect.closeTo(0.5, 3)]);
});

test('requests of one iteration follow each other, and a think time is in no latency', () => {
  const samples = [
    iteration(1, 0.02),
    ended(1, 0.02, 0.1, { ...ok, follows: 'send' }),
    ended(1, 0.1, 0.2, { ...ok, follows: 'think' }),
    // The think time was over at 0.7 s.
    { kind: 'request', vu: 1, runMs: runMs(0.7) } as const,
    ended(1, 0.7, 0.85, { ...ok, outcome: 'http-error', status: 500, follows: 'think' }),
    { kind: 'done', vu: 1, runMs: runMs(0.95), failed: true } as const,
    // In the next one the second request is in flight at the end.
    iteration(1, 1),
    ended(1, 1, 1.5, { ...ok, follows: 'send' }),
  ];
  const accounts = openAt(1, 0, 2);
  const { latency, iterations, steps, inFlightAtEnd } = reported(accounts, samples);
  expect(iterations).toEqual({ intended: 2, completed: 1, failed: 1, dropped: 0 });
  expect(steps[0]?.outcomes).toMatchObject({ ok: 3, 'http-error': 1 });
  // Of the first two: 20 ms late and 80 ms, then 100 ms.
  expect(range(3).map((index) => latency.valueAtRankS(index + 1))).toEqual(
    [0.1, 0.1, 0.5].map((seconds) => expect.closeTo(seconds, 3)),
  );
  expect([inFlightAtEnd.count, inFlightAtEnd.maxS]).toEqual([1, expect.closeTo(0.5, 3)]);
});

test('nobody waits for those who think', () => {
  const samples = [iteration(1, 0), ended(1, 0, 0.1, { ...ok, follows: 'think' })];
  expect(reported(openAt(1, 0, 1), samples).inFlightAtEnd.count).toBe(0);
});

test('a closed load is counted from when each began', () => {
  const accounts = createK6Accounts({ load: { model: 'closed', concurrency: 2 }, warmUpS: 1, durationS: 2 });
  const samples = range(29).flatMap((index) => request(1, index / 10, index / 10 + 0.1));
  const { iterations, intervals, sendLagP99S, stopped, measuredS } = reported(accounts, [...samples, iteration(2, 0)]);
  expect(intervals[0]?.iterations).toEqual({ intended: 11, completed: 9, failed: 0, dropped: 0 });
  expect(iterations).toMatchObject({ intended: 19, completed: 20 });
  expect([sendLagP99S, stopped, measuredS]).toEqual([null, false, 2]);
});

test('seconds are reported as they are over, and the same whatever order the virtual users came in', () => {
  const samples = range(30).flatMap((index) => request(1 + (index % 3), index / 10, index / 10 + 0.05));
  const whole = reported(openAt(10, 1, 2), samples);
  const accounts = openAt(10, 1, 2);
  const seen: Interval[] = [];
  const advance = (atS: number) => seen.push(...accounts.advance(RUN_START_MS + ORIGIN_MS + atS * 1000));
  advance(5);
  add(accounts, began);
  for (const vu of [2, 1, 3]) for (const each of samples) if ('vu' in each && each.vu === vu) accounts.add(each);
  advance(0.5);
  expect(seen).toEqual([]);
  advance(1.2);
  expect(seen.map(({ startS }) => startS)).toEqual([-1]);
  advance(2.9);
  accounts.close();
  advance(Number.POSITIVE_INFINITY);
  expect(seen).toEqual(whole.intervals);
});

test('what is reported late counts in the second in which it was scheduled, however late that is', () => {
  // The executor sleeps for 1.5 s as the window begins; meanwhile answers to what it began before come in.
  const accounts = openAt(10, 1, 3);
  add(accounts, began);
  const seen: Interval[] = [];
  const starts = range(40).map((index) => (index >= 9 && index < 24 ? 2.4 : index / 10));
  let next = 0;
  for (let tick = 1; tick <= 40; tick += 1) {
    for (; (starts[next] ?? Number.NaN) <= tick / 10; next += 1) {
      for (const each of request(1 + next, starts[next] ?? 0, (starts[next] ?? 0) + 0.02)) accounts.add(each);
    }
    seen.push(...accounts.advance(RUN_START_MS + ORIGIN_MS + tick * 100));
  }
  const { iterations, intervals, steps } = accounts.close();
  // One of those that end in the window was scheduled before it.
  expect(iterations).toEqual({ intended: 30, completed: 31, failed: 0, dropped: 0 });
  expect(intervals.map((interval) => interval.iterations.intended)).toEqual([10, 10, 10, 10]);
  expect(seen).toEqual(intervals.slice(0, seen.length));
  expect(seen.length).toBeGreaterThan(1);
  expect(LatencyHistogram.decode(steps[0]?.latency ?? '').maxS).toBeCloseTo(1.52, 2);
});

test('nothing counts that came after the stop', () => {
  const accounts = openAt(10, 0, 60);
  accounts.stopAt(RUN_START_MS + ORIGIN_MS + 1250);
  const { stopped, measuredS, iterations, inFlightAtEnd } = reported(
    accounts,
    range(20).flatMap((index) => request(1 + (index % 3), index / 10, index / 10 + 0.08)),
  );
  expect([stopped, measuredS]).toEqual([true, expect.closeTo(1.25, 6)]);
  expect(iterations).toEqual({ intended: 13, completed: 12, failed: 0, dropped: 0 });
  expect(inFlightAtEnd.count).toBe(1);
});

test('stopped before k6 offered any load, nothing was measured', () => {
  const accounts = openAt(10, 2, 60);
  accounts.stopAt(RUN_START_MS);
  expect(accounts.close()).toMatchObject({ stopped: true, measuredS: 0, steps: [], intervals: [] });
});

test('a schedule that begins when the virtual users are ready begins with the one that was the least late', () => {
  const accounts = createK6Accounts(
    { load: { model: 'open', arrivalRatePerS: 10, arrivals: 'constant' }, warmUpS: 0, durationS: 2 },
    everyS(0.1),
    true,
  );
  // They were ready after 30 ms; the first few are later than that.
  const starts = range(19).map((index) => 0.03 + index / 10 + (index < 3 ? 0.02 : 0));
  const { latency, iterations } = reported(
    accounts,
    starts.flatMap((atS, index) => request(1 + (index % 3), atS, atS + 0.05)),
  );
  expect(iterations.completed).toBe(19);
  expect([latency.quantileS(0), latency.maxS]).toEqual([expect.closeTo(0.05, 3), expect.closeTo(0.07, 3)]);
});

test('a second is over when nobody may report anything of it any more', () => {
  const accounts = createK6Accounts({ load: { model: 'closed', concurrency: 2 }, warmUpS: 0, durationS: 3 });
  add(accounts, [origin, reportedAt(1, 0, true), reportedAt(2, 0, false)]);
  const seen: Interval[] = [];
  const advance = (atS: number) => seen.push(...accounts.advance(RUN_START_MS + ORIGIN_MS + atS * 1000));
  advance(2.5);
  expect(seen).toEqual([]);
  // It waited for an answer from 0.2 s on, and had done something before.
  add(accounts, [...request(1, 0.1, 0.2), iteration(1, 0.2), ended(1, 0.2, 2.4), reportedAt(1, 2.4, true)]);
  advance(2.5);
  expect(seen.map(({ startS, iterations }) => [startS, iterations.completed])).toEqual([
    [0, 1],
    [1, 0],
  ]);
  add(accounts, [reportedAt(1, 3, false)]);
  expect(accounts.close()).toMatchObject({ stopped: false, measuredS: 3, iterations: { completed: 2 } });
});

test('where k6 was interrupted, what may have been held back ends the measurement', () => {
  const accounts = createK6Accounts({ load: { model: 'closed', concurrency: 2 }, warmUpS: 0, durationS: 60 });
  add(accounts, [
    ...began,
    ...request(1, 0, 1),
    reportedAt(1, 1.25, true),
    ...request(2, 0, 1.5),
    reportedAt(2, 1.5, false),
  ]);
  accounts.stopAt(RUN_START_MS + ORIGIN_MS + 1600);
  expect([1200, 1300].map((ms) => accounts.knowsUntil(RUN_START_MS + ORIGIN_MS + ms))).toEqual([true, false]);
  const { stopped, measuredS, iterations } = accounts.close();
  expect([stopped, measuredS, iterations.completed]).toEqual([true, expect.closeTo(1.25, 6), 1]);
});
