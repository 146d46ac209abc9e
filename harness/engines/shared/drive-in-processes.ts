import { errorOf, TierbenchError } from '../../core/errors.ts';
import type { Interval, Trial } from '../../core/trial.ts';
import { monotonicMs } from '../../machine/clock.ts';
import type { TrialRequest } from '../engine.ts';
import type { GeneratorProcess, GeneratorProcesses, ProcessEnd } from './generator-processes.ts';
import { mergeIntervals, mergeTrials } from './merge-trials.ts';
import type { FromProcess, ProcessTask, ToProcess } from './trial-process.ts';

/** Until the last process has heard that all are ready. */
const OPENS_AFTER_MS = 20;
/** A process that says nothing for so long is kept by its scenario; so is one that does not stop in time. */
const LONGEST_SILENCE_S = 10;
const LONGEST_STOP_S = 5;

interface ProcessesSettings extends Pick<ProcessTask, 'engine' | 'transport' | 'mostConnections'> {
  readonly processes: GeneratorProcesses;
  /** How many of them. */
  readonly count: number;
}

/**
 * One trial in `count` processes. All walk the same schedule from the same moment on, and each takes its share, with users
 * and connections of its own. What finds none of them free is dropped, though those of another may be: processes share
 * nothing while they measure.
 */
export async function driveInProcesses(
  request: TrialRequest,
  { processes, count, ...settings }: ProcessesSettings,
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
  const seconds: Interval[][] = Array.from({ length: count }, () => []);
  const trials: (Trial | undefined)[] = new Array(count).fill(undefined);
  // Counted and not timed: when this machine sleeps, all of its processes do.
  const silentS = new Array<number>(count).fill(0);
  let stoppingS: number | undefined;
  let ready = 0;
  let reported = 0;

  function onMessage(index: number, message: FromProcess): void {
    silentS[index] = 0;
    if (message.kind === 'alive') return;
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
    } else reject(errorOf(message.error));
  }

  /** The seconds that all processes have reported. */
  function tellWhole(): void {
    while (seconds.every((own) => own.length > reported)) {
      const parts = seconds.flatMap((own) => own.slice(reported, reported + 1));
      reported += 1;
      onInterval(mergeIntervals(parts));
    }
  }

  const generators = seconds.map((_, index): GeneratorProcess => {
    const generator = processes.take();
    generator.listen(
      (message) => {
        try {
          onMessage(index, message);
        } catch (error) {
          reject(error);
        }
      },
      (end) => reject(processCrashed(settings.engine, end)),
    );
    return generator;
  });
  const tellAll = (message: ToProcess): void => {
    for (const generator of generators) generator.tell(message);
  };
  for (const [index, generator] of generators.entries()) {
    const share = { index, of: count };
    generator.tell({ kind: 'drive', task: { ...settings, request: withoutScenario, scenarioFile, share } });
  }
  const stop = (): void => {
    stoppingS ??= 0;
    tellAll({ kind: 'stop' });
  };
  const watchdog = setInterval(() => {
    for (const [index, forS] of silentS.entries()) silentS[index] = trials[index] === undefined ? forS + 1 : 0;
    if (stoppingS !== undefined) stoppingS += 1;
    if (Math.max(...silentS) > LONGEST_SILENCE_S || (stoppingS ?? 0) > LONGEST_STOP_S)
      reject(scenarioHangs(scenario.name));
  }, 1000);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    const trial = mergeTrials(await over);
    for (const interval of trial.intervals.slice(reported)) onInterval(interval);
    for (const generator of generators) processes.giveBack(generator);
    return trial;
  } catch (error) {
    // Nobody knows what they are doing now.
    await Promise.all(generators.map((generator) => generator.end()));
    throw error;
  } finally {
    clearInterval(watchdog);
    signal.removeEventListener('abort', stop);
  }
}

function processCrashed(engine: string, { how, signal }: ProcessEnd): TierbenchError {
  return new TierbenchError(
    'GENERATOR_ENDED',
    `A process of the ${engine} engine ${how}; its trial is lost.`,
    signal === null
      ? 'What it printed stands above.'
      : 'Where memory is short, the system ends processes with SIGKILL and Node itself with SIGABRT; what it printed stands above.',
  );
}

function scenarioHangs(scenario: string): TierbenchError {
  return new TierbenchError(
    'SCENARIO_HANGS',
    `Scenario '${scenario}' kept the generator from answering for more than ${LONGEST_SILENCE_S} s.`,
    'Let begin, iteration and check come to an end, and wait with `yield* think(seconds)` only.',
  );
}
