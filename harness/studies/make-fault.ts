import { describeThrown, TierbenchError } from '../core/errors.ts';
import type { Note } from '../core/findings.ts';
import type { FaultKind, FaultRecord, Interval, Measurement } from '../core/trial.ts';
import type { LoadEngine, TrialRequest } from '../engines/engine.ts';
import { monotonicS } from '../machine/clock.ts';
import type { Probe } from '../probes/probe.ts';
import type { FaultControl } from '../providers/provider.ts';
import { measure } from './measure.ts';
import type { PlannedFault } from './study.ts';

/**
 * Measures a trial, during which the fault is made and undone when there is one. A trial whose fault could not be made has
 * none in its measurement; `failure` says that the tier is not whole any more.
 */
export async function measureWithFault(
  planned: PlannedFault | undefined,
  control: FaultControl | undefined,
  engine: LoadEngine,
  request: TrialRequest,
  probes: readonly Probe[],
  signal: AbortSignal,
  onInterval: (interval: Interval) => void,
): Promise<{ readonly measurement: Measurement; readonly failure: TierbenchError | undefined }> {
  if (planned === undefined) {
    return { measurement: await measure(engine, request, probes, signal, { onInterval }), failure: undefined };
  }
  const fault = control && makeFault(planned, control);
  const measurement = await measure(engine, request, probes, signal, {
    onInterval(interval) {
      onInterval(interval);
      fault?.interval(interval);
    },
  });
  const outcome = await fault?.settle(signal);
  const record = outcome && faultRecord(planned, outcome, measurement.trial.startedAtMonotonicS);
  return {
    measurement: {
      ...measurement,
      ...(record !== undefined && { fault: record }),
      notes: [
        { code: 'fault-timeout', timeoutS: request.plan.timeoutS },
        ...measurement.notes,
        ...(outcome?.failure ? [outcome.failure] : []),
      ],
    },
    failure: signal.aborted ? undefined : failureOf(planned, outcome),
  };
}

function failureOf({ kind, instance }: PlannedFault, outcome: FaultOutcome | undefined): TierbenchError | undefined {
  const what =
    outcome === undefined
      ? `this provider cannot ${kind} ${instance}`
      : outcome.failure !== null
        ? whatFailed(outcome.failure)
        : outcome.madeAtS === null
          ? `the trial was over before ${instance} was to fail`
          : undefined;
  if (what === undefined) return undefined;
  return new TierbenchError(
    'FAULT_FAILED',
    what,
    'Its last lines above may name the cause; leave the fault out, or choose another.',
    { remedy: 'other-fault' },
  );
}

const done = { kill: 'killed', pause: 'paused' } as const;

function whatFailed({ code, kind, instance, detail }: FaultFailure): string {
  return code === 'fault-not-made'
    ? `${instance} could not be ${done[kind]}: ${detail}`
    : `${instance} did not come back after it was ${done[kind]}: ${detail}`;
}

type FaultFailure = Extract<Note, { readonly code: 'fault-not-made' | 'fault-not-undone' }>;

/** A fault that is made and undone while a trial goes on. */
export interface FaultInTrial {
  /** Called after each second of the trial: the fault is timed by these, not by the clock. */
  interval(interval: Interval): void;
  /**
   * After the trial: undoes the fault if that is still to be done, unless the signal has aborted, for then all is taken
   * down anyway. Never rejects.
   */
  settle(signal: AbortSignal): Promise<FaultOutcome>;
}

export interface FaultOutcome {
  /** Seconds of the monotonic clock when the calls were made; null when the trial ended before, or it could not be made. */
  readonly madeAtS: number | null;
  readonly undoneAtS: number | null;
  /** What went wrong while it was made or undone. */
  readonly failure: FaultFailure | null;
}

const opposite = { kill: 'start', pause: 'resume' } as const satisfies Record<FaultKind, keyof FaultControl>;

export function makeFault(
  { kind, instance, atS, undoAtS }: PlannedFault,
  control: FaultControl,
  nowS: () => number = monotonicS,
): FaultInTrial {
  let madeAtS: number | null = null;
  let undoneAtS: number | null = null;
  let failure: FaultFailure | null = null;
  let making: Promise<void> | undefined;
  let undoing: Promise<void> | undefined;

  async function make(): Promise<void> {
    // What fails from the moment of the call on fails because of it.
    const calledAtS = nowS();
    try {
      await control[kind](instance);
      madeAtS = calledAtS;
    } catch (error) {
      failure = { code: 'fault-not-made', kind, instance, detail: messageOf(error) };
    }
  }

  async function undo(): Promise<void> {
    await making;
    if (madeAtS === null) return;
    try {
      await control[opposite[kind]](instance);
      undoneAtS = nowS();
    } catch (error) {
      failure = { code: 'fault-not-undone', kind, instance, detail: messageOf(error) };
    }
  }

  return {
    interval({ startS, durationS }) {
      const endS = startS + durationS;
      if (endS >= atS) making ??= make();
      if (endS >= undoAtS) undoing ??= undo();
    },
    async settle(signal) {
      if (!signal.aborted && making !== undefined) {
        undoing ??= undo();
        await Promise.race([undoing, aborted(signal)]);
      }
      return { madeAtS, undoneAtS, failure };
    },
  };
}

/** In seconds from the start of the measured window, given in seconds of the monotonic clock. */
export function faultRecord(
  { kind, instance }: PlannedFault,
  { madeAtS, undoneAtS }: FaultOutcome,
  windowStartS: number,
): FaultRecord | undefined {
  if (madeAtS === null) return undefined;
  const since = (atS: number) => Math.round((atS - windowStartS) * 1000) / 1000;
  return { kind, instance, atS: since(madeAtS), undoneAtS: undoneAtS === null ? null : since(undoneAtS) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function messageOf(error: unknown): string {
  return describeThrown(error);
}
