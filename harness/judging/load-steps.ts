import type { WhyNot } from '../core/findings.ts';
import { byLoad, isOneRate, isSameLoad, loadLevel, type OfferedLoad } from '../core/load.ts';
import type { RunResult } from '../core/run.ts';
import { tierOfSubject } from '../core/setting-change.ts';
import type { Target } from '../core/target.ts';
import { isValid, type JudgedTrial } from './judged-trial.ts';
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
  /**
   * Whether a document or a person asks for this load, in view of a target: the others are the search for the highest one.
   * A load that only a target asks for which contradicts this one is not asked for.
   */
  readonly isAskedFor: (trial: JudgedTrial, target: Target) => boolean;
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
  const pilot = pilotOf(result.trials, tier, scenario);
  return { tier, scenario, trials: own, pilot, missing, isAskedFor };

  function isAskedFor(trial: JudgedTrial, target: Target): boolean {
    const { load } = trial.summary;
    if (load.model === 'open' && (result.question.arrivalRatesPerS !== null || !isOneRate(load))) return true;
    const { concurrencies, searchesConcurrency = false } = result.question;
    if (load.model === 'closed' && concurrencies !== null && !searchesConcurrency) return true;
    const level = documentedLevel(trial, pilot?.requestsPerIteration);
    return result.targets.some(
      (other) =>
        isAbout(other, tier, scenario) &&
        !contradict(target, other) &&
        loadsNamedBy(other, load).some((named) => isAt(level, named)),
    );
  }
}

/** The loads that a measured target speaks of. */
function loadsNamedBy({ judged, value, appliesTo }: Target, { model }: OfferedLoad): readonly number[] {
  if (judged.by !== 'measured') return [];
  if (model === 'closed') return appliesTo.concurrency === undefined ? [] : [appliesTo.concurrency];
  const rates = judged.metric === 'throughput' ? [value].flat() : [];
  return appliesTo.arrivalRatePerS === undefined ? rates : [...rates, appliesTo.arrivalRatePerS];
}

/** Documented rates are offered rounded up to a rate of iterations that one can type. */
export function isAt(level: number, documented: number): boolean {
  return level >= documented && level <= documented * (1 + ROUNDED_UP_BY);
}

const ROUNDED_UP_BY = 0.01;

/** An empty list of names stands for all. */
export function isAbout({ appliesTo: { tiers, scenarios } }: Target, tier: string, scenario: string): boolean {
  return (
    (tiers.length === 0 || tiers.includes(tierOfSubject(tier))) &&
    (scenarios.length === 0 || scenarios.includes(scenario))
  );
}

/** Either of the two may name the other. */
export function contradict(one: Target, other: Target): boolean {
  const names = (from: Target, to: Target) => from.contradictions.some(({ target }) => target === to.id);
  return names(one, other) || names(other, one);
}

/**
 * The trials a latency target is judged by. Where it names no load itself: all up to the highest load that a document or a
 * person asks for, and where none is asked for the lowest. Beyond, a run searches for the highest load that keeps the
 * target: that this search ends is no miss.
 */
export function judgedLoads(target: Target, steps: LoadSteps): ReturnType<typeof trialsFor> {
  const { trials, missing } = trialsFor(target, steps);
  const { concurrency, arrivalRatePerS } = target.appliesTo;
  if (concurrency !== undefined || arrivalRatePerS !== undefined) return { trials, missing };
  const upTo = ofEachModel(trials).flatMap((group) =>
    group.slice(0, group.findLastIndex((trial) => steps.isAskedFor(trial, target)) + 1),
  );
  const lowest = lowestValid(trials);
  return { trials: upTo.length > 0 || lowest === undefined ? upTo : [lowest], missing };
}

/** `trials` ascend by load. Where none is valid: the lowest. */
export function lowestValid(trials: readonly JudgedTrial[]): JudgedTrial | undefined {
  return trials.find(isValid) ?? trials[0];
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
