import { Worker } from 'node:worker_threads';
import { TierbenchError } from '../../core/errors.ts';
import type { Interval, Trial } from '../../core/trial.ts';
import type { TrialRequest } from '../engine.ts';
import type { DriveSettings } from './drive-trial.ts';
import { mergeIntervals, mergeTrials } from './merge-trials.ts';
import { monotonicMs } from './metronome-worker.ts';
import type { FromThread, ThreadData, ToldError, ToThread } from './trial-thread.ts';

/** Until the last thread has heard that all are ready. */
const OPENS_AFTER_MS = 20;

/**
 * One trial on several threads, each with an event loop, users and connections of its own. All walk the same schedule from
 * the same moment on, and each takes its share. What finds none of a thread's own users free is dropped, though
 * those of another may be: threads share nothing while they measure.
 */
export async function driveInThreads(
  request: TrialRequest,
  settings: Omit<DriveSettings, 'share' | 'opening'>,
  count: number,
  signal: AbortSignal,
  onInterval: (interval: Interval) => void,
): Promise<Trial> {
  const { scenario, scenarioFile, ...withoutScenario } = request;
  if (scenarioFile === undefined) {
    throw new TierbenchError(
      'SCENARIO_NOT_FOUND',
      `Scenario '${scenario.name}' is in no file that several threads could load it from.`,
      'Give it by its path, or use one thread: --workers 1.',
    );
  }
  const { promise: over, resolve, reject } = Promise.withResolvers<[Trial, ...Trial[]]>();
  const seconds: Interval[][] = [];
  const trials: (Trial | undefined)[] = new Array(count).fill(undefined);
  let ready = 0;
  let told = 0;

  function onMessage(index: number, message: FromThread): void {
    if (message.kind === 'ready') {
      ready += 1;
      if (ready === count) tellAll({ kind: 'open', atMs: monotonicMs() + OPENS_AFTER_MS });
    } else if (message.kind === 'interval') {
      seconds[index]?.push(message.interval);
      tellWhole();
    } else if (message.kind === 'ended') {
      trials[index] = message.trial;
      const ended = trials.filter((trial) => trial !== undefined);
      if (ended.length === count) resolve(ended as [Trial, ...Trial[]]);
    } else reject(thrown(message.error));
  }

  /** The seconds that all threads have told of. */
  function tellWhole(): void {
    while (seconds.every((own) => own.length > told)) {
      const parts = seconds.flatMap((own) => own.slice(told, told + 1));
      told += 1;
      onInterval(mergeIntervals(parts));
    }
  }

  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const threads = Array.from({ length: count }, (_, index) => {
    const workerData: ThreadData = {
      request: withoutScenario,
      scenarioFile,
      settings: { ...settings, baseUrl: settings.baseUrl.href, share: { index, of: count } },
    };
    const thread = new Worker(new URL(`./trial-thread.${ending}`, import.meta.url), { workerData, execArgv: [] });
    seconds.push([]);
    thread.on('message', (message: FromThread) => {
      try {
        onMessage(index, message);
      } catch (error) {
        reject(error);
      }
    });
    thread.on('error', reject);
    thread.on('exit', () => reject(new Error(`thread ${index} of the engine ended by itself`)));
    return thread;
  });
  const tellAll = (message: ToThread): void => {
    for (const thread of threads) thread.postMessage(message);
  };
  const stop = (): void => tellAll({ kind: 'stop' });
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    const trial = mergeTrials(await over);
    for (const interval of trial.intervals.slice(told)) onInterval(interval);
    return trial;
  } finally {
    signal.removeEventListener('abort', stop);
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function thrown({ message, code, nextStep, problems = [] }: ToldError): Error {
  return code === undefined ? new Error(message) : new TierbenchError(code, message, nextStep ?? '', { problems });
}
