import type { Reason } from '../core/findings.ts';
import type { JudgedTrial } from '../judging/judged-trial.ts';
import { exactTime, lengthS, type Step, sumOfTimes, type TimeBounds } from './study.ts';
import type { TimeLeft } from './study-event.ts';

/** Of three planned trials one may be repeated, and no load more often than twice. */
const PLANNED_PER_REPEAT = 3;
export const MOST_REPEATS_OF_A_LOAD = 2;

/** How many invalid trials may still be repeated. A study that is invalid throughout does not take three times as long. */
export interface RepeatBudget {
  /** So many trials were planned; repeats of planned trials come out of what they add. */
  planned(trials: number): void;
  /** Takes one repeat out of the budget; false when there is none left. */
  take(): boolean;
}

export function repeatBudget(): RepeatBudget {
  let planned = 0;
  let used = 0;
  return {
    planned(trials) {
      planned += trials;
    },
    take() {
      if (used >= Math.ceil(planned / PLANNED_PER_REPEAT)) return false;
      used += 1;
      return true;
    },
  };
}

/** Whether another trial of the same load may be without it: what the load itself does is the same again. */
const mayPass: Readonly<Record<Reason['code'], boolean>> = {
  stopped: false,
  'service-crashed': false,
  'never-answered': false,
  'too-few-seconds': false,
  'too-few-requests': false,
  'cpu-stolen': true,
  'generator-out-of-resources': false,
  'foreign-cpu': true,
  'generator-busy': false,
  'not-offered': false,
  'near-generator-limit': false,
  'throughput-drift': true,
  'throughput-settled-late': true,
  'latency-drift': true,
};

/** Whether the same trial may be valid next time: each of its reasons may pass, and it was not overloaded. */
export function mayBeValidNextTime({ validity }: Pick<JudgedTrial, 'validity'>): boolean {
  return validity.kind === 'invalid' && !validity.overloaded && validity.reasons.every(({ code }) => mayPass[code]);
}

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
