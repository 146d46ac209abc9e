import type { Estimate } from '../core/estimate.ts';
import type { RunResult } from '../core/run.ts';
import type { Calibration } from '../core/study-record.ts';
import type { Interval, Trial, TrialRecord } from '../core/trial.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { drawResamples, ratioEstimate } from '../statistics/block-bootstrap.ts';
import { seededRandom } from '../statistics/seeded-random.ts';
import { sumInBlocks } from '../statistics/time-blocks.ts';
import { caveatsOf } from './held-to-calibration.ts';
import { succeededIn } from './interval-throughput.ts';
import { summarizeLatency } from './latency-summary.ts';
import { requestsIn } from './requests-in.ts';
import type { JudgedTrial, StepSummary, TrialSummary } from './summary.ts';
import { judgeValidity } from './validity.ts';
import { wholeSeconds } from './whole-seconds.ts';

/** The trials that are evidence, in the order they were measured: of a repeated trial the last attempt. */
export function judgeTrials({ trials, facts }: Pick<RunResult, 'trials' | 'facts'>): readonly JudgedTrial[] {
  const repeated = new Set(trials.map(({ repeats }) => repeats));
  return trials
    .filter(({ purpose, sequence }) => purpose === 'measure' && !repeated.has(sequence))
    .map((record) => judgeTrial(record, facts.calibration));
}

/** `calibration` is that of its study, where there is one. The summary is made when it is first read. */
export function judgeTrial(record: TrialRecord, calibration: Calibration | null): JudgedTrial {
  let summary: TrialSummary | undefined;
  return {
    record,
    get summary() {
      summary ??= summarizeTrial(record, calibration);
      return summary;
    },
  };
}

/**
 * One trial in numbers, each with its interval. The same trial gives the same summary: resampling is seeded by its plan.
 * `calibration` is that of its run, where there is one.
 */
export function summarizeTrial(record: TrialRecord, calibration: Calibration | null = null): TrialSummary {
  const { trial } = record;
  const seconds = wholeSeconds(trial);
  const rate = rateEstimator(trial, seconds);
  const bySecond = decodeSeconds(seconds);
  const nothing = LatencyHistogram.empty();
  const steps = trial.steps.map((step): StepSummary => {
    const requests = requestsIn([step]);
    return {
      name: step.name,
      requests,
      errorRatio: ratio(requests - step.outcomes.ok, requests),
      throughputPerS: rate(step.outcomes.ok, (second) => okRequests(second, step.name)),
      latency: summarizeLatency(
        LatencyHistogram.decode(step.latency),
        bySecond.map((histograms) => histograms.get(step.name) ?? nothing),
      ),
    };
  });
  const allStepsBySecond = bySecond.map((histograms) => LatencyHistogram.merged(histograms.values()));
  const latency = summarizeLatency(
    LatencyHistogram.merged(trial.steps.map((step) => LatencyHistogram.decode(step.latency))),
    allStepsBySecond,
  );
  const { bad, all } = requestCounts(trial);
  return {
    sequence: record.sequence,
    tier: record.subject,
    scenario: trial.plan.scenario,
    load: trial.plan.load,
    throughputPerS: rate(
      trial.steps.reduce((sum, step) => sum + step.outcomes.ok, 0),
      succeededIn,
    ),
    iterationsPerS: rate(trial.iterations.completed - trial.iterations.failed, ({ iterations }) => {
      return iterations.completed - iterations.failed;
    }),
    errorRatio: ratio(bad, all),
    latency,
    steps,
    validity: judgeValidity(record, {
      latency,
      meanLatencyS: allStepsBySecond.filter(({ count }) => count > 0).map(({ meanS }) => meanS),
      calibration,
    }),
    caveats: caveatsOf(trial, latency, calibration),
  };
}

export interface RequestCounts {
  /** Requests that were not answered rightly or never sent. */
  readonly bad: number;
  /** All that should have been sent. */
  readonly all: number;
  /** Those of iterations that were dropped: as many as the iterations that were started sent. */
  readonly dropped: number;
}

export function requestCounts(trial: Trial): RequestCounts {
  const { iterations } = trial;
  const requests = requestsIn(trial.steps);
  const ok = trial.steps.reduce((sum, step) => sum + step.outcomes.ok, 0);
  const started = Math.max(iterations.completed, iterations.intended - iterations.dropped);
  const perIteration = requests > 0 && started > 0 ? requests / started : 1;
  const dropped = Math.round(iterations.dropped * perIteration);
  return { bad: requests - ok + dropped, all: requests + dropped, dropped };
}

function okRequests(interval: Interval, stepName: string): number {
  return interval.steps.find(({ name }) => name === stepName)?.outcomes.ok ?? 0;
}

/** The value is over the whole window; the interval comes from its whole seconds. */
function rateEstimator(
  trial: Trial,
  seconds: readonly Interval[],
): (total: number, countOf: (second: Interval) => number) => Estimate | null {
  const durations = sumInBlocks(seconds.map(({ durationS }) => durationS));
  const resamples = drawResamples(durations.length, seededRandom(trial.plan.seed));
  return (total, countOf) => {
    const estimate = ratioEstimate(sumInBlocks(seconds.map(countOf)), durations, resamples);
    if (estimate === null || !(trial.measuredS > 0)) return null;
    const value = total / trial.measuredS;
    return { value, low: Math.min(value, estimate.low), high: Math.max(value, estimate.high) };
  };
}

function decodeSeconds(seconds: readonly Interval[]): Map<string, LatencyHistogram>[] {
  return seconds.map(
    ({ steps }) =>
      new Map(
        steps
          .filter(({ outcomes }) => outcomes.ok > 0)
          .map(({ name, latency }) => [name, LatencyHistogram.decode(latency)]),
      ),
  );
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
