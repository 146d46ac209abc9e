import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpTrial } from '../../test-support/made-up-trial.ts';
import { judgeTrial } from './judge-trial.ts';
import { hiddenLatency, isMisleading } from './latency-views.ts';

const open = { load: { model: 'open', arrivalRatePerS: 100, arrivals: 'constant' } } as const;

function viewsOf(choice: MadeUpTrial) {
  const { views } = judgeTrial(madeUpTrial({ ...open, ...choice }));
  if (views === null) throw new Error('there are views');
  return views;
}

/** 100 a second for 60 s. In second 30 nothing moves for its whole length: each waits for the rest of it. */
const stalled: MadeUpTrial = {
  measuredS: 60,
  latencyS: (request, second) => (second === 30 ? 1.005 - request / 100 : 0.005),
  serviceTimeS: 0.005,
  coordinatedS: [...Array.from({ length: 5890 }, () => 0.005), ...Array.from({ length: 10 }, () => 1)],
};

describe('a trial read in three ways', () => {
  it('counts from the scheduled start, from when it was sent, and as a closed-loop load does', () => {
    const { scheduled, sent, closedLoop } = viewsOf(stalled);
    // The p-quantile of a stall of S in T at rate r: S + s - (1 - p) T.
    expect(scheduled.p99S).toBeCloseTo(1 + 0.005 - 0.01 * 60, 1);
    expect(scheduled).toMatchObject({
      count: 6000,
      p50S: expect.closeTo(0.005, 4),
      longestS: expect.closeTo(1.005, 2),
    });
    expect(sent).toMatchObject({ count: 6000, p99S: expect.closeTo(0.005, 4), longestS: expect.closeTo(0.005, 4) });
    expect(closedLoop).toMatchObject({ count: 5900, p99S: expect.closeTo(0.005, 4), longestS: expect.closeTo(1, 2) });
  });

  it('what was dropped or failed was scheduled, and never answered', () => {
    const { scheduled, sent } = viewsOf({ ...stalled, latencyS: 0.005, droppedPerS: 2, failedPerS: 1 });
    expect(scheduled).toMatchObject({
      count: 6180,
      p95S: expect.closeTo(0.005, 4),
      p99S: Infinity,
      longestS: Infinity,
    });
    expect(scheduled.quantileS(6000 / 6180)).toBeCloseTo(0.005, 4);
    expect(scheduled.quantileS(6001 / 6180)).toBe(Infinity);
    expect(sent?.longestS).toBeCloseTo(0.005, 4);
  });

  it('gives no percentile that the samples allow no interval for', () => {
    const { scheduled, closedLoop } = viewsOf({ ...stalled, measuredS: 1, coordinatedS: [0.005] });
    expect(scheduled).toMatchObject({ count: 100, p95S: expect.any(Number), p99S: null });
    expect(closedLoop).toMatchObject({ count: 1, p50S: null, longestS: expect.any(Number) });
  });

  it('is read in one way where nothing is scheduled, or the engine does not tell', () => {
    expect(judgeTrial(madeUpTrial({ ...stalled, load: { model: 'closed', concurrency: 10 } })).views).toBeNull();
    expect(judgeTrial(madeUpTrial(open)).views).toBeNull();
    const { sent, closedLoop } = viewsOf({ serviceTimeS: 0.02 });
    expect([sent?.count, closedLoop]).toEqual([1000, null]);
  });
});

describe('what the other ways hide', () => {
  const hiddenIn = (choice: MadeUpTrial) => hiddenLatency(viewsOf(choice));

  it('is that of a closed-loop load, at the percentile where it is most', () => {
    const hidden = hiddenIn(stalled);
    expect(hidden).toMatchObject({ percentile: 'p99', by: 'closedLoop', readS: expect.closeTo(0.005, 4) });
    expect(hidden?.times).toBeGreaterThan(70);
    expect(hidden !== null && isMisleading(hidden)).toBe(true);
    const slowForMost = (request: number) => (request < 60 ? 0.5 : 1);
    expect(
      hiddenIn({ latencyS: slowForMost, coordinatedS: [...Array(80).fill(0.1), ...Array(20).fill(1)] }),
    ).toMatchObject({
      percentile: 'p50',
      times: expect.closeTo(5, 1),
    });
  });

  it('is the percentile of the requests sent where the engine reports no more, and absent where there are too few samples', () => {
    expect(hiddenIn({ ...stalled, coordinatedS: [] })).toMatchObject({ percentile: 'p99', by: 'sent' });
    expect(hiddenIn({ okPerS: 5, measuredS: 1, serviceTimeS: 0.02 })).toBeNull();
  });

  it('is infinite where so many were never answered', () => {
    expect(hiddenIn({ ...stalled, droppedPerS: 10 })).toMatchObject({ scheduledS: Infinity, times: Infinity });
  });

  it.each([
    [0.02, 0.019, false],
    [0.000_3, 0.000_1, false],
    [0.02, 0.01, true],
    [0.02, 0.03, false],
  ])('%s s where %s s were read is misleading: %s', (latencyS, serviceTimeS, misleading) => {
    const hidden = hiddenIn({ latencyS, serviceTimeS });
    expect(hidden !== null && isMisleading(hidden)).toBe(misleading);
  });
});
