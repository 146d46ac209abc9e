import { describe, expect, it } from 'vitest';
import { drawResamples, type Random, ratioEstimate, seededRandom } from './block-bootstrap.ts';
import { effectiveSampleSize } from './correlation.ts';
import { correlatedQuantileRanks, quantileRanks } from './quantile-ranks.ts';
import { sumInBlocks } from './sums.ts';

/**
 * Does a 95 % interval contain the truth in about 95 % of simulated trials? Latencies are log-normal with median 20 ms,
 * and each is correlated with the one before (an AR(1) process on the logarithm), as behind a queue.
 */
interface Traffic {
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly correlation: number;
}

const spread = 0.5;
const trueMeanS = 0.02 * Math.exp(spread ** 2 / 2);
const trueP95S = 0.02 * Math.exp(spread * 1.6448536);
const simulatedTrials = 400;
/** With 400 trials, 95 % is measured to within 0.022 (two standard errors). */
const measurementError = 0.022;

function simulate(traffic: Traffic, random: Random): number[][] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let state = normal();
  return Array.from({ length: traffic.seconds }, () =>
    Array.from({ length: traffic.requestsPerSecond }, () => {
      state = traffic.correlation * state + Math.sqrt(1 - traffic.correlation ** 2) * normal();
      return 0.02 * Math.exp(spread * state);
    }),
  );
}

function coverageOf(covers: (seconds: number[][], random: Random) => boolean, traffic: Traffic): number {
  const random = seededRandom(2024);
  let covered = 0;
  for (let trial = 0; trial < simulatedTrials; trial += 1) {
    if (covers(simulate(traffic, random), random)) covered += 1;
  }
  return covered / simulatedTrials;
}

function meanIsCovered(seconds: number[][], random: Random): boolean {
  const sums = sumInBlocks(seconds.map((latencies) => latencies.reduce((sum, latency) => sum + latency, 0)));
  const counts = sumInBlocks(seconds.map((latencies) => latencies.length));
  const estimate = ratioEstimate(sums, counts, drawResamples(counts.length, random, 500));
  return estimate !== null && estimate.low <= trueMeanS && trueMeanS <= estimate.high;
}

function p95IsCovered(seconds: number[][]): boolean {
  const sorted = Float64Array.from(seconds.flat()).sort();
  const p95 = sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0;
  const within = sumInBlocks(seconds.map((latencies) => latencies.filter((latency) => latency <= p95).length));
  const counts = sumInBlocks(seconds.map((latencies) => latencies.length));
  const worth = effectiveSampleSize(within, counts, 0.95);
  const ranks = worth === null ? null : correlatedQuantileRanks(sorted.length, worth, 0.95);
  return (
    ranks !== null && (sorted[ranks.lowRank - 1] ?? 0) <= trueP95S && trueP95S <= (sorted[ranks.highRank - 1] ?? 0)
  );
}

function p95IsCoveredAsIfIndependent(seconds: number[][]): boolean {
  const sorted = Float64Array.from(seconds.flat()).sort();
  const ranks = quantileRanks(sorted.length, 0.95);
  return (
    ranks !== null && (sorted[ranks.lowRank - 1] ?? 0) <= trueP95S && trueP95S <= (sorted[ranks.highRank - 1] ?? 0)
  );
}

const independent: Traffic = { seconds: 8, requestsPerSecond: 100, correlation: 0 };
const short: Traffic = { seconds: 10, requestsPerSecond: 100, correlation: 0.9 };
const long: Traffic = { seconds: 60, requestsPerSecond: 100, correlation: 0.98 };

describe('a 95 % interval', () => {
  it.each([
    // A short trial of correlated requests is the hardest case; the intervals may cover as little as 90 % there.
    { what: 'of a mean, 8 s, independent', covers: meanIsCovered, traffic: independent, atLeast: 0.92 },
    { what: 'of a mean, 10 s, correlated', covers: meanIsCovered, traffic: short, atLeast: 0.9 },
    { what: 'of a mean, 60 s, strongly correlated', covers: meanIsCovered, traffic: long, atLeast: 0.9 },
    { what: 'of p95, 8 s, independent', covers: p95IsCovered, traffic: independent, atLeast: 0.95 },
    { what: 'of p95, 10 s, correlated', covers: p95IsCovered, traffic: short, atLeast: 0.92 },
    { what: 'of p95, 60 s, strongly correlated', covers: p95IsCovered, traffic: long, atLeast: 0.93 },
  ])('covers in at least $atLeast of the trials: $what', ({ covers, traffic, atLeast }) => {
    expect(coverageOf(covers, traffic)).toBeGreaterThanOrEqual(atLeast - measurementError);
  });

  it('would cover far less if requests were taken for independent', () => {
    expect(coverageOf(p95IsCoveredAsIfIndependent, short)).toBeLessThan(0.6);
  });
});
