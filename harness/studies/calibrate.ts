import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { User } from '../../scenarios/kit.ts';
import type { Note } from '../core/findings.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { Calibration } from '../core/study-record.ts';
import type { Trial } from '../core/trial.ts';
import type { LoadEngine } from '../engines/engine.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { throughputPerSIn } from '../judging/trial-window.ts';
import { ownModule } from '../machine/own-package.ts';
import { samplesNeeded } from '../statistics/quantile-ranks.ts';
import type { EchoListening } from './calibrate-echo-thread.ts';
import scenario from './calibrate-scenario.ts';

export interface CalibrationParts {
  readonly engine: LoadEngine;
  readonly signal: AbortSignal;
  /**
   * Sees to it that this thread of the process takes no CPU from the generator; false when it cannot. A thread starts
   * where the generator is.
   */
  readonly setApart: (threadId: number) => boolean;
  /** Called with what was found, or why nothing was. */
  readonly note: (note: Note) => void;
}

/** As many as keep any engine busy, and few enough to be open at once everywhere. */
const CEILING_CONCURRENCY = 50;
/** A fast language warms up too. */
const CEILING_WARM_UP_S = 0.5;
const CEILING_S = 1.5;
const FLOOR_RATE_PER_S = 200;
const FLOOR_WARM_UP_S = 0.2;
const FLOOR_S = 1;
const TIMEOUT_S = 5;
/** An echo that is busier than this, or takes the generator's CPU, holds the generator up. */
const BUSY_ECHO_RATIO = 0.9;
/** The rest of a window that was cut at whole seconds says little. */
const LEAST_INTERVAL_S = 0.4;

/**
 * Measures the generator itself, against an echo on a thread of this process, in about three seconds: how many requests
 * it makes at most, and what latency it reads at least. Null when it was interrupted, or when too little was answered.
 *
 * The ceiling is that of the best part of its trial: what else the machine does for a moment can only lower it.
 */
export async function calibrate({ engine, signal, setApart, note }: CalibrationParts): Promise<Calibration | null> {
  await using echo = await startEcho();
  const isApart = echo.threadId === null || setApart(echo.threadId);
  const watch = echo.watch();
  const atCeiling = await run(engine, echo, { model: 'closed', concurrency: CEILING_CONCURRENCY }, signal);
  const echoBusyRatio = watch.stop();
  const floorLoad = floorLoadOf(engine);
  const atFloor = await run(engine, echo, floorLoad, signal);
  if (signal.aborted) return null;

  const latency = LatencyHistogram.merged(atFloor.steps.map((step) => LatencyHistogram.decode(step.latency)));
  const ceilingPerS = Math.max(
    ...atCeiling.intervals
      .filter(({ startS, durationS }) => startS >= 0 && durationS >= LEAST_INTERVAL_S)
      .map(throughputPerSIn),
  );
  if (!(ceilingPerS > 0) || latency.count < samplesNeeded(0.95)) {
    note({ code: 'not-calibrated', engine: engine.name });
    return null;
  }
  const calibration: Calibration = {
    ceilingPerS,
    ceilingConcurrency: CEILING_CONCURRENCY,
    ceilingIsAtLeast: !isApart || echoBusyRatio > BUSY_ECHO_RATIO,
    floorP50S: latency.quantileS(0.5),
    floorP95S: latency.quantileS(0.95),
    floorRatePerS: floorLoad.model === 'open' ? floorLoad.arrivalRatePerS : null,
    sendLagP99S: atFloor.generator.sendLagP99S,
  };
  const { ceilingIsAtLeast, floorP95S } = calibration;
  note({ code: 'calibrated', engine: engine.name, ceilingPerS, ceilingIsAtLeast, floorP95S });
  return calibration;
}

function floorLoadOf({ supports, arrivals }: LoadEngine): OfferedLoad {
  const [process] = arrivals.has('constant') ? (['constant'] as const) : arrivals;
  return supports.has('open') && process !== undefined
    ? { model: 'open', arrivalRatePerS: FLOOR_RATE_PER_S, arrivals: process }
    : { model: 'closed', concurrency: 1 };
}

async function run(engine: LoadEngine, echo: Echo, load: OfferedLoad, signal: AbortSignal): Promise<Trial> {
  const [warmUpS, durationS] =
    load.model === 'closed' && load.concurrency > 1 ? [CEILING_WARM_UP_S, CEILING_S] : [FLOOR_WARM_UP_S, FLOOR_S];
  const users = Array.from({ length: CEILING_CONCURRENCY }, (_, index): User => ({ index }));
  const { baseUrl } = echo;
  const plan = { scenario: scenario.name, baseUrl, load, warmUpS, durationS, seed: 1, timeoutS: TIMEOUT_S };
  return await engine.run({ plan, scenario, scenarioFile: scenarioFile(), users }, signal);
}

function scenarioFile(): string {
  return fileURLToPath(ownModule('./calibrate-scenario', import.meta.url));
}

/** A server that takes no time worth speaking of, on a thread of this process. */
interface Echo extends AsyncDisposable {
  readonly baseUrl: string;
  /** As the system knows its thread; null where it does not say. */
  readonly threadId: number | null;
  /** Watches from now on; `stop` gives which share of the time it was busy, 0..1. */
  watch(): { stop(): number };
}

export async function startEcho(): Promise<Echo> {
  const thread = new Worker(ownModule('./calibrate-echo-thread', import.meta.url), { execArgv: [] });
  const [{ port, threadId }] = (await once(thread, 'message')) as [EchoListening];
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    threadId,
    watch() {
      const start = thread.performance.eventLoopUtilization();
      return { stop: () => thread.performance.eventLoopUtilization(start).utilization };
    },
    async [Symbol.asyncDispose]() {
      await thread.terminate();
    },
  };
}
