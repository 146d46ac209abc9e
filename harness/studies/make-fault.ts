import type { FaultKind, FaultRecord, Interval } from '../core/trial.ts';
import type { FaultControl } from '../providers/provider.ts';
import type { PlannedFault } from './steps.ts';

/** A fault that is made and undone while a trial goes on. */
export interface FaultInTrial {
  /** Each second of the trial as it ends: they say when the fault is due, whatever the clock. */
  interval(interval: Interval): void;
  /**
   * After the trial: undoes the fault if that is still to be done, unless the signal has aborted, for then all is taken
   * down anyway. Never rejects.
   */
  settle(signal: AbortSignal): Promise<FaultOutcome>;
}

export interface FaultOutcome {
  /** Seconds since 1970, when the calls were made; null when the trial ended before, or it could not be made. */
  readonly madeAtS: number | null;
  readonly undoneAtS: number | null;
  /** What went wrong while it was made or undone. */
  readonly failure: string | null;
}

const opposite = { kill: 'start', pause: 'resume' } as const satisfies Record<FaultKind, keyof FaultControl>;

export function makeFault(
  { kind, instance, atS, undoAtS }: PlannedFault,
  control: FaultControl,
  nowS: () => number = epochS,
): FaultInTrial {
  let madeAtS: number | null = null;
  let undoneAtS: number | null = null;
  let failure: string | null = null;
  let making: Promise<void> | undefined;
  let undoing: Promise<void> | undefined;

  async function make(): Promise<void> {
    // What fails from the moment of the call on fails because of it.
    const calledAtS = nowS();
    try {
      await control[kind](instance);
      madeAtS = calledAtS;
    } catch (error) {
      failure = `${instance} could not be ${kind === 'kill' ? 'killed' : 'paused'}: ${messageOf(error)}`;
    }
  }

  async function undo(): Promise<void> {
    await making;
    if (madeAtS === null) return;
    try {
      await control[opposite[kind]](instance);
      undoneAtS = nowS();
    } catch (error) {
      failure = `${instance} did not come back after it was ${kind === 'kill' ? 'killed' : 'paused'}: ${messageOf(error)}`;
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

/** In seconds from the start of the measured window, given in seconds since 1970. */
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
  return error instanceof Error ? error.message : String(error);
}

function epochS(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}
