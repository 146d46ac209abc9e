import { TierbenchError } from '../core/errors.ts';
import type { RunResult } from '../core/run.ts';
import type { Calibration } from '../core/study-record.ts';
import type { Interval, Trial, TrialRecord } from '../core/trial.ts';
import type { Estimate } from '../core/units.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { drawResamples, ratioEstimate, seededRandom } from '../statistics/block-bootstrap.ts';
import { sumInBlocks } from '../statistics/sums.ts';
import { disturbanceCaveats, disturbanceOf, undisturbed } from './disturbance.ts';
import type { JudgedTrial, LatencySample, StepSummary } from './judged-trial.ts';
import { estimateLatency, p95BlocksOf, sampleLatency, summarizeLatency } from './latency-summary.ts';
import { type LatencyViews, latencyViews } from './latency-views.ts';
import { requestCounts, requestsIn, succeededIn, wholeSeconds } from './trial-window.ts';
import { caveatsOf, judgeValidity } from './validity.ts';

/** The trials that are evidence, in the order they were measured: of a repeated trial the last attempt. */
export function judgeTrials({ trials, facts }: Pick<RunResult, 'trials' | 'facts'>): readonly JudgedTrial[] {
  const repeated = new Set(trials.map(({ repeats }) => repeats));
  return trials
    .filter(({ purpose, sequence }) => purpose === 'measure' && !repeated.has(sequence))
    .map((record) => judgeTrial(record, facts.calibration));
}

/**
 * One trial in numbers, each with its interval, and whether it is valid. The same trial gives the same figures: resampling
 * is seeded by its plan. `calibration` is that of its run, where there is one. @throws TierbenchError RESULTS_NOT_READABLE
 */
export function judgeTrial(record: TrialRecord, calibration: Calibration | null = null): JudgedTrial {
  try {
    return judged(record, calibration);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const what = `trial ${record.sequence} of ${record.subject} is damaged: ${cause.message}`;
    const file = `trials/${String(record.sequence).padStart(4, '0')}-*.json`;
    throw new TierbenchError('RESULTS_NOT_READABLE', what, `Remove ${file} from the folder to read the rest.`, {
      cause,
    });
  }
}

function judged(record: TrialRecord, calibration: Calibration | null): JudgedTrial {
  const { trial } = record;
  const seconds = wholeSeconds(trial);
  const rate = rateEstimator(trial, seconds);
  const bySecond = seconds.map(decodeSteps);
  const ofWindow = trial.steps.map(({ latency }) => LatencyHistogram.decode(latency));
  const nothing = LatencyHistogram.empty();
  const all = LatencyHistogram.merged(ofWindow);
  const allBySecond = bySecond.map((histograms) => LatencyHistogram.merged(histograms.values()));
  const asMeasured = sampleLatency(all, allBySecond, undisturbed.lag);
  const disturbance = disturbanceOf(record, estimateLatency(asMeasured, 0.95)?.value ?? null);
  const { lag } = disturbance;
  const answersOfAll: LatencySample = { ...asMeasured, lag };
  const answersOfSteps = trial.steps.map((step, index) => ({
    step: step.name,
    latency: sampleLatency(
      ofWindow[index] ?? nothing,
      bySecond.map((histograms) => histograms.get(step.name) ?? nothing),
      lag,
    ),
    requests: requestCounts({ iterations: trial.iterations, steps: [step] }),
  }));
  const steps = trial.steps.map((step, index): StepSummary => {
    const requests = requestsIn([step]);
    return {
      name: step.name,
      requests,
      errorRatio: ratio(requests - step.outcomes.ok, requests),
      throughputPerS: rate(step.outcomes.ok, (second) => okRequests(second, step.name)),
      latency: summarizeLatency(answersOfSteps[index]?.latency ?? sampleLatency(nothing, [], lag)),
    };
  });
  const latency = summarizeLatency(answersOfAll);
  const requests = requestCounts(trial);
  const meanLatencyS = allBySecond.filter(({ count }) => count > 0).map(({ meanS }) => meanS);
  let views: LatencyViews | null | undefined;
  return {
    record,
    summary: {
      sequence: record.sequence,
      tier: record.subject,
      scenario: trial.plan.scenario,
      load: trial.plan.load,
      throughputPerS: rate(succeededIn(trial), succeededIn),
      iterationsPerS: rate(trial.iterations.completed - trial.iterations.failed, ({ iterations }) => {
        return iterations.completed - iterations.failed;
      }),
      errorRatio: ratio(requests.failed, requests.all),
      latency,
      steps,
    },
    validity: judgeValidity(record, { latency, meanLatencyS, calibration, disturbance }),
    caveats: [...disturbanceCaveats(disturbance), ...caveatsOf(trial, latency, calibration)],
    disturbance,
    requests,
    answers: { all: { step: null, latency: answersOfAll, requests }, steps: answersOfSteps },
    latency: all,
    p95Blocks: p95BlocksOf(all, allBySecond),
    get views() {
      views ??= latencyViews(trial, all, requests.failed);
      return views;
    },
  };
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

function decodeSteps({ steps }: Pick<Interval, 'steps'>): ReadonlyMap<string, LatencyHistogram> {
  return new Map(
    steps
      .filter(({ outcomes }) => outcomes.ok > 0)
      .map(({ name, latency }) => [name, LatencyHistogram.decode(latency)]),
  );
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
