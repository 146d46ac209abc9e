import { describeThrown } from '../core/errors.ts';
import type { Note } from '../core/findings.ts';
import type { ProbeSample } from '../core/trial.ts';
import { monotonicS } from '../machine/clock.ts';
import type { Probe, Reading } from './probe.ts';

/** Samples that are being taken. */
export interface Sampling {
  /** Starts no further reading and waits for those that have begun, but not for one that hangs. Never rejects. */
  stop(): Promise<void>;
  /** What was read, timed from `originS` (seconds of the monotonic clock), and what a reader should know about it. */
  since(originS: number): { readonly samples: readonly ProbeSample[]; readonly notes: readonly Note[] };
}

const LONGEST_WAIT_AT_STOP_MS = 2000;

/**
 * Reads each probe now and then at every full second from now, without drift. A probe that has not answered yet is not
 * asked again, so a slow one skips seconds and holds up nobody else. One that fails makes a note, is tried again each
 * second, and never ends a run.
 */
export function sampleEachSecond(probes: readonly Probe[], periodMs = 1000): Sampling {
  const stopping = new AbortController();
  const readings: { readonly atS: number; readonly reading: Reading }[] = [];
  const failures = new Map<string, { readonly message: string; times: number }>();
  const loops = probes.map((probe) =>
    atEachTick(periodMs, stopping.signal, async () => {
      const atS = monotonicS();
      try {
        for (const reading of await probe.read()) readings.push({ atS, reading });
      } catch (error) {
        const known = failures.get(probe.name);
        if (known !== undefined) known.times += 1;
        else failures.set(probe.name, { message: describeThrown(error), times: 1 });
      }
    }),
  );
  return {
    async stop() {
      stopping.abort();
      await Promise.race([Promise.all(loops), expired(LONGEST_WAIT_AT_STOP_MS)]);
    },
    since(originS) {
      return {
        samples: readings
          .toSorted((left, right) => left.atS - right.atS)
          .map(({ atS, reading }) => ({ atS: Math.round((atS - originS) * 1000) / 1000, ...reading })),
        notes: [...failures].map(([probe, { message, times }]) => {
          return { code: 'probe-failed', probe, times, detail: message };
        }),
      };
    },
  };
}

/** Resolves when the signal aborts and the action that has begun is over. */
function atEachTick(periodMs: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let period = 0;
    let acting = false;
    const tick = () => {
      acting = true;
      void act().then(() => {
        acting = false;
        if (signal.aborted) return resolve();
        // The next full period that is still to come: ticks that were missed are not made up for. Never the same one
        // again: timers fire a little early, and a rate over no time is nonsense.
        const elapsedMs = performance.now() - startMs;
        period = Math.max(period, Math.floor(elapsedMs / periodMs)) + 1;
        timer = setTimeout(tick, period * periodMs - elapsedMs);
      });
    };
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      if (!acting) resolve();
    });
    tick();
  });
}

function expired(afterMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, afterMs).unref();
  });
}
