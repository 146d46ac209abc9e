import type { OfferedLoad } from '../../core/load.ts';
import type { RunQuestion, SustainedRateAnswer } from '../../core/run.ts';
import type { Trial } from '../../core/trial.ts';
import type { JudgedTrial } from '../../judging/judged-trial.ts';
import { type PilotEstimate, readPilot } from '../../judging/pilot.ts';
import type { RateGoal } from '../../judging/rate-goals.ts';
import { throughputDrift } from '../../judging/steadiness.ts';
import { throughputPerSIn, wholeSeconds } from '../../judging/trial-window.ts';
import { exactTime, type ScenarioTraits, type Step, sumOfTimes, type TimeBounds, type TrialStep } from '../study.ts';
import type { DocumentedLoads } from './loads.ts';
import { searchRate, searchTime, searchWarmUpS } from './search-rate.ts';

/** One scenario on one subject. */
export interface ScenarioOnSubject extends ScenarioTraits {
  readonly subject: string;
  readonly documented: DocumentedLoads;
  /** What a sustained rate must keep. */
  readonly goals: readonly RateGoal[];
  readonly userCount: number;
}

/** What the loads of a scenario showed. */
export interface LoadStepsResult {
  readonly trials: readonly JudgedTrial[];
  /** Null where no search was made. */
  readonly sustainedRate: SustainedRateAnswer | null;
  /** Iterations/s of the pilot trial; null without one. */
  readonly pilotPerS: number | null;
}

const ANSWER_CHECK_S = 1;
/** A window of warm-up; the next one follows until the throughput is steady, or this often. */
const WARM_UP_WINDOW_S = 5;
const MOST_WARM_UP_WINDOWS = 6;
const MOST_WARM_UP_WINDOWS_QUICK = 1;
/** Fewer seconds say too little about steadiness to stop warming up. */
const LEAST_STEADY_SECONDS = 10;
/** Enough users to keep a small system busy, and few enough not to choke it. */
const PILOT_CONCURRENCY = 25;
/** Where the question names no numbers of users, so many warm up, and so many load the system while a fault is made. */
export const USUAL_CONCURRENCY = 10;
/** Users with think times all start at once: so many times the usual warm-up is left to them until they have drifted apart. */
const WARM_UPS_OF_THINKING = 3;
/** Users of a scenario with user setup: for iterations of this length, or of so many times what the pilot trial read. */
const ITERATION_ALLOWED_S = 1;
const ITERATIONS_ALLOWED = 4;
const FEWEST_USERS = 20;
const LONGEST_ROUND_S = 15;
const USERS_WHERE_NOT_DOCUMENTED = 100;

/**
 * The trials of one scenario on one subject: check that the answers are right, warm up until the throughput is steady, take
 * the last window as the pilot trial where the sustained rate is still to be found, search it, then measure each other load.
 */
export function* loadSteps(
  question: RunQuestion,
  scenario: ScenarioOnSubject,
  after: TimeBounds,
  startPerS: (pilotPerS: number) => number | null = () => null,
): Generator<Step, LoadStepsResult, JudgedTrial | undefined> {
  const { timeoutS } = question;
  const { subject, name, userCount } = scenario;
  const trial = (purpose: TrialStep['purpose'], load: OfferedLoad, warmUpS: number, durationS: number): TrialStep => ({
    kind: 'trial',
    subject,
    scenario: name,
    purpose,
    load,
    warmUpS,
    durationS,
    timeoutS,
  });

  const check = trial('answer-check', { model: 'closed', concurrency: 1 }, 0, ANSWER_CHECK_S);
  const checked = yield check;
  // No iteration came to its end: then it is given the time in which a request that is never answered times out.
  if (checked?.record.trial.iterations.completed === 0) yield { ...check, durationS: timeoutS + ANSWER_CHECK_S };

  const findsRates = mustFindRates(question, scenario);
  const windows: Trial[] = [];
  const mostWindows = warmUpWindows(question, scenario);
  const warmUpLoad: OfferedLoad = {
    model: 'closed',
    concurrency: findsRates
      ? Math.min(PILOT_CONCURRENCY, userCount)
      : middleOf(question.concurrencies ?? [], USUAL_CONCURRENCY),
  };
  let found: PilotEstimate | undefined;
  let isWarm = mostWindows === 0;
  // A pilot trial in which no iteration succeeded is made again, once more than there may be windows at most.
  for (let window = 0; !isWarm || (findsRates && found === undefined && window <= mostWindows); window += 1) {
    const seen = (yield trial('warm-up', warmUpLoad, 0, WARM_UP_WINDOW_S))?.record.trial;
    if (seen !== undefined) windows.push(seen);
    found = seen && readPilot(seen);
    isWarm = window + 1 >= mostWindows || isSteady(windows);
  }

  const atRate = (load: Extract<OfferedLoad, { model: 'open' }>, durationS: number): TrialStep => ({
    ...trial('measure', load, question.warmUpS, durationS),
    ...(scenario.hasUserSetup && !scenario.hasThinkTime && { users: usersFor(highestRateOf(load), found, userCount) }),
  });
  const search =
    findsRates && found !== undefined
      ? yield* searchRate(
          question,
          scenario,
          { ...found, startPerS: startPerS(found.iterationsPerS) },
          (arrivalRatePerS, durationS) => ({
            ...atRate({ model: 'open', arrivalRatePerS, arrivals: question.arrivals }, durationS),
            warmUpS: searchWarmUpS(question),
          }),
        )
      : null;

  const trials = [
    ...openLoads(question).map((load) => atRate(load, endOf(load) ?? question.durationS)),
    ...closedLoads(question, scenario, search !== null).map((load) =>
      trial('measure', load, closedWarmUpS(question, scenario, load.concurrency, found), question.durationS),
    ),
  ];
  if (findsRates && found === undefined) {
    yield { kind: 'note', subject, note: { code: 'rates-unknown', scenario: name, pilotLoad: warmUpLoad } };
  }
  yield { kind: 'plan', subject, scenario: name, trials, after };
  const measured: JudgedTrial[] = [...(search?.trials ?? [])];
  for (const step of trials) {
    const judged = yield step;
    if (judged !== undefined) measured.push(judged);
  }
  return { trials: measured, sustainedRate: search?.answer ?? null, pilotPerS: found?.iterationsPerS ?? null };
}

/** How long the trials of one scenario take, as far as that is known before its pilot trial. */
export function timeOfLoadSteps(question: RunQuestion, scenario: ScenarioOnSubject): TimeBounds {
  const findsRates = mustFindRates(question, scenario);
  const most = warmUpWindows(question, scenario);
  const windows = { atLeastS: Math.min(most, LEAST_STEADY_SECONDS / WARM_UP_WINDOW_S), atMostS: most };
  const { warmUpS, durationS } = question;
  const open = openLoads(question);
  return sumOfTimes([
    exactTime(ANSWER_CHECK_S),
    { atLeastS: windows.atLeastS * WARM_UP_WINDOW_S, atMostS: windows.atMostS * WARM_UP_WINDOW_S },
    ...(findsRates ? [searchTime(question)] : []),
    ...open.map((load) => exactTime(Math.max(0, (endOf(load) ?? durationS) - durationS))),
    exactTime(open.length * (warmUpS + durationS)),
    ...closedLoads(question, scenario, findsRates).map(({ concurrency }) => {
      const shortestS = closedWarmUpS(question, scenario, concurrency, undefined);
      const longestS = most === 0 || warmUpS === 0 ? shortestS : Math.max(shortestS, LONGEST_ROUND_S);
      return { atLeastS: shortestS + durationS, atMostS: longestS + durationS };
    }),
  ]);
}

/** Scenarios with think times are measured with users, who come and stay, rather than by arrivals. */
function mustFindRates({ arrivalRatesPerS }: RunQuestion, { hasThinkTime }: ScenarioTraits): boolean {
  return arrivalRatesPerS === null && !hasThinkTime;
}

function openLoads({
  arrivalRatesPerS,
  arrivals,
  stages,
}: RunQuestion): readonly Extract<OfferedLoad, { model: 'open' }>[] {
  const staged = stages === null ? [] : [stagedLoad(stages, arrivals)];
  return [
    ...staged,
    ...(arrivalRatesPerS ?? []).map((arrivalRatePerS) => ({ model: 'open' as const, arrivalRatePerS, arrivals })),
  ];
}

/** The rate goes evenly from each stage to the next, as k6's ramping-arrival-rate has it; two at one time are a step. */
function stagedLoad(
  [first, ...others]: NonNullable<RunQuestion['stages']>,
  arrivals: RunQuestion['arrivals'],
): Extract<OfferedLoad, { model: 'open' }> {
  let atS = 0;
  const changes = others.map((stage) => {
    const change = { atS, overS: stage.atS - atS, toRatePerS: stage.ratePerS };
    atS = stage.atS;
    return change;
  });
  return { model: 'open', arrivalRatePerS: first?.ratePerS ?? 0, arrivals, changes };
}

/** When the last change is over; undefined where there is none. */
function endOf(load: OfferedLoad): number | undefined {
  const last = load.model === 'open' ? load.changes?.at(-1) : undefined;
  return last && last.atS + last.overS;
}

function highestRateOf(load: OfferedLoad): number {
  if (load.model === 'closed') return 0;
  return Math.max(load.arrivalRatePerS, ...(load.changes ?? []).map(({ toRatePerS }) => toRatePerS));
}

/** Where nothing is documented, and no search says more, as many as at login: enough to see whether more load brings more. */
function closedLoads(
  { concurrencies }: RunQuestion,
  { documented, userCount }: ScenarioOnSubject,
  isSearched: boolean,
) {
  const known = documented.concurrencies.filter((concurrency) => concurrency <= userCount);
  const usual = known.length === 0 && !isSearched ? [Math.min(USERS_WHERE_NOT_DOCUMENTED, userCount)] : known;
  return (concurrencies ?? usual).map((concurrency) => ({ model: 'closed' as const, concurrency }));
}

/** Users with think times start with their trial: in windows of warm-up all of them would sign in each time. */
function warmUpWindows(question: RunQuestion, scenario: ScenarioTraits): number {
  if (scenario.hasThinkTime) return 0;
  if (question.warmUpS === 0) return mustFindRates(question, scenario) ? 1 : 0;
  return question.quick ? MOST_WARM_UP_WINDOWS_QUICK : MOST_WARM_UP_WINDOWS;
}

/** Whether the warm-up windows, one after the other, have come to a steady throughput: as trials are judged. */
function isSteady(windows: readonly Trial[]): boolean {
  const perSecond = windows.flatMap(wholeSeconds).map(throughputPerSIn);
  return perSecond.length >= LEAST_STEADY_SECONDS && throughputDrift(perSecond) === null;
}

/** Users who all start at once queue in a row at first: until each has completed one iteration, they read less than they will. */
function closedWarmUpS(
  { warmUpS }: RunQuestion,
  { hasThinkTime }: ScenarioTraits,
  concurrency: number,
  found: PilotEstimate | undefined,
): number {
  if (hasThinkTime) return WARM_UPS_OF_THINKING * warmUpS;
  if (warmUpS === 0 || found === undefined) return warmUpS;
  return Math.max(warmUpS, Math.min(Math.ceil(concurrency / found.iterationsPerS), LONGEST_ROUND_S));
}

/** Each user that takes part signs in first, so no more do than are needed; and the more, the slower it may get. */
function usersFor(arrivalRatePerS: number, found: PilotEstimate | undefined, userCount: number): number {
  // Little's law, twice: how long an iteration took in the pilot trial, and how many are in flight at this rate.
  const pilotS = found === undefined ? 0 : found.concurrency / found.iterationsPerS;
  const allowedS = Math.max(ITERATION_ALLOWED_S, ITERATIONS_ALLOWED * pilotS);
  return Math.min(userCount, Math.max(FEWEST_USERS, Math.ceil(arrivalRatePerS * allowedS)));
}

/** The middle one of the numbers of users that are asked for. */
export function middleOf(values: readonly number[], usual: number): number {
  return values[Math.floor((values.length - 1) / 2)] ?? usual;
}
