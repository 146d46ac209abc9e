import { requestOutcomes, type StepResult, type Trial } from '../harness/core/trial.ts';
import { formatNumber, formatRatio } from '../harness/core/units.ts';
import { requestCounts, requestsIn } from '../harness/judging/trial-window.ts';

/** What became of the work of a trial: what was scheduled, what was dropped, what failed and how. */
export interface Work {
  /** Iterations that were scheduled; in a closed-loop load: that were started. */
  readonly scheduled: number;
  readonly completed: number;
  /** Iterations that were scheduled and never started. */
  readonly dropped: number;
  readonly requests: number;
  /** Requests that failed, by outcome; what did not happen is absent. */
  readonly failures: readonly (readonly [outcome: string, count: number])[];
  /** Of the requests that were sent and those of the dropped iterations together. */
  readonly droppedRatio: number;
  readonly failedRatio: number;
}

export function workOf(trial: Trial): Work {
  const { iterations, steps } = trial;
  const failures = failuresIn(steps);
  const failed = failedIn(steps);
  const { all, dropped } = requestCounts(trial);
  return {
    scheduled: iterations.intended,
    completed: iterations.completed,
    dropped: iterations.dropped,
    requests: requestsIn(steps),
    failures,
    droppedRatio: all === 0 ? 0 : dropped / all,
    failedRatio: all === 0 ? 0 : failed / all,
  };
}

/** Failed requests by outcome; what did not happen is absent. */
function failuresIn(steps: readonly Pick<StepResult, 'outcomes'>[]): Work['failures'] {
  return requestOutcomes.flatMap((outcome) => {
    const count = steps.reduce((sum, { outcomes }) => sum + outcomes[outcome], 0);
    return outcome === 'ok' || count === 0 ? [] : [[outcome, count] as const];
  });
}

/** Failed requests of a trial, or of one interval of it. */
export function failedIn(steps: readonly Pick<StepResult, 'outcomes'>[]): number {
  return failuresIn(steps).reduce((sum, [, count]) => sum + count, 0);
}

/** `dropped × 374`, `http-error × 3`; what did not happen is absent. */
export function lostWork({ dropped, failures }: Work): readonly string[] {
  return [...(dropped > 0 ? [['dropped', dropped] as const] : []), ...failures].map(
    ([what, count]) => `${what} × ${formatNumber(count)}`,
  );
}

/** `120 of 5,000 dropped (2.4 %)` */
export function droppedInWords({ scheduled, dropped }: Work): string {
  return `${formatNumber(dropped)} of ${formatNumber(scheduled)} dropped (${formatRatio(scheduled === 0 ? 0 : dropped / scheduled)})`;
}
