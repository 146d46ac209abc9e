import { beforeAll, describe, expect, test } from 'vitest';
import { type KnownQueue, queueLikeTheory } from '../../contracts/engines/known-queue.ts';
import { queues, stallQuantileS } from '../../contracts/engines/theory.ts';
import { latencyOf } from '../../contracts/engines/trial-contract.ts';
import {
  expectAsInTheory,
  expectReadAsServed,
  type KnownTruth,
  measureTruth,
  mostLagS,
} from '../../contracts/engines/truth-contract.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { openLoopEngine } from './open-loop.ts';

/** Long enough to tell 5 % of a stall from what a machine makes late; `npm run bench:truth` takes longer. */
const DURATION_S = 20;
const STALL_S = 0.6;
const SERVICE_S = 0.005;

const stalls = [
  { queue: 'unlimited', utilization: 0 },
  { queue: 'fifo', utilization: 0.5 },
] as const;
const known = queues.flatMap((queue) =>
  [0.5, 0.8].map((utilization) => ({
    title: `${queue} at utilization ${utilization}`,
    queue: queueLikeTheory(queue, utilization, SERVICE_S, DURATION_S),
  })),
);

const measureStall = ({ queue }: (typeof stalls)[number]): Promise<KnownTruth> => {
  const stalling = { queue, serviceTimesS: [0.0025], stall: { fromS: 7, toS: 7 + STALL_S } };
  return measureTruth(openLoopEngine(), stalling, { arrivalRatePerS: 200 }, { durationS: DURATION_S }, 0);
};

const measureQueue = ({ load, seed, serviceTimesS }: KnownQueue): Promise<KnownTruth> =>
  measureTruth(openLoopEngine(), { queue: 'fifo', serviceTimesS }, load, { durationS: DURATION_S, seed }, 0);

/** All at the same time: each leaves the machine idle for the most part. */
let stalled: readonly KnownTruth[] = [];
let queued: readonly KnownTruth[] = [];
beforeAll(
  async () => {
    [stalled, queued] = await Promise.all([
      Promise.all(stalls.map(measureStall)),
      Promise.all(known.map(({ queue }) => measureQueue(queue))),
    ]);
  },
  3 * DURATION_S * 1000,
);

const nth = (truths: readonly KnownTruth[], index: number): KnownTruth => {
  const truth = truths[index];
  if (truth === undefined) throw new Error('nothing was measured');
  return truth;
};

describe('a stall of 0.6 s in 20 s at 200/s', () => {
  test.each(stalls.map((stall, index) => ({ ...stall, index })))(
    'is read as in theory, and as it was served ($queue)',
    ({ index, utilization }) => {
      const truth = nth(stalled, index);
      expectReadAsServed(truth);
      const system = { durationS: DURATION_S, stallS: STALL_S, serviceTimeS: 0.0025, utilization };
      expectAsInTheory(truth, (ratio) => stallQuantileS(system, ratio));
    },
  );

  test('ten closed-loop users would not have seen it', () => {
    const { trial, waits } = nth(stalled, 0);
    const closedLoop = LatencyHistogram.decode(trial.steps[0]?.closedLoop ?? '');
    expect(closedLoop.count).toBeGreaterThan(3300);
    expect(closedLoop.count).toBeLessThan(4000 - 80);
    expect(closedLoop.quantileS(0.99)).toBeLessThan(0.0025 + 0.005 + mostLagS(trial, waits));
    // Each of them met it once.
    expect(closedLoop.valueAtRankS(closedLoop.count - 9)).toBeGreaterThan(0.9 * STALL_S);
  });
});

describe('queues are read as they were served, and as in theory within 5 %', () => {
  test.each(known.map(({ title, queue }, index) => ({ title, queue, index })))('$title', ({ queue, index }) => {
    const truth = nth(queued, index);
    expectReadAsServed(truth);
    const { trial, waits } = truth;
    const latency = latencyOf(trial, 'request');
    // Where somebody was late those who came found a longer queue, never a shorter one.
    expect(latency.meanS).toBeGreaterThan(0.95 * queue.meanS);
    expect(latency.quantileS(0.95)).toBeGreaterThan(0.95 * queue.p95S);
    expect(latency.meanS).toBeLessThan(1.05 * queue.meanS + mostLagS(trial, waits));
    expect(latency.quantileS(0.95)).toBeLessThan(1.05 * queue.p95S + mostLagS(trial, waits));
  });
});
