import { type ChildProcess, fork } from 'node:child_process';
import { TierbenchError } from '../../core/errors.ts';
import type { Interval, Trial } from '../../core/trial.ts';
import type { TrialRequest } from '../engine.ts';
import type { DriveSettings } from './drive-trial.ts';
import { mergeIntervals, mergeTrials } from './merge-trials.ts';
import { monotonicMs } from './metronome-worker.ts';
import type { FromProcess, ToldError, ToProcess, TrialShare } from './trial-process.ts';

/** Until the last process has heard that all are ready. */
const OPENS_AFTER_MS = 20;

export interface Processes {
  readonly count: number;
  /** What each has in its environment, beside what this process has. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * One trial in processes of its own: whatever else this process does, such as reading probes, keeps no request waiting.
 * All walk the same schedule from the same moment on, and each takes its share, with users and connections of its own.
 * What finds none of them free is dropped, though those of another may be: processes share nothing while they measure.
 *
 * Not threads: those would share the memory allocator, the thread pool and the CPU accounts with what this process does.
 */
export async function driveInProcesses(
  request: TrialRequest,
  settings: Omit<DriveSettings, 'share' | 'opening'>,
  { count, environment }: Processes,
  signal: AbortSignal,
  onInterval: (interval: Interval) => void,
): Promise<Trial> {
  const { scenario, scenarioFile, ...withoutScenario } = request;
  if (scenarioFile === undefined) {
    throw new TierbenchError(
      'SCENARIO_NOT_FOUND',
      `Scenario '${scenario.name}' is in no file that another process could load it from.`,
      'Give it by its path.',
    );
  }
  const { promise: over, resolve, reject } = Promise.withResolvers<[Trial, ...Trial[]]>();
  const seconds: Interval[][] = [];
  const trials: (Trial | undefined)[] = new Array(count).fill(undefined);
  let ready = 0;
  let told = 0;

  function onMessage(index: number, message: FromProcess): void {
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

  /** The seconds that all processes have told of. */
  function tellWhole(): void {
    while (seconds.every((own) => own.length > told)) {
      const parts = seconds.flatMap((own) => own.slice(told, told + 1));
      told += 1;
      onInterval(mergeIntervals(parts));
    }
  }

  const processes = Array.from({ length: count }, (_, index) => {
    seconds.push([]);
    const share: TrialShare = {
      request: withoutScenario,
      scenarioFile,
      settings: { ...settings, baseUrl: settings.baseUrl.href, share: { index, of: count } },
    };
    const child = start(environment);
    child.on('message', (message: FromProcess) => {
      try {
        onMessage(index, message);
      } catch (error) {
        reject(error);
      }
    });
    child.on('error', reject);
    child.on('exit', (exitCode, exitSignal) => reject(endedByItself(exitSignal ?? `exit code ${exitCode}`)));
    tell(child, { kind: 'drive', share });
    return child;
  });
  const tellAll = (message: ToProcess): void => {
    for (const child of processes) tell(child, message);
  };
  const stop = (): void => tellAll({ kind: 'stop' });
  const endAll = (): void => {
    for (const child of processes) child.kill('SIGKILL');
  };
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  // One that is busy would not notice that its command is gone.
  process.once('exit', endAll);
  try {
    const trial = mergeTrials(await over);
    for (const interval of trial.intervals.slice(told)) onInterval(interval);
    return trial;
  } finally {
    signal.removeEventListener('abort', stop);
    process.off('exit', endAll);
    // All they measured has been told.
    endAll();
    await Promise.all(processes.map(gone));
  }
}

function start(environment: Readonly<Record<string, string>>): ChildProcess {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fork(new URL(`./trial-process.${ending}`, import.meta.url), {
    env: { ...process.env, ...environment },
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Ctrl-C in the terminal reaches tierbench alone, which then stops the trial and keeps what was measured.
    detached: true,
  });
}

function tell(child: ChildProcess, message: ToProcess): void {
  // When it has ended meanwhile, its exit says so.
  if (child.connected) child.send(message, () => undefined);
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  await promise;
}

function endedByItself(how: string): TierbenchError {
  return new TierbenchError(
    'GENERATOR_ENDED',
    `A process of the open-loop engine ended with ${how} in the midst of its trial.`,
    'Its last words stand above, if it had any. Where memory is short the system ends processes with SIGKILL.',
  );
}

function thrown({ message, code, nextStep, problems = [] }: ToldError): Error {
  return code === undefined ? new Error(message) : new TierbenchError(code, message, nextStep ?? '', { problems });
}
