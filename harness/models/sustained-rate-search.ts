import {
  CLEARLY_MET,
  type CountedTrial,
  confirmedEnds,
  excesses,
  type GoalCounts,
  type RateBracket,
  type SearchGoal,
  type Seen,
  seen,
} from './rate-evidence.ts';

export type { CountedTrial, GoalCounts, RateBracket, SearchGoal };

/**
 * Searches the sustained rate: the highest arrival rate that meets all goals. Pure; a study measures what it proposes.
 *
 * Goals are bad ratios, as in MLRsearch (IETF draft-ietf-bmwg-mlrsearch): a p95 target of 200 ms is a goal of 5 % slower
 * than 200 ms or failed. The ratio of a trial needs no percentile, so it is defined for few requests too.
 *
 * One trial decides nothing, for two reasons. Capacity differs from trial to trial, so near the sustained rate half of the
 * trials miss; and a queue near saturation is slow in bursts that last longer than a short trial, so most trials just
 * above the sustained rate still look good. Both leave this true without a model of the server: above the sustained rate
 * at most about half of the trials are clearly met, and below it at most half miss. An end of the bracket is therefore
 * confirmed by a sign test over the trials beyond it (`confirmedEnds` in rate-evidence.ts). It is a measured rate, but after few
 * trials, which leave it open how far outside of them the sustained rate may be.
 *
 * The rates of the next trials come from two weighted up-down staircases (C. Kaernbach, Perception & Psychophysics 49,
 * 1991), one for each end: a trial that supports the end moves it inwards by a small step, one that does not moves it
 * outwards by four, so each rests where four of five trials support it, however much the server scatters.
 */

export interface SearchSettings {
  /** Tried before any other, such as rates that a document names; none by default. */
  readonly firstRatesPerS?: readonly number[];
  readonly goals: readonly SearchGoal[];
  readonly startPerS: number;
  readonly lowestPerS: number;
  readonly highestPerS: number;
  /** The width of the bracket to reach, as a share of its low end: 0.05. */
  readonly precisionRatio: number;
  /** The shortest trial. */
  readonly trialS: number;
  /** Seconds of trials, without their warm-up. */
  readonly budgetS: number;
  /** So many while only one end is found; as long as `budgetS` by default. */
  readonly openBudgetS?: number;
}

export interface SearchStep {
  readonly ratePerS: number;
  readonly durationS: number;
  /** Of the trials so far. */
  readonly bracket: RateBracket;
}

export type SearchEvidence =
  /** In the order of the goals. */
  | { readonly kind: 'counted'; readonly goals: readonly GoalCounts[] }
  /** Still invalid after its repeats; it is evidence of nothing. */
  | { readonly kind: 'invalid'; readonly limit: 'generator' | 'machine' | 'other' };

export interface SearchResult extends RateBracket {
  /** Inside the bracket; null where it is open at a side. */
  readonly valuePerS: number | null;
  readonly end:
    | 'precise'
    | 'budget'
    | 'lowest-missed'
    | 'highest-met'
    | 'generator-limit'
    | 'machine-limit'
    | 'invalid-trials';
  /** The goal that is missed by most at the high end. */
  readonly bindingGoal: string | null;
  /** `cliff`: within the bracket the bad ratio jumps from far below its goal to many times the goal. */
  readonly shape: 'smooth' | 'cliff' | null;
  /** False where a rate below the bracket misses while higher ones meet the goals. */
  readonly monotone: boolean;
}

/** Of the first step away from the start, in the precision that is asked for. */
const FIRST_STEP_IN_PRECISION = 2.5;
/** With time for so few trials the steps are larger, so that one of them misses. */
const FEW_TRIALS = 6;
const FIRST_STEP_OF_FEW = 4;
const OUTWARD_STEPS = 4;
const GUARD_PRECISIONS = 2.5;
/** Of a staircase, in the precision that is asked for. */
const STEPS_IN_PRECISION = 5;
/** Trials of the shortest duration after both ends are confirmed; later ones take twice as long. */
const SHORT_TRIALS_WHEN_CONFIRMED = 4;
const INVALID_IN_A_ROW = 3;
const CLIFF_EXCESS = 5;
/** How far outside of the trials an end is taken to be that nothing confirms. */
const UNCONFIRMED = 1.3;

/** Proposes trials until the bracket is as narrow as asked for or the budget is used; never a trial beyond the budget. */
export function* searchSustainedRate(settings: SearchSettings): Generator<SearchStep, SearchResult, SearchEvidence> {
  const { goals, lowestPerS, highestPerS, precisionRatio, trialS, budgetS } = settings;
  const trials: CountedTrial[] = [];
  let usedS = 0;

  /** The end of the search, or the trial that was measured. */
  function* measured(
    ratePerS: number,
    durationS: number,
  ): Generator<SearchStep, SearchResult['end'] | Seen, SearchEvidence> {
    for (let invalid = 0; invalid < INVALID_IN_A_ROW; invalid += 1) {
      const bracket = bracketOf(goals, trials);
      const isOpen = bracket.lowPerS === null || bracket.highPerS === null;
      const mostS = isOpen ? Math.max(budgetS, settings.openBudgetS ?? 0) : budgetS;
      if (usedS + durationS > mostS * (1 + 1e-9)) return 'budget';
      const evidence = yield { ratePerS, durationS, bracket };
      usedS += durationS;
      if (evidence.kind === 'counted') {
        trials.push({ ratePerS, durationS, goals: evidence.goals });
        return seen(goals, trials.slice(-1))[0] ?? 'invalid-trials';
      }
      if (invalid === INVALID_IN_A_ROW - 1 && evidence.limit !== 'other') return `${evidence.limit}-limit`;
    }
    return 'invalid-trials';
  }

  // The limits themselves, not a last bit beside them, so that an end at a limit is seen.
  const within = (ratePerS: number) => {
    if (ratePerS <= lowestPerS * (1 + 1e-9)) return lowestPerS;
    return ratePerS >= highestPerS * (1 - 1e-9) ? highestPerS : ratePerS;
  };
  // Steps away from the start, each larger than the one before, until one trial meets the goals and one misses them.
  let low: number | null = null;
  let high: number | null = null;
  const firstStep = budgetS < FEW_TRIALS * trialS ? FIRST_STEP_OF_FEW : FIRST_STEP_IN_PRECISION;
  let factor = 1 + firstStep * precisionRatio;
  for (const ratePerS of settings.firstRatesPerS ?? []) {
    const rate = within(ratePerS);
    const trial = yield* measured(rate, trialS);
    if (typeof trial === 'string') return resultOf(settings, trials, trial);
    if (trial.excess > 1) high = Math.min(high ?? rate, rate);
    else low = Math.max(low ?? rate, rate);
  }
  const start = Math.min(high === null ? settings.startPerS : high / factor, settings.startPerS);
  for (let rate = within(Math.max(start, (low ?? 0) * factor)); low === null || high === null || low >= high; ) {
    const trial = yield* measured(rate, trialS);
    if (typeof trial === 'string') return resultOf(settings, trials, trial);
    if (trial.excess > 1) high = rate;
    else low = rate;
    const atTheEdge = (rate <= lowestPerS && low === null) || (rate >= highestPerS && high === null);
    if (atTheEdge) break;
    rate = within(high === null ? rate * factor : rate / factor);
    factor = Math.min(factor ** 1.6, 4);
  }
  while (low !== null && high !== null && high / low > 1 + 2 * precisionRatio) {
    const middle: number = Math.sqrt(low * high);
    const trial = yield* measured(middle, trialS);
    if (typeof trial === 'string') return resultOf(settings, trials, trial);
    if (trial.excess > 1) high = middle;
    else low = middle;
  }

  // A trial well below: short trials just above the sustained rate look good, and a search may stop soon.
  const guard = (1 + precisionRatio) ** GUARD_PRECISIONS;
  for (let rate = low; rate !== null && rate > lowestPerS; ) {
    rate = within(rate / guard);
    const trial = yield* measured(rate, trialS);
    if (typeof trial === 'string') return resultOf(settings, trials, trial);
    if (trial.excess <= CLEARLY_MET) break;
  }

  const step = Math.log(1 + precisionRatio) / STEPS_IN_PRECISION;
  // Relative to the start, so that a search is the same at any scale.
  const { startPerS } = settings;
  const place = (ratePerS: number) => Math.log(ratePerS / startPerS);
  const at = { low: place(low ?? lowestPerS), high: place(high ?? highestPerS) };
  const made = { low: 0, high: 0 };
  for (let wide = 0; ; ) {
    const confirmed = confirmedEnds(seen(goals, trials));
    if (confirmed.highPerS !== null && confirmed.highPerS <= lowestPerS)
      return resultOf(settings, trials, 'lowest-missed');
    if (confirmed.lowPerS !== null && confirmed.lowPerS >= highestPerS)
      return resultOf(settings, trials, 'highest-met');
    let durationS = trialS;
    const bothConfirmed = confirmed.lowPerS !== null && confirmed.highPerS !== null;
    if (bothConfirmed) {
      const bracket = bracketOf(goals, trials);
      if ((bracket.highPerS ?? 0) <= (bracket.lowPerS ?? 0) * (1 + precisionRatio))
        return resultOf(settings, trials, 'precise');
      // Longer trials see more of the bursts: what is left to gain where short ones have confirmed both ends.
      wide += 1;
      if (wide > SHORT_TRIALS_WHEN_CONFIRMED && usedS + 2 * trialS <= budgetS) durationS = 2 * trialS;
    }
    const end = nextEnd(confirmed, at, made, place);
    made[end] += 1;
    const trial = yield* measured(within(startPerS * Math.exp(Math.round(at[end] * 1e9) / 1e9)), durationS);
    if (typeof trial === 'string') return resultOf(settings, trials, trial);
    if (end === 'low') at.low += trial.excess <= CLEARLY_MET ? step : -OUTWARD_STEPS * step;
    else at.high += trial.excess > 1 ? -step : OUTWARD_STEPS * step;
    const crossed = at.low - at.high + step;
    if (crossed > 0) {
      at.low -= crossed / 2;
      at.high += crossed / 2;
    }
    at.low = Math.max(at.low, place(lowestPerS));
    at.high = Math.min(at.high, place(highestPerS));
  }
}

/** The end that is further from the middle of the staircases; an end that is not confirmed is furthest. */
function nextEnd(
  { lowPerS, highPerS }: RateBracket,
  at: { readonly low: number; readonly high: number },
  made: { readonly low: number; readonly high: number },
  place: (ratePerS: number) => number,
): 'low' | 'high' {
  const middle = (at.low + at.high) / 2;
  const below = lowPerS === null ? Number.POSITIVE_INFINITY : middle - place(lowPerS);
  const above = highPerS === null ? Number.POSITIVE_INFINITY : place(highPerS) - middle;
  if (below === above) return made.low <= made.high ? 'low' : 'high';
  return below > above ? 'low' : 'high';
}

/**
 * The bracket of the trials so far, for a search that is stopped: the confirmed ends; where one is not confirmed yet, one
 * well below the lowest rate that met the goals, or above the highest that missed them.
 */
export function bracketOf(goals: readonly SearchGoal[], trials: readonly CountedTrial[]): RateBracket {
  const all = seen(goals, trials);
  const confirmed = confirmedEnds(all);
  const met = all.filter(({ excess }) => excess <= 1).map(({ ratePerS }) => ratePerS);
  const missed = all.filter(({ excess }) => excess > 1).map(({ ratePerS }) => ratePerS);
  const lowPerS = confirmed.lowPerS ?? (met.length === 0 ? null : Math.min(...met) / UNCONFIRMED);
  const highPerS = confirmed.highPerS ?? (missed.length === 0 ? null : Math.max(...missed) * UNCONFIRMED);
  if (lowPerS === null || highPerS === null || lowPerS < highPerS) return { lowPerS, highPerS };
  // The trials contradict each other, as when the capacity drifts: the bracket reaches around both.
  return {
    lowPerS: greatest(met.filter((rate) => rate < highPerS)),
    highPerS: least(missed.filter((rate) => rate > lowPerS)),
  };
}

function resultOf(settings: SearchSettings, trials: readonly CountedTrial[], end: SearchResult['end']): SearchResult {
  const { goals, precisionRatio } = settings;
  const found = bracketOf(goals, trials);
  const lowPerS = end === 'lowest-missed' ? null : found.lowPerS;
  const highPerS = end === 'highest-met' ? null : found.highPerS;
  const between = (from: number, to: number) =>
    trials.filter(({ ratePerS }) => ratePerS >= from * (1 - 1e-9) && ratePerS <= to * (1 + 1e-9));
  const beyond = highPerS === null ? [] : excesses(goals, between(highPerS, highPerS * (1 + precisionRatio)));
  const result = { lowPerS, highPerS, end, bindingGoal: goals[beyond.indexOf(Math.max(...beyond))]?.id ?? null };
  if (lowPerS === null || highPerS === null) return { ...result, valuePerS: null, shape: null, monotone: true };
  const before = excesses(goals, between(lowPerS / (1 + precisionRatio), lowPerS));
  const gradual = seen(goals, between(lowPerS, highPerS)).filter(
    ({ excess }) => excess > CLEARLY_MET && excess < CLIFF_EXCESS,
  );
  const isCliff = Math.max(...before) <= CLEARLY_MET && Math.max(...beyond) >= CLIFF_EXCESS && gradual.length === 0;
  const wellBelow = seen(goals, between(0, lowPerS / (1 + precisionRatio)));
  return {
    ...result,
    valuePerS: crossing(goals, trials, lowPerS, highPerS),
    shape: isCliff ? 'cliff' : 'smooth',
    monotone: confirmedEnds(wellBelow).highPerS === null,
  };
}

/** Half-way, as a ratio, between the highest rate that met the goals and the lowest that missed them, within the bracket. */
function crossing(
  goals: readonly SearchGoal[],
  trials: readonly CountedTrial[],
  lowPerS: number,
  highPerS: number,
): number {
  const inside = seen(goals, trials).filter(({ ratePerS }) => ratePerS >= lowPerS && ratePerS <= highPerS);
  const met = greatest(inside.filter(({ excess }) => excess <= 1).map(({ ratePerS }) => ratePerS)) ?? lowPerS;
  const missed = least(inside.filter(({ excess }) => excess > 1).map(({ ratePerS }) => ratePerS)) ?? highPerS;
  const value = Math.sqrt(met * missed);
  return value > lowPerS && value < highPerS ? value : Math.sqrt(lowPerS * highPerS);
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

function greatest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}
