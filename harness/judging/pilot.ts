import type { Trial, TrialRecord } from '../core/trial.ts';
import { succeededIn } from './interval-throughput.ts';
import { requestsIn } from './requests-in.ts';

/** What the last window of warm-up told: how much many waiting users get out of a scenario. */
export interface PilotEstimate {
  readonly concurrency: number;
  /** Successful requests per second. */
  readonly throughputPerS: number;
  /** Of iterations that ended rightly: a system that refuses in no time what is too much for it carries none of that. */
  readonly iterationsPerS: number;
  readonly requestsPerIteration: number;
}

/** What a window begins with, when all users start at once on a cold system, tells less than what follows. */
const SETTLING_S = 2;

const ENDS_OF_A_WINDOW = 0.04;

/** Undefined where nothing came rightly to its end, or where arrivals did not wait for answers. */
export function readPilot({
  plan: { load },
  intervals,
  iterations,
  steps,
  measuredS,
}: Trial): PilotEstimate | undefined {
  if (load.model === 'open' || rightIn({ iterations }) === 0 || !(measuredS > 0)) return undefined;
  const seconds = intervals.filter(({ startS }) => startS >= SETTLING_S);
  const settledS = seconds.reduce((sum, { durationS }) => sum + durationS, 0);
  const right = seconds.reduce((sum, second) => sum + rightIn(second), 0);
  const ok = seconds.reduce((sum, second) => sum + succeededIn(second), 0);
  const hasSettled = settledS > 0 && right > 0;
  const allOk = steps.reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
  return {
    concurrency: load.concurrency,
    throughputPerS: hasSettled ? ok / settledS : allOk / measuredS,
    iterationsPerS: hasSettled ? right / settledS : rightIn({ iterations }) / measuredS,
    requestsPerIteration: requestsIn(steps) / iterations.completed,
  };
}

function rightIn({ iterations: { completed, failed } }: Pick<Trial, 'iterations'>): number {
  return completed - failed;
}

/** The probe of a scenario's ladder on a tier. */
export function pilotOf(trials: readonly TrialRecord[], tier: string, scenario: string): PilotEstimate | undefined {
  const last = trials.findLast(
    (each) => each.purpose === 'warm-up' && each.subject === tier && each.trial.plan.scenario === scenario,
  );
  return last && readPilot(last.trial);
}

/**
 * What was under way at the ends of a window makes 7.05 requests of 7: tiers and runs would miss each other by it. Where
 * iterations differ in length it is two digits.
 */
export function wholeRequests(requestsPerIteration: number): number {
  const nearest = Math.round(requestsPerIteration);
  const isNear = Math.abs(requestsPerIteration - nearest) <= ENDS_OF_A_WINDOW * nearest;
  return isNear ? nearest : Number(requestsPerIteration.toPrecision(2));
}
