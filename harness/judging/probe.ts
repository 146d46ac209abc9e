import type { MeasuredTrial, Trial } from '../core/trial.ts';
import { succeededIn } from './interval-throughput.ts';

/** What the last window of warm-up told: how much many waiting users get out of a scenario. */
export interface ProbeFigures {
  readonly concurrency: number;
  /** Successful requests per second. */
  readonly throughputPerS: number;
  readonly iterationsPerS: number;
  readonly requestsPerIteration: number;
}

/** What a window begins with, when all users start at once on a cold system, tells less than what follows. */
const SETTLING_S = 2;

/** Undefined where nothing came to its end, or where arrivals did not wait for answers. */
export function readProbe({
  plan: { load },
  intervals,
  iterations,
  steps,
  measuredS,
}: Trial): ProbeFigures | undefined {
  if (load.model === 'open' || iterations.completed === 0 || !(measuredS > 0)) return undefined;
  const requests = steps.reduce((sum, { outcomes }) => sum + Object.values(outcomes).reduce((a, b) => a + b, 0), 0);
  const seconds = intervals.filter(({ startS }) => startS >= SETTLING_S);
  const settledS = seconds.reduce((sum, { durationS }) => sum + durationS, 0);
  const completed = seconds.reduce((sum, second) => sum + second.iterations.completed, 0);
  const ok = seconds.reduce((sum, second) => sum + succeededIn(second), 0);
  const hasSettled = settledS > 0 && completed > 0;
  const allOk = steps.reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
  return {
    concurrency: load.concurrency,
    throughputPerS: hasSettled ? ok / settledS : allOk / measuredS,
    iterationsPerS: hasSettled ? completed / settledS : iterations.completed / measuredS,
    requestsPerIteration: requests / iterations.completed,
  };
}

/** The probe of a scenario's ladder on a tier. */
export function probeOf(trials: readonly MeasuredTrial[], tier: string, scenario: string): ProbeFigures | undefined {
  const last = trials.findLast(
    (each) => each.purpose === 'warm-up' && each.tier === tier && each.trial.plan.scenario === scenario,
  );
  return last && readProbe(last.trial);
}
