import { expect } from 'vitest';
import type { Trial, TrialPlan } from '../../core/trial.ts';
import type { LoadEngine } from '../../engines/engine.ts';
import type { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { type QueueSettings, startQueueServer } from './queue-server.ts';
import oneRequest from './scenarios/one-request.ts';
import { expectConsistent, expectFigures, inFlightOf, latencyOf, openRequestFor, ownLagS } from './trial-contract.ts';
import { startWitness } from './witness.ts';

/**
 * A trial against a server whose truth is known. What is read is never less than the truth, however busy the machine is:
 * that is expected without allowance. It may be more where somebody was late: by no more than twice what the slowest
 * witness waited, once on the way there and once on the way back.
 */
export interface KnownTruth {
  readonly trial: Trial;
  /** Arrival to answer, as the server saw it. */
  readonly served: LatencyHistogram;
  /** How many requests the server answered with an error. */
  readonly refused: number;
  /** What the witness waited. */
  readonly waits: LatencyHistogram;
  /**
   * This share of the requests may have been late without the witness, and by more than the engine tells, whose lags are
   * 99th percentiles: 0 where the engine runs on the thread of the witness.
   */
  readonly unseenRatio: number;
}

export async function measureTruth(
  engine: LoadEngine,
  system: QueueSettings,
  load: Parameters<typeof openRequestFor>[2],
  settings: Partial<Pick<TrialPlan, 'warmUpS' | 'durationS' | 'seed'>>,
  unseenRatio: number,
): Promise<KnownTruth> {
  await using server = await startQueueServer(system);
  const witness = await startWitness(server.baseUrl);
  const request = openRequestFor(oneRequest, server.baseUrl, load, settings);
  const trial = await engine.run(request, new AbortController().signal);
  const waits = await witness.stop();
  expectConsistent(trial);
  return { trial, waits, unseenRatio, ...(await server.tell()) };
}

/** Latencies are those the server knows of: median, p95, p99 and mean within 5 % and 2 ms, where nobody was late. */
export function expectReadAsServed(truth: KnownTruth): void {
  expectFigures(truth.trial, () => expectFiguresAsServed(truth));
}

function expectFiguresAsServed({ trial, served, waits, unseenRatio }: KnownTruth): void {
  const latency = latencyOf(trial, 'request');
  // Served, but not read in the window any more.
  const unread = served.count - latency.count;
  expect(unread).toBeGreaterThanOrEqual(0);
  expect(unread).toBeLessThanOrEqual(inFlightOf(trial));
  for (const ratio of [0.5, 0.95, 0.99]) {
    const rank = Math.ceil(ratio * latency.count);
    const rankOfTruth = Math.min(served.count, rank + unread + Math.ceil(unseenRatio * served.count));
    const read = latency.valueAtRankS(rank);
    expect(read).toBeGreaterThanOrEqual(0.999 * served.valueAtRankS(rank));
    const most = 1.05 * served.valueAtRankS(rankOfTruth) + 0.002 + mostLagS(trial, waits);
    expect(read, `p${100 * ratio}`).toBeLessThanOrEqual(most);
  }
  const sumS = served.meanS * served.count;
  expect(latency.meanS * latency.count).toBeGreaterThanOrEqual(0.999 * sumS - unread * served.maxS);
  // How often the process was late while a request was in flight varies: on average as often as for the reference timer.
  const lagS = ownLagS(trial) + 3 * waits.meanS;
  expect(latency.meanS).toBeLessThanOrEqual((1.05 * sumS) / latency.count + 0.002 + lagS);
}

/** p95 and p99 are those of theory within 5 % or 20 ms, where nobody was late. */
export function expectAsInTheory(truth: KnownTruth, quantileS: (ratio: number) => number, withinS = 0.02): void {
  expectFigures(truth.trial, () => expectFiguresAsInTheory(truth, quantileS, withinS));
}

function expectFiguresAsInTheory(
  { trial, waits, unseenRatio }: KnownTruth,
  quantileS: (ratio: number) => number,
  withinS: number,
): void {
  const latency = latencyOf(trial, 'request');
  for (const ratio of [0.95, 0.99]) {
    const least = quantileS(ratio);
    const most = quantileS(Math.min(1, ratio + unseenRatio));
    const read = latency.quantileS(ratio);
    expect(read).toBeGreaterThanOrEqual(least - Math.max(0.05 * least, withinS));
    expect(read, `p${100 * ratio}`).toBeLessThanOrEqual(most + Math.max(0.05 * most, withinS) + mostLagS(trial, waits));
  }
}

export function mostLagS(trial: Trial, waits: LatencyHistogram): number {
  return ownLagS(trial) + 2 * waits.maxS;
}
