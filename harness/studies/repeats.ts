import type { JudgedTrial } from '../judging/judged-trial.ts';

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

/** Whether the same trial may be valid next time. What the load itself does is the same again. */
export function mayBeValidNextTime({ validity, record }: JudgedTrial): boolean {
  return validity.kind === 'invalid' && !validity.overloaded && !record.trial.stopped;
}
