import type { WhyNot } from '../core/findings.ts';
import { byLoad, isOneRate, isSameLoad, loadLevel, type OfferedLoad } from '../core/load.ts';
import type { RunResult } from '../core/run.ts';
import type { Target } from '../core/target.ts';
import type { JudgedTrial } from './judged-trial.ts';
import { type PilotEstimate, pilotOf, wholeRequests } from './pilot.ts';

/** The loads that were measured for one scenario of one tier: what targets are judged by. */
export interface LoadSteps {
  readonly tier: string;
  readonly scenario: string;
  /** Arrival rates first, then concurrencies; each ascending. */
  readonly trials: readonly JudgedTrial[];
  /** Undefined where nothing was warmed up. */
  readonly pilot: PilotEstimate | undefined;
  /** What was planned and not measured. */
  readonly missing: readonly OfferedLoad[];
}

export function loadStepsOf(
  result: RunResult,
  trials: readonly JudgedTrial[],
  tier: string,
  scenario: string,
): LoadSteps {
  const own = trials
    .filter(({ summary }) => summary.tier === tier && summary.scenario === scenario)
    .toSorted((left, right) => byLoad(left.summary.load, right.summary.load));
  const planned = result.subjects.find(({ id }) => id === tier)?.planned ?? [];
  const missing = planned
    .filter((each) => each.scenario === scenario && !own.some(({ summary }) => isSameLoad(summary.load, each.load)))
    .map(({ load }) => load);
  return { tier, scenario, trials: own, pilot: pilotOf(result.trials, tier, scenario), missing };
}

/**
 * The trials a target is judged by: all of them, or, where it names a load, the lowest that is at least as high. `missing`:
 * what else it takes.
 */
export function trialsFor(
  { appliesTo: { concurrency, arrivalRatePerS } }: Target,
  steps: LoadSteps,
): { readonly trials: readonly JudgedTrial[]; readonly missing: readonly WhyNot[] } {
  if (concurrency === undefined && arrivalRatePerS === undefined) {
    const missing = steps.missing.map((load): WhyNot => ({ code: 'planned-load-not-measured', load }));
    return { trials: steps.trials, missing };
  }
  const model = concurrency === undefined ? 'open' : 'closed';
  const level = concurrency ?? arrivalRatePerS ?? 0;
  const enough = steps.trials.filter(
    (trial) => trial.summary.load.model === model && documentedLevel(trial, steps.pilot?.requestsPerIteration) >= level,
  );
  const trials = enough.filter((trial) => levelOf(trial) === levelOf(enough[0]));
  return { trials, missing: trials.length > 0 ? [] : [{ code: 'no-load-as-high', model, level }] };
}

/** Concurrency or arrival rate; 0 of none. */
export function levelOf(trial: JudgedTrial | undefined): number {
  return trial === undefined ? 0 : loadLevel(trial.summary.load);
}

export function loadsOf(trials: readonly JudgedTrial[]): readonly OfferedLoad[] {
  return trials.map(({ summary }) => summary.load);
}

/** p95 when what failed counts as never answered: infinite where fewer than 95 % were answered. */
export function p95WithFailuresS({ latency, requests: { failed, all } }: JudgedTrial): number {
  const rank = Math.ceil(0.95 * all - 1e-9);
  return rank > all - failed ? Number.POSITIVE_INFINITY : latency.valueAtRankS(rank);
}

/** Each code of a reason once, with its loads and the figures of the highest of them. */
export function whyInvalid(trials: readonly JudgedTrial[]): readonly WhyNot[] {
  const reasons = trials.flatMap(({ summary: { load }, validity }) =>
    validity.kind === 'invalid' ? validity.reasons.map((reason) => ({ load, reason })) : [],
  );
  return [...Map.groupBy(reasons, ({ reason }) => reason.code).values()].flatMap((group): WhyNot[] => {
    const last = group.at(-1);
    return last === undefined
      ? []
      : [{ code: 'invalid-trials', loads: [...new Set(group.map(({ load }) => load))], reason: last.reason }];
  });
}

/** Which of an arrival rate and a concurrency is more, nobody can say. */
export function ofEachModel(trials: readonly JudgedTrial[]): readonly (readonly JudgedTrial[])[] {
  return [...Map.groupBy(trials, ({ summary }) => summary.load.model).values()];
}

/** Where so much of what was scheduled did not succeed, the rate was not sustained. */
export const NOT_SUSTAINED_RATIO = 0.01;

/**
 * The requests/s an open-loop load offered, where it was answered as it came. Null where a hundredth or more of what was
 * scheduled did not succeed within the window, and for closed-loop loads, which offer what is answered.
 */
export function sustainedRequestsPerS({ record: { trial }, requests: { all, dropped } }: JudgedTrial): number | null {
  const { plan, iterations } = trial;
  if (plan.load.model === 'closed' || !isOneRate(plan.load) || iterations.completed === 0) return null;
  const succeededRatio = (iterations.completed - iterations.failed) / iterations.intended;
  if (succeededRatio < 1 - NOT_SUSTAINED_RATIO) return null;
  return (plan.load.arrivalRatePerS * (all - dropped)) / iterations.completed;
}

/**
 * What a load offers as the documents count it: requests/s, where arrivals are iterations; of a closed-loop load its
 * concurrency. `requestsPerIteration` is that of the pilot trial, by which rates were chosen, or else of the trial itself.
 */
export function documentedLevel(
  trial: JudgedTrial,
  requestsPerIteration: number = ownRequestsPerIteration(trial),
): number {
  const level = levelOf(trial);
  return trial.summary.load.model === 'closed' ? level : level * wholeRequests(requestsPerIteration);
}

function ownRequestsPerIteration({ record: { trial }, requests: { all, dropped } }: JudgedTrial): number {
  return trial.iterations.completed === 0 ? 1 : (all - dropped) / trial.iterations.completed;
}
