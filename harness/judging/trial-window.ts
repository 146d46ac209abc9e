import type { MetricId } from '../core/metrics.ts';
import type { Interval, ProbeSample, StepResult, Trial, TrialRecord } from '../core/trial.ts';
import { mean } from '../statistics/sums.ts';

/** What a trial counted: in its window, and second by second. */

/** An engine's second may be a little short; the rest of a stopped or fractional window is no second. */
const SHORTEST_SECOND_S = 0.9;

/** The seconds of the measured window that were measured whole. */
export function wholeSeconds(trial: Trial): readonly Interval[] {
  return trial.intervals.filter(isWholeSecond);
}

export function isWholeSecond({ startS, durationS }: Interval): boolean {
  return startS >= 0 && durationS >= SHORTEST_SECOND_S;
}

/** Requests that succeeded, of all steps together. */
export function succeededIn({ steps }: Pick<Interval, 'steps'>): number {
  return steps.reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
}

/** Successful requests per second of an interval; 0 where it has no length. */
export function throughputPerSIn(interval: Interval): number {
  return interval.durationS > 0 ? succeededIn(interval) / interval.durationS : 0;
}

/** Requests that ended, whatever their outcome, of all these steps together. */
export function requestsIn(steps: readonly Pick<StepResult, 'outcomes'>[]): number {
  return steps.reduce((sum, { outcomes }) => Object.values(outcomes).reduce((total, count) => total + count, sum), 0);
}

export interface RequestCounts {
  /** Requests that did not succeed or were never sent. */
  readonly failed: number;
  /** All that should have been sent. */
  readonly all: number;
  /** Those of iterations that were dropped: as many as the iterations that were started sent. */
  readonly dropped: number;
}

/** Of all steps of a trial together, or of some of them. */
export function requestCounts({ iterations, steps }: Pick<Trial, 'iterations' | 'steps'>): RequestCounts {
  const requests = requestsIn(steps);
  const started = Math.max(iterations.completed, iterations.intended - iterations.dropped);
  const perIteration = requests > 0 && started > 0 ? requests / started : 1;
  const dropped = Math.round(iterations.dropped * perIteration);
  return { failed: requests - succeededIn({ steps }) + dropped, all: requests + dropped, dropped };
}

/** A rate speaks of the second before it was read: the first reading in the window is mostly about the warm-up. */
const FIRST_S = 0.5;

/** What the probes read about the measured window. */
export function samplesInWindow({ samples, trial }: Pick<TrialRecord, 'samples' | 'trial'>): readonly ProbeSample[] {
  return samples.filter(({ atS }) => atS >= FIRST_S && atS <= trial.measuredS + FIRST_S);
}

export interface SourceMean {
  readonly source: string;
  readonly metric: MetricId;
  /** In the unit of the metric. */
  readonly mean: number;
}

/** The mean over the measured window of each metric of each source; those with a value for each of many are left out. */
export function meansInWindow(record: Pick<TrialRecord, 'samples' | 'trial'>): readonly SourceMean[] {
  const single = samplesInWindow(record).filter(({ detail }) => detail === undefined);
  const groups = Map.groupBy(single, ({ source, metric }) => `${metric} ${source}`);
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    return [{ source: first.source, metric: first.metric, mean: mean(own.map(({ value }) => value)) }];
  });
}

/** `api/1` is an instance of `api`. */
export function serviceOf(source: string): string {
  return source.replace(/\/\d+$/u, '');
}
