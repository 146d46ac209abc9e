import type { RunQuestion, SustainedRateAnswer } from '../../core/run.ts';
import type { JudgedTrial } from '../../judging/judged-trial.ts';
import type { PilotEstimate } from '../../judging/pilot.ts';
import { type RateGoal, searchEvidence } from '../../judging/rate-goals.ts';
import { type SearchGoal, type SearchSettings, searchSustainedRate } from '../../models/sustained-rate-search.ts';
import type { Step, TimeBounds, TrialStep } from '../study.ts';
import { type DocumentedLoads, documentedRates, longEnoughS } from './loads.ts';

/** Of a search: queues need some seconds to show, and a trial of a slow scenario is longer for its samples. */
const trialTimes = { full: { shortestS: 10, longestS: 30 }, quick: { shortestS: 5, longestS: 8 } } as const;
/** A closed-loop pilot trial keeps the system busy: its throughput is near what an open-loop load may reach. */
const START_OF_PILOT = 0.85;
/** Whatever the budget: fewer cannot show a rate that is kept and one that is not, and so many may be needed to find both. */
const FEWEST_TRIALS = 3;
const FEWEST_TRIALS_WHILE_OPEN = 4;
const LOWEST_OF_PILOT = 0.02;
const HIGHEST_OF_PILOT = 8;

export interface SearchedRate {
  readonly answer: SustainedRateAnswer;
  readonly trials: readonly JudgedTrial[];
}

/** `startPerS`: where the search starts, in iterations/s; null where nothing but the pilot trial says so. */
type Pilot = PilotEstimate & { readonly startPerS: number | null };

/** Searches the highest arrival rate of a scenario that keeps its goals: each proposal of the search is a trial. */
export function* searchRate(
  question: RunQuestion,
  { goals, documented }: { readonly goals: readonly RateGoal[]; readonly documented: DocumentedLoads },
  pilot: Pilot,
  trialAt: (arrivalRatePerS: number, durationS: number) => TrialStep,
): Generator<Step, SearchedRate, JudgedTrial | undefined> {
  const search = searchSustainedRate(searchSettings(question, goals, pilot, firstRates(question, pilot, documented)));
  const trials: JudgedTrial[] = [];
  let next = search.next();
  while (!next.done) {
    const { ratePerS, durationS, bracket } = next.value;
    const judged = yield { ...trialAt(ratePerS, durationS), bracket };
    if (judged !== undefined) trials.push(judged);
    next = search.next(judged === undefined ? { kind: 'invalid', limit: 'other' } : searchEvidence(judged, goals));
  }
  const { bindingGoal, ...found } = next.value;
  const binding = goals.find(({ id }) => id === bindingGoal)?.target?.id ?? null;
  return { answer: { ...found, binding }, trials };
}

/** In a sweep only the sustained rate is asked for. */
function firstRates({ sweep }: RunQuestion, pilot: Pilot, documented: DocumentedLoads): readonly number[] {
  return sweep.length > 0 ? [] : documentedRates(pilot, documented);
}

/** What a search is given; the benchmark of the search gives it the same. */
export function searchSettings(
  question: Pick<RunQuestion, 'quick' | 'precisionRatio' | 'searchBudgetS'>,
  goals: readonly SearchGoal[],
  { iterationsPerS, startPerS: expectedPerS = null }: Pick<PilotEstimate, 'iterationsPerS'> & Partial<Pilot>,
  firstRatesPerS: readonly number[],
): SearchSettings {
  const startPerS = rounded(expectedPerS ?? START_OF_PILOT * iterationsPerS);
  const { shortestS, longestS } = trialTimesOf(question);
  const trialS = longEnoughS(shortestS, longestS, startPerS);
  return {
    goals,
    firstRatesPerS,
    startPerS,
    lowestPerS: LOWEST_OF_PILOT * iterationsPerS,
    highestPerS: HIGHEST_OF_PILOT * iterationsPerS,
    precisionRatio: question.precisionRatio,
    trialS,
    budgetS: Math.max(question.searchBudgetS, FEWEST_TRIALS * trialS),
    openBudgetS: FEWEST_TRIALS_WHILE_OPEN * trialS,
  };
}

export function searchTime(question: RunQuestion): TimeBounds {
  const { shortestS, longestS } = trialTimesOf(question);
  const warmUpS = searchWarmUpS(question);
  const trials = Math.ceil(question.searchBudgetS / shortestS);
  return {
    atLeastS: shortestS + warmUpS,
    atMostS: Math.max(question.searchBudgetS, longestS * FEWEST_TRIALS_WHILE_OPEN) + trials * warmUpS,
  };
}

/** The pilot trial has warmed the system up; in so little time a further trial tells more than a second before each. */
export function searchWarmUpS({ quick, warmUpS }: Pick<RunQuestion, 'quick' | 'warmUpS'>): number {
  return quick ? 0 : warmUpS;
}

function trialTimesOf({ quick }: Pick<RunQuestion, 'quick'>) {
  return quick ? trialTimes.quick : trialTimes.full;
}

/** A rate that one can type. */
function rounded(ratePerS: number): number {
  return Number(ratePerS.toPrecision(3));
}
