import { requestOutcomes, type Trial } from '../harness/core/trial.ts';
import { formatNumber, formatRatio } from '../harness/core/units.ts';
import { requestCounts } from '../harness/judging/trial-window.ts';

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
  const counts = requestOutcomes.map(
    (outcome) => [outcome, steps.reduce((sum, { outcomes }) => sum + outcomes[outcome], 0)] as const,
  );
  const requests = counts.reduce((sum, [, count]) => sum + count, 0);
  const failures = counts.filter(([outcome, count]) => outcome !== 'ok' && count > 0);
  const failed = failures.reduce((sum, [, count]) => sum + count, 0);
  const { all, dropped } = requestCounts(trial);
  return {
    scheduled: iterations.intended,
    completed: iterations.completed,
    dropped: iterations.dropped,
    requests,
    failures,
    droppedRatio: all === 0 ? 0 : dropped / all,
    failedRatio: all === 0 ? 0 : failed / all,
  };
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
