import type { Trial, TrialRecord } from '../core/trial.ts';
import { requestsIn, succeededIn } from './trial-window.ts';

/** What the last window of warm-up measured: how much a closed-loop load gets out of a scenario. */
export interface PilotEstimate {
  readonly concurrency: number;
  /** Successful requests per second. */
  readonly throughputPerS: number;
  /** Of successful iterations: a system that refuses at once what is too much for it sustains none of that. */
  readonly iterationsPerS: number;
  readonly requestsPerIteration: number;
}

/** The first seconds, when all users start at once on a cold system, say less than what follows. */
const SETTLING_S = 2;

const ENDS_OF_A_WINDOW = 0.04;

/** Undefined where no iteration succeeded, and for open-loop loads. */
export function readPilot({
  plan: { load },
  intervals,
  iterations,
  steps,
  measuredS,
}: Trial): PilotEstimate | undefined {
  if (load.model === 'open' || successfulIn({ iterations }) === 0 || !(measuredS > 0)) return undefined;
  const seconds = intervals.filter(({ startS }) => startS >= SETTLING_S);
  const settledS = seconds.reduce((sum, { durationS }) => sum + durationS, 0);
  const successful = seconds.reduce((sum, second) => sum + successfulIn(second), 0);
  const ok = seconds.reduce((sum, second) => sum + succeededIn(second), 0);
  const hasSettled = settledS > 0 && successful > 0;
  const allOk = steps.reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
  return {
    concurrency: load.concurrency,
    throughputPerS: hasSettled ? ok / settledS : allOk / measuredS,
    iterationsPerS: hasSettled ? successful / settledS : successfulIn({ iterations }) / measuredS,
    requestsPerIteration: requestsIn(steps) / iterations.completed,
  };
}

function successfulIn({ iterations: { completed, failed } }: Pick<Trial, 'iterations'>): number {
  return completed - failed;
}

/** The pilot trial of a scenario on a tier. */
export function pilotOf(trials: readonly TrialRecord[], tier: string, scenario: string): PilotEstimate | undefined {
  const last = trials.findLast(
    (each) => each.purpose === 'warm-up' && each.subject === tier && each.trial.plan.scenario === scenario,
  );
  return last && readPilot(last.trial);
}

/**
 * Requests in flight at the ends of a window make 7.05 requests of 7, and tiers would be measured at slightly different
 * rates. Where iterations differ in length it is two digits.
 */
export function wholeRequests(requestsPerIteration: number): number {
  const nearest = Math.round(requestsPerIteration);
  const isNear = Math.abs(requestsPerIteration - nearest) <= ENDS_OF_A_WINDOW * nearest;
  return isNear ? nearest : Number(requestsPerIteration.toPrecision(2));
}
