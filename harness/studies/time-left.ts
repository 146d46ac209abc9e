import { exactTime, lengthS, type Step, sumOfTimes, type TimeBounds } from './study.ts';
import type { TimeLeft } from './study-event.ts';

/** Bounds of the time that trials and rests of a study still take. Repeats, drains and starting are not in them. */
export interface TimeKeeper {
  /** The next group begins; what it takes is no longer ahead of it. */
  group(own: TimeBounds): void;
  /** A step begins: its time is no longer ahead. A plan replaces what was expected. */
  step(step: Step): void;
  /** With so many seconds left of what is being done. */
  left(currentS: number): TimeLeft;
}

/** `all`: everything the study takes, as far as that is known. */
export function timeKeeper(all: TimeBounds): TimeKeeper {
  const startedAtMs = performance.now();
  let later = all;
  let own = exactTime(0);
  return {
    group(bounds) {
      later = minus(later, bounds);
      own = bounds;
    },
    step(step) {
      own =
        step.kind === 'plan'
          ? sumOfTimes([...step.trials.map((trial) => exactTime(lengthS(trial))), step.after])
          : minus(own, exactTime(lengthS(step)));
    },
    left(currentS) {
      const { atLeastS, atMostS } = sumOfTimes([exactTime(Math.max(0, currentS)), own, later]);
      return { elapsedS: (performance.now() - startedAtMs) / 1000, atLeastS, atMostS };
    },
  };
}

/** Never below nothing: a trial may have taken longer than was expected. */
function minus(left: TimeBounds, right: TimeBounds): TimeBounds {
  return {
    atLeastS: Math.max(0, left.atLeastS - right.atLeastS),
    atMostS: Math.max(0, left.atMostS - right.atMostS),
  };
}
