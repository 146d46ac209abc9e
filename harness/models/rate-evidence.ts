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

/** Both ends are measured rates; null where nothing was found at that side. */
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

/** A trial as the search sees it. */
export interface Seen {
  readonly ratePerS: number;
  readonly durationS: number;
  /** The largest bad ratio as a multiple of what its goal allows. More than 1: missed. */
  readonly excess: number;
  readonly requests: number;
}

/**
 * The highest rate that is confirmed to be sustained and the lowest that is confirmed not to be, by sign tests.
 *
 * Were rate c above the sustained rate, a trial at c or above would be clearly met with a chance of at most p, which is
 * about 1/2 at c and less further above. c is confirmed when so many of the trials from c upwards are clearly met that
 * this has a chance below `MISS_PROBABILITY`: 6 of 6 with p = 1/2, fewer far above c. The same downwards for misses.
 */
export function confirmedEnds(trials: readonly Seen[]): RateBracket {
  let lowPerS: number | null = null;
  let highPerS: number | null = null;
  const ascending = trials.toSorted((left, right) => left.ratePerS - right.ratePerS);
  const descending = ascending.toReversed();
  for (const { ratePerS } of ascending) {
    const from = ascending.filter((trial) => trial.ratePerS >= ratePerS);
    if (
      isUnlikely(
        from,
        ({ excess }) => excess <= CLEARLY_MET,
        (trial) => chanceOfMetAbove(trial, ratePerS),
      )
    )
      lowPerS = ratePerS;
  }
  for (const { ratePerS } of descending) {
    const from = descending.filter((trial) => trial.ratePerS <= ratePerS);
    if (
      isUnlikely(
        from,
        ({ excess }) => excess > 1,
        (trial) => chanceOfMissedBelow(trial, ratePerS),
      )
    )
      highPerS = ratePerS;
  }
  return { lowPerS, highPerS };
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
  return normalAtMost((QUEUE_GROWTH_S / trial.durationS - Math.log(trial.ratePerS / ratePerS)) / scatterOf(trial));
}

/** At most; were the sustained rate above `ratePerS`. */
function chanceOfMissedBelow(trial: Seen, ratePerS: number): number {
  return normalAtMost(Math.log(trial.ratePerS / ratePerS) / scatterOf(trial));
}

/** Of the capacity between trials, and of the arrivals and services within one (both Poisson at worst). */
function scatterOf({ requests }: Seen): number {
  return Math.sqrt(CAPACITY_SCATTER ** 2 + 2 / Math.max(1, requests));
}

export function seen(goals: readonly SearchGoal[], trial: CountedTrial): Seen {
  const { ratePerS, durationS } = trial;
  return {
    ratePerS,
    durationS,
    excess: Math.max(...excesses(goals, [trial])),
    requests: Math.max(...trial.goals.map(({ all }) => all)),
  };
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
