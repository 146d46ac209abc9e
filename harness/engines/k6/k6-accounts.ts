import type { Interval, Trial, TrialPlan } from '../../core/trial.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { createAccounting } from '../shared/accounting.ts';
import type { DroppedInK6, K6Event, ReportedInK6 } from './k6-events.ts';

/**
 * Makes a trial of what k6 reports, without reading a clock. k6 knows when an iteration began, not when it was scheduled: its executor starts
 * or drops what is scheduled one after the other, so the n-th that it started or dropped was the n-th scheduled.
 */
export interface K6Accounts {
  /** In order for each virtual user. */
  add(event: K6Event): void;
  addDropped(dropped: DroppedInK6): void;
  /** When the measured window starts, by the clock of the machine; undefined until k6 has reported. */
  windowStartMs(): number | undefined;
  /** Accounts what was reported up to then, by the clock of the machine, and gives the seconds that are over. */
  advance(untilMs: number): readonly Interval[];
  /** Whether nobody holds back anything of before then, by the clock of the machine. */
  knowsUntil(atMs: number): boolean;
  /** Nothing that came later counts; to be said as soon as it is known. */
  stopAt(atMs: number): void;
  close(): K6Account;
}

interface K6Account
  extends Pick<
    Trial,
    'measuredS' | 'stopped' | 'iterations' | 'steps' | 'intervals' | 'inFlightAtEnd' | 'failureExamples'
  > {
  /** Of the iterations scheduled in the window; null in a closed load. */
  readonly sendLagP99S: number | null;
}

type Reported =
  | Exclude<Extract<K6Event, { readonly vu: number }>, ReportedInK6>
  | (DroppedInK6 & { readonly kind: 'dropped' });

interface VirtualUser {
  /** How late the iteration in flight began: a part of the latency of its first request. */
  lagS: number;
  /** Since when the request in flight was scheduled; undefined where none is. */
  inFlightSinceS: number | undefined;
}

/** Made in the order in which k6 reported, entered in the order of time: what was scheduled long ago may be reported late. */
interface Entry {
  readonly atS: number;
  enter(): void;
}

/** @param nextScheduledS of open loads, in seconds from the start of the executor */
export function createK6Accounts(
  { load, warmUpS, durationS }: Pick<TrialPlan, 'load' | 'warmUpS' | 'durationS'>,
  nextScheduledS?: () => number,
  startsLate = false,
): K6Accounts {
  const accounting = createAccounting({ warmUpS, durationS });
  const sendLag = LatencyHistogram.empty();
  const virtualUsers = new Map<number, VirtualUser>();
  const failures = new Map<string, Extract<K6Event, { readonly kind: 'failure' }>>();
  const inFlightSinceS: number[] = [];
  /** What they did up to then is known; by the clock of the test run. */
  const heldBackFromMs = new Map<number, number>();
  let waiting: Reported[] = [];
  let entries: Entry[] = [];
  /**
   * When the clock of the test run read 0, by that of the machine: of readings in whole milliseconds the latest is right.
   * Those of the first second count, because the clock of the machine may be set.
   */
  let runStartMs = Number.NEGATIVE_INFINITY;
  let originMs: number | undefined;
  let scheduleFromS: number | undefined = startsLate ? undefined : 0;
  let next = { isTaken: true, scheduledS: 0 };
  let stopS = durationS;
  let stopMs: number | undefined;

  /** From the start of the window, by the clock of the test run. */
  const inWindowS = (runMs: number): number => (runMs - (originMs ?? 0)) / 1000 - warmUpS;
  const runMsOf = (event: Reported): number => (event.kind === 'dropped' ? event.wallMs - runStartMs : event.runMs);

  function peekScheduled(): number {
    if (next.isTaken)
      next = {
        isTaken: false,
        scheduledS: (nextScheduledS?.() ?? Number.POSITIVE_INFINITY) + (scheduleFromS ?? 0) - warmUpS,
      };
    return next.scheduledS;
  }

  function takeScheduled(): number {
    const scheduledS = peekScheduled();
    next.isTaken = true;
    return scheduledS;
  }

  function userOf(vu: number): VirtualUser {
    const known = virtualUsers.get(vu);
    if (known !== undefined) return known;
    const user = { lagS: 0, inFlightSinceS: undefined };
    virtualUsers.set(vu, user);
    return user;
  }

  /** What has begun and not ended by the end of the window waits from then on, whatever becomes of it. */
  function leave(user: VirtualUser): void {
    if (user.inFlightSinceS !== undefined && user.inFlightSinceS < stopS) inFlightSinceS.push(user.inFlightSinceS);
    user.inFlightSinceS = undefined;
  }

  function enterEvent(event: Reported): void {
    const atS = inWindowS(runMsOf(event));
    if (event.kind === 'dropped') {
      for (let each = 0; each < event.count; each += 1) {
        const scheduledS = takeScheduled();
        if (scheduledS < stopS) entries.push({ atS: scheduledS, enter: () => accounting.iterationDropped(scheduledS) });
      }
      return;
    }
    const user = userOf(event.vu);
    if (event.kind === 'iteration') enterStart(user, atS);
    else if (event.kind === 'request') {
      user.lagS = 0;
      user.inFlightSinceS = atS;
    } else if (event.kind === 'ended') enterRequest(user, event, atS);
    else {
      user.inFlightSinceS = undefined;
      if (atS < stopS) entries.push({ atS, enter: () => accounting.iterationEnded(atS, event.failed) });
    }
  }

  function enterStart(user: VirtualUser, startedS: number): void {
    const scheduledS = nextScheduledS === undefined ? startedS : Math.min(takeScheduled(), startedS);
    leave(user);
    if (scheduledS >= stopS) return;
    user.lagS = startedS - scheduledS;
    user.inFlightSinceS = scheduledS;
    if (scheduledS >= 0) sendLag.record(user.lagS);
    entries.push({ atS: scheduledS, enter: () => accounting.iterationStarted(scheduledS) });
  }

  function enterRequest(
    user: VirtualUser,
    { latencyMs, serviceTimeMs, bodyBytes, how }: Extract<K6Event, { readonly kind: 'ended' }>,
    atS: number,
  ): void {
    if (atS >= stopS) {
      leave(user);
      return;
    }
    const { step, outcome, status, follows } = how;
    const times = { latencyS: latencyMs / 1000 + user.lagS, serviceTimeS: serviceTimeMs / 1000 };
    user.lagS = 0;
    user.inFlightSinceS = follows === 'send' ? atS : undefined;
    const enter = (): void => {
      const failure = failures.get(`${outcome} ${step}`);
      const describe = () => failure?.message ?? 'k6 reported no more of it';
      accounting.requestEnded(atS, {
        step,
        outcome,
        status,
        bodyBytes,
        ...times,
        resource: failure?.resource,
        describe,
      });
      if (follows === 'done' || follows === 'failed') accounting.iterationEnded(atS, follows === 'failed');
    };
    entries.push({ atS, enter });
  }

  /** The schedule begins when the first of those that were reported was scheduled: the one that was the least late. */
  function findScheduleStart(events: readonly Reported[]): number {
    if (nextScheduledS === undefined) return 0;
    let leastS = Number.POSITIVE_INFINITY;
    const known: number[] = [];
    const schedule = nextScheduledS;
    let index = 0;
    for (const event of events) {
      if (event.kind !== 'iteration' && event.kind !== 'dropped') continue;
      const scheduledS = schedule();
      known.push(scheduledS);
      if (event.kind === 'iteration') leastS = Math.min(leastS, inWindowS(event.runMs) + warmUpS - scheduledS);
    }
    nextScheduledS = () => known[index++] ?? schedule();
    return Number.isFinite(leastS) ? Math.max(0, leastS) : 0;
  }

  function windowStartMs(): number | undefined {
    if (originMs === undefined || !Number.isFinite(runStartMs)) return undefined;
    return runStartMs + originMs + warmUpS * 1000;
  }

  function knownUntilMs(): number {
    let untilMs = Number.POSITIVE_INFINITY;
    for (const fromMs of heldBackFromMs.values()) untilMs = Math.min(untilMs, fromMs);
    return untilMs;
  }

  function findStop(): void {
    const startMs = windowStartMs();
    if (startMs !== undefined && stopMs !== undefined) stopS = Math.min(stopS, (stopMs - startMs) / 1000);
  }

  /** Gives up to when everything is entered: nothing that is scheduled before that can be reported any more. */
  function enterUntil(toMs: number): number {
    const startMs = windowStartMs();
    if (startMs === undefined) return Number.NEGATIVE_INFINITY;
    const untilRunMs = Math.min(toMs - runStartMs, knownUntilMs());
    const untilMs = untilRunMs + runStartMs;
    const reported = waiting.filter((event) => runMsOf(event) <= untilRunMs);
    if (reported.length > 0) {
      reported.sort((a, b) => runMsOf(a) - runMsOf(b));
      waiting = waiting.filter((event) => runMsOf(event) > untilRunMs);
      scheduleFromS ??= findScheduleStart(reported);
      for (const event of reported) enterEvent(event);
    }
    if (scheduleFromS === undefined) return Number.NEGATIVE_INFINITY;
    const untilS = Math.min(stopS, (untilMs - startMs) / 1000, peekScheduled());
    enterBefore(untilS);
    return untilS;
  }

  function enterBefore(untilS: number): void {
    entries.sort((a, b) => a.atS - b.atS);
    const later = entries.findIndex((entry) => entry.atS >= untilS);
    const count = later < 0 ? entries.length : later;
    for (const entry of entries.slice(0, count)) entry.enter();
    entries = entries.slice(count);
  }

  return {
    add(event) {
      if (event.kind === 'origin') originMs ??= event.runMs;
      else if (event.kind === 'failure') {
        const key = `${event.outcome} ${event.step}`;
        if (!failures.has(key)) failures.set(key, event);
      } else if (event.kind === 'reported') {
        if (event.holdsBack) heldBackFromMs.set(event.vu, event.runMs);
        else heldBackFromMs.delete(event.vu);
        if (event.runMs < (originMs ?? 0) + 1000) runStartMs = Math.max(runStartMs, event.wallMs - event.runMs);
      } else if ('vu' in event) waiting.push(event);
    },
    addDropped(dropped) {
      waiting.push({ kind: 'dropped', ...dropped });
    },
    windowStartMs,
    knowsUntil: (atMs) => heldBackFromMs.size === 0 || knownUntilMs() + runStartMs >= atMs,
    advance(untilMs) {
      return accounting.advance(enterUntil(untilMs));
    },
    stopAt(atMs) {
      stopMs ??= atMs;
      findStop();
    },
    close() {
      findStop();
      // k6 was interrupted, and what they held back is lost.
      stopS = Math.min(stopS, inWindowS(knownUntilMs()));
      heldBackFromMs.clear();
      const hasBegun = windowStartMs() !== undefined;
      if (!hasBegun) stopS = 0 - warmUpS;
      enterUntil(Number.POSITIVE_INFINITY);
      for (const user of virtualUsers.values()) leave(user);
      // Scheduled by then, but k6 was too late to start it.
      for (; hasBegun && peekScheduled() < stopS; next.isTaken = true) {
        const { scheduledS } = next;
        entries.push({ atS: scheduledS, enter: () => accounting.iterationStarted(scheduledS) });
        inFlightSinceS.push(scheduledS);
      }
      enterBefore(Number.POSITIVE_INFINITY);
      const sendLagP99S = load.model === 'closed' ? null : sendLag.count === 0 ? 0 : sendLag.quantileS(0.99);
      return { ...accounting.close(stopS, inFlightSinceS), sendLagP99S };
    },
  };
}
