import { binomialAtMost } from '../statistics/binomial.ts';
import { atLeastOf } from '../statistics/sign-test.ts';
import { normalAtMost } from '../statistics/student-t.ts';

/** What trials at different rates say of the sustained rate: the evidence of its search (sustained-rate-search.ts). */

export interface SearchGoal {
  readonly id: string;
  /** Of all requests that should have been answered: 0.05 for a p95 target, 0.001 for fewer errors than 0.1 %. */
  readonly allowedRatio: number;
}

/** Of one trial and one goal. */
export interface GoalCounts {
  readonly bad: number;
  readonly all: number;
}

export interface CountedTrial {
  readonly ratePerS: number;
  readonly durationS: number;
  /** In the order of the goals. */
  readonly goals: readonly GoalCounts[];
}

/** Null where nothing was found at that side. */
export interface RateBracket {
  readonly lowPerS: number | null;
  readonly highPerS: number | null;
}

/** A trial is clearly met when each bad ratio is at most this share of what its goal allows. */
export const CLEARLY_MET = 0.25;
/** The chance that an end is confirmed by luck. Ends are tested after every trial, which adds to it. */
const MISS_PROBABILITY = 0.015;
/** How much the capacity differs between trials, at most: standard deviation of its logarithm. */
const CAPACITY_SCATTER = 0.08;
/** Overload shows when the queue has grown by about the latency that is allowed, as a share of the trial's duration. */
const QUEUE_GROWTH_S = 0.3;

/** A goal is missed when so many bad requests, were it just kept, have at most this chance. */
const SIGNIFICANT = 0.05;
/** An end outside of the measured rates: in such steps of the rate's logarithm, and no further outside than that. */
const OUTWARD_STEP = 0.01;
const FURTHEST_OUTWARD = 0.9;
/** So few trials may leave only measured rates far outside: then the end lies nearer, at a rate that was not measured. */
const FEW_TRIALS = 8;
const MEASURED_IS_NEAR = 0.1;

/** A trial as the search sees it. */
export interface Seen {
  readonly ratePerS: number;
  readonly durationS: number;
  /** The largest bad ratio as a multiple of what its goal allows. More than 1: missed. At most 1 where chance explains it. */
  readonly excess: number;
  readonly requests: number;
  /** The chance that so few requests show no error although there are too many; 0 where errors are not seen at all. */
  readonly unnoticed: number;
}

/**
 * The highest rate that is confirmed to be sustained and the lowest that is confirmed not to be, by sign tests.
 *
 * Were rate c above the sustained rate, a trial at c or above would be clearly met with a chance of at most p, which is
 * about 1/2 at c and less further above. c is confirmed when so many of the trials from c upwards are clearly met that
 * this has a chance below `MISS_PROBABILITY`: 6 of 6 with p = 1/2, fewer far above c. The same downwards for misses.
 *
 * An end is a measured rate where one is confirmed. Few trials confirm none; then the end lies as far outside of them as they
 * leave open, so that the bracket is wide rather than wrong.
 */
export function confirmedEnds(trials: readonly Seen[]): RateBracket {
  const ascending = trials.toSorted((left, right) => left.ratePerS - right.ratePerS);
  const descending = ascending.toReversed();
  const isMet = ({ excess }: Seen) => excess <= CLEARLY_MET;
  const isMissed = ({ excess }: Seen) => excess > 1;
  const isLow = (end: number) =>
    isUnlikely(
      ascending.filter(({ ratePerS }) => ratePerS >= end),
      isMet,
      (trial) => chanceOfMetAbove(trial, end),
    );
  const isHigh = (end: number) =>
    isUnlikely(
      descending.filter(({ ratePerS }) => ratePerS <= end),
      isMissed,
      (trial) => chanceOfMissedBelow(trial, end),
    );
  const measuredOr = (measured: number | undefined, outer: number | null) => {
    if (measured === undefined || outer === null || trials.length > FEW_TRIALS) return measured ?? outer;
    return Math.abs(Math.log(measured / outer)) > MEASURED_IS_NEAR ? outer : measured;
  };
  return {
    lowPerS: measuredOr(
      descending.find(({ ratePerS }) => isLow(ratePerS))?.ratePerS,
      outside(descending.filter(isMet), -1, isLow),
    ),
    highPerS: measuredOr(
      ascending.find(({ ratePerS }) => isHigh(ratePerS))?.ratePerS,
      outside(ascending.filter(isMissed), 1, isHigh),
    ),
  };
}

/** The first rate that is confirmed, from that of the first trial to beyond that of the last one. */
function outside(trials: readonly Seen[], sign: 1 | -1, isEnd: (ratePerS: number) => boolean): number | null {
  const [first] = trials;
  const last = trials.at(-1);
  if (first === undefined || last === undefined) return null;
  const furthest = Math.abs(Math.log(last.ratePerS / first.ratePerS)) + FURTHEST_OUTWARD;
  for (let step = 1; step * OUTWARD_STEP <= furthest; step += 1) {
    const ratePerS = first.ratePerS * Math.exp(sign * step * OUTWARD_STEP);
    if (isEnd(ratePerS)) return ratePerS;
  }
  return null;
}

/** Whether the first trials, however many, support the end more often than chance explains. */
function isUnlikely(
  trials: readonly Seen[],
  supports: (trial: Seen) => boolean,
  chance: (trial: Seen) => number,
): boolean {
  const chances: number[] = [];
  let supporting = 0;
  return trials.some((trial) => {
    chances.push(chance(trial));
    if (!supports(trial)) return false;
    supporting += 1;
    return atLeastOf(supporting, chances) <= MISS_PROBABILITY;
  });
}

/** At most; were the sustained rate below `ratePerS`. */
function chanceOfMetAbove(trial: Seen, ratePerS: number): number {
  const growth = QUEUE_GROWTH_S / trial.durationS - Math.log(trial.ratePerS / ratePerS);
  return Math.max(trial.unnoticed, normalAtMost(growth / scatterOf(trial)));
}

/** At most; were the sustained rate above `ratePerS`. */
function chanceOfMissedBelow(trial: Seen, ratePerS: number): number {
  return normalAtMost(Math.log(trial.ratePerS / ratePerS) / scatterOf(trial));
}

/** Of the capacity between trials, and of the arrivals and services within one (both Poisson at worst). */
function scatterOf({ requests }: Seen): number {
  return Math.sqrt(CAPACITY_SCATTER ** 2 + 2 / Math.max(1, requests));
}

/** The trials as evidence, each by itself but for errors: those of all trials tell whether there are any to be noticed. */
export function seen(goals: readonly SearchGoal[], trials: readonly CountedTrial[]): Seen[] {
  const all = trials.map((trial): Seen => {
    const { ratePerS, durationS } = trial;
    const excess = Math.max(...goals.map((goal, index) => excessOf(goal, trial.goals[index])));
    return {
      ratePerS,
      durationS,
      excess,
      requests: Math.max(...trial.goals.map((counts) => counts.all)),
      unnoticed: 0,
    };
  });
  const isRare = goals.map((_, index) =>
    all.some(({ excess }, each) => excess <= 1 && (trials[each]?.goals[index]?.bad ?? 0) > 0),
  );
  return all.map((trial, each) => {
    const chances = goals.map(({ allowedRatio }, index) => {
      const counts = trials[each]?.goals[index];
      if (counts === undefined || isRare[index] !== true) return 0;
      return binomialAtMost(Math.floor(CLEARLY_MET * allowedRatio * counts.all), counts.all, allowedRatio);
    });
    return { ...trial, unnoticed: Math.max(...chances) };
  });
}

/** More than 1 only where chance does not explain it. */
function excessOf({ allowedRatio }: SearchGoal, { bad, all }: GoalCounts = { bad: 0, all: 0 }): number {
  if (all === 0) return Number.POSITIVE_INFINITY;
  const excess = bad / all / allowedRatio;
  return excess > 1 && 1 - binomialAtMost(bad - 1, all, allowedRatio) > SIGNIFICANT ? 1 : excess;
}

/** Of each goal: the bad ratio of the trials together, as a multiple of what is allowed. Nothing answered: infinite. */
export function excesses(goals: readonly SearchGoal[], trials: readonly CountedTrial[]): number[] {
  return goals.map(({ allowedRatio }, index) => {
    const counts = trials.flatMap((trial) => trial.goals[index] ?? []);
    const all = counts.reduce((total, count) => total + count.all, 0);
    const bad = counts.reduce((total, count) => total + count.bad, 0);
    return all === 0 ? Number.POSITIVE_INFINITY : bad / all / allowedRatio;
  });
}
