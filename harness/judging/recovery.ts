import {
  type FaultRecord,
  type Interval,
  type RequestOutcome,
  requestOutcomes,
  type TrialRecord,
} from '../core/trial.ts';
import { median } from '../statistics/sums.ts';
import { isWholeSecond, succeededIn, throughputPerSIn } from './trial-window.ts';

/** What a fault made on purpose did to the requests, and how the system came back. All times to the second. */
export interface Recovery {
  readonly fault: FaultRecord;
  /** The seconds that ended before the fault. */
  readonly before: RecoveryPhase;
  /** The seconds in which it lasted, those in which it began and ended among them. */
  readonly during: RecoveryPhase;
  /** The seconds that began after it was undone; null where it was not. */
  readonly after: RecoveryPhase | null;
  /** From the fault to the end of the first second with a failed request; null when none failed. */
  readonly firstFailureWithinS: number | null;
  /**
   * From the fault until it served as before although the fault went on, such as from another instance, and nothing failed
   * any more while it lasted: 0 when it never stopped. Null when it did not, or when the fault was too short to tell.
   */
  readonly servedAgainDuringS: number | null;
  /** From the moment it was undone until it served as before: 0 when it did already. Null when it did not, or was not undone. */
  readonly recoveredAfterS: number | null;
}

export interface RecoveryPhase {
  /** Seconds from the start of the measured window. */
  readonly fromS: number;
  readonly toS: number;
  /** Mean over the phase; null where it has no length. */
  readonly throughputPerS: number | null;
  readonly succeeded: number;
  /** Requests that failed, by outcome; those that did not happen are absent. */
  readonly failures: Readonly<Partial<Record<RequestOutcome, number>>>;
}

/** It serves as before when the throughput is at least this share of the median before and nothing fails ... */
const SERVED_SHARE_OF_BEFORE = 0.9;
/** ... for so many seconds on end: one good second between two bad ones is none. */
const SERVED_SECONDS = 3;

/** @throws Error for a trial without a fault. */
export function describeRecovery({ fault, trial }: TrialRecord): Recovery {
  if (fault === undefined) throw new Error('a trial without a fault has nothing to recover from');
  const seconds = trial.intervals.filter(({ startS }) => startS >= 0);
  const undoneAtS = fault.undoneAtS ?? Number.POSITIVE_INFINITY;
  const before = seconds.filter((second) => endOf(second) <= fault.atS);
  const during = seconds.filter((second) => endOf(second) > fault.atS && second.startS < undoneAtS);
  const after = seconds.filter(({ startS }) => startS >= undoneAtS);
  const failing = seconds.find((second) => endOf(second) > fault.atS && failedIn(second) > 0);
  const usual = median(before.filter(isWholeSecond).map(throughputPerSIn));
  /** The first of these seconds from which on it served as before. */
  const servedFrom = (candidates: readonly Interval[]) =>
    usual === null || usual === 0 ? undefined : startOfGoodSeconds(candidates, usual);
  const meanwhile = during.filter((second) => endOf(second) <= undoneAtS);
  // Requests may fail only after a while, such as when a timeout has passed.
  const lastFailing = meanwhile.findLastIndex((second) => failedIn(second) > 0);
  const within = servedFrom(meanwhile.slice(lastFailing + 1));
  const afterwards = servedFrom(seconds.filter((second) => endOf(second) > undoneAtS));
  return {
    fault,
    before: phaseOf(before, 0, fault.atS),
    during: phaseOf(during, fault.atS, Math.min(undoneAtS, trial.measuredS)),
    after: fault.undoneAtS === null ? null : phaseOf(after, fault.undoneAtS, trial.measuredS),
    firstFailureWithinS: failing === undefined ? null : endOf(failing) - fault.atS,
    servedAgainDuringS: within === undefined ? null : Math.max(0, within - fault.atS),
    recoveredAfterS: afterwards === undefined ? null : Math.max(0, afterwards - undoneAtS),
  };
}

function startOfGoodSeconds(candidates: readonly Interval[], usualPerS: number): number | undefined {
  const whole = candidates.filter(isWholeSecond);
  const isGood = (second: Interval) =>
    failedIn(second) === 0 && throughputPerSIn(second) >= SERVED_SHARE_OF_BEFORE * usualPerS;
  return whole.find((_, index) => {
    const run = whole.slice(index, index + SERVED_SECONDS);
    return run.length === SERVED_SECONDS && run.every(isGood);
  })?.startS;
}

function phaseOf(seconds: readonly Interval[], fromS: number, toS: number): RecoveryPhase {
  const succeeded = seconds.reduce((sum, second) => sum + succeededIn(second), 0);
  const lengthS = seconds.reduce((sum, { durationS }) => sum + durationS, 0);
  const failures = requestOutcomes
    .filter((outcome) => outcome !== 'ok')
    .map((outcome) => [outcome, countOf(seconds, outcome)] as const)
    .filter(([, count]) => count > 0);
  return {
    fromS,
    toS,
    throughputPerS: lengthS > 0 ? succeeded / lengthS : null,
    succeeded,
    failures: Object.fromEntries(failures),
  };
}

function countOf(seconds: readonly Interval[], outcome: RequestOutcome): number {
  return seconds.reduce((sum, { steps }) => sum + steps.reduce((of, { outcomes }) => of + outcomes[outcome], 0), 0);
}

function failedIn(second: Interval): number {
  return requestOutcomes.reduce((sum, outcome) => sum + (outcome === 'ok' ? 0 : countOf([second], outcome)), 0);
}

function endOf({ startS, durationS }: Interval): number {
  return startS + durationS;
}
