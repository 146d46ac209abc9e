import { describe, expect, test } from 'vitest';
import { queueLikeTheory } from '../contracts/engines/known-queue.ts';
import { measureTruth } from '../contracts/engines/truth-contract.ts';
import { openLoopEngine } from '../engines/open-loop/open-loop.ts';
import { judgeTrial } from './judge-trial.ts';
import { estimateLatency } from './latency-summary.ts';

const durationS = 6.2;

/** Keeps the thread of the generator from everything else for so long, five times a second. */
function beLate(lagMs: number): Disposable {
  const timer = setInterval(() => {
    const untilMs = performance.now() + lagMs;
    while (performance.now() < untilMs) {
      // Busy.
    }
  }, 200);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

describe('the interval of a latency holds the truth of a known server', () => {
  test.each([1, 5, 20])('with a generator that is late by %d ms', async (lagMs) => {
    const known = queueLikeTheory('M/D/1', 0.5, 0.005, durationS);
    const { arrivalRatePerS } = known.load;
    using _late = beLate(lagMs);
    const { trial, served, waits } = await measureTruth(
      openLoopEngine(),
      { queue: 'fifo', serviceTimesS: known.serviceTimesS },
      { arrivalRatePerS, arrivals: 'poisson' },
      { durationS, seed: known.seed },
      0,
    );
    const judged = judgeTrial({ sequence: 1, subject: 'none', purpose: 'measure', trial, samples: [], notes: [] });
    const { lag } = judged.disturbance;
    if (lagMs === 20) expect(lag.lagS).toBeGreaterThan(0.015);
    // What no interval is widened by, and what theory knows nothing of: that the server itself waits for a CPU.
    const toleranceS = lag.lagS > 0 ? 0 : 0.005;
    for (const measure of [0.5, 0.95, 0.99, 'mean'] as const) {
      const found = estimateLatency(judged.answers.all.latency, measure);
      const truthS = measure === 'mean' ? served.meanS : served.quantileS(measure);
      expect(found?.low, `${measure}`).toBeLessThanOrEqual(truthS + toleranceS);
      expect(found?.high, `${measure}`).toBeGreaterThanOrEqual(0.999 * truthS);
    }
    const p95S = judged.summary.latency.p95S;
    expect(p95S?.low).toBeLessThanOrEqual(known.p95S + toleranceS + 2 * waits.maxS);
    expect(p95S?.high).toBeGreaterThanOrEqual(0.97 * known.p95S);
  });
});
