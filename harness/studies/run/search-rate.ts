import type { RunQuestion, SustainedRateAnswer } from '../../core/run.ts';
import type { JudgedTrial } from '../../judging/judged-trial.ts';
import type { PilotEstimate } from '../../judging/pilot.ts';
import { type RateGoal, searchEvidence } from '../../judging/rate-goals.ts';
import { searchSustainedRate } from '../../models/sustained-rate-search.ts';
import type { Step, TimeBounds, TrialStep } from '../study.ts';
import { type DocumentedLoads, documentedRates, longEnoughS, MOST_TIMES_LONGER } from './loads.ts';

/** The shortest trial of a search: queues need some seconds to show, and a quick run has few. */
const SHORTEST_TRIAL_S = 10;
const SHORTEST_TRIAL_QUICK_S = 5;
/** A closed-loop pilot trial keeps the system busy: its throughput is near what an open-loop load may reach. */
const START_OF_PILOT = 0.85;
/** Whatever the budget: fewer cannot show a rate that is kept and one that is not. */
const FEWEST_TRIALS = 3;
const LOWEST_OF_PILOT = 0.02;
const HIGHEST_OF_PILOT = 8;

export interface SearchedRate {
  readonly answer: SustainedRateAnswer;
  readonly trials: readonly JudgedTrial[];
}

/** Searches the highest arrival rate of a scenario that keeps its goals: each proposal of the search is a trial. */
export function* searchRate(
  question: RunQuestion,
  { goals, documented }: { readonly goals: readonly RateGoal[]; readonly documented: DocumentedLoads },
  pilot: PilotEstimate,
  trialAt: (arrivalRatePerS: number, durationS: number) => TrialStep,
): Generator<Step, SearchedRate, JudgedTrial | undefined> {
  const startPerS = rounded(START_OF_PILOT * pilot.iterationsPerS);
  const trialS = longEnoughS(shortestTrialS(question), startPerS);
  const search = searchSustainedRate({
    goals,
    firstRatesPerS: documentedRates(pilot, documented),
    startPerS,
    lowestPerS: LOWEST_OF_PILOT * pilot.iterationsPerS,
    highestPerS: HIGHEST_OF_PILOT * pilot.iterationsPerS,
    precisionRatio: question.precisionRatio,
    trialS,
    budgetS: Math.max(question.searchBudgetS, FEWEST_TRIALS * trialS),
  });
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

export function searchTime(question: RunQuestion): TimeBounds {
  const shortestS = shortestTrialS(question) + question.warmUpS;
  const most = Math.ceil(question.searchBudgetS / shortestTrialS(question));
  const longestS = MOST_TIMES_LONGER * shortestTrialS(question) * FEWEST_TRIALS;
  return { atLeastS: shortestS, atMostS: Math.max(question.searchBudgetS, longestS) + most * question.warmUpS };
}

function shortestTrialS({ quick }: RunQuestion): number {
  return quick ? SHORTEST_TRIAL_QUICK_S : SHORTEST_TRIAL_S;
}

/** A rate that one can type. */
function rounded(ratePerS: number): number {
  return Number(ratePerS.toPrecision(3));
}
