import { type ChildProcess, fork } from 'node:child_process';
import { ownModule } from '../../machine/own-package.ts';
import type { FromProcess, ToProcess } from './trial-process.ts';

/**
 * Processes that drive load and nothing else: whatever this one does, such as reading probes, keeps no request waiting.
 * They are kept between trials, for code that has just been loaded is slow, and would send its first requests late.
 *
 * Not threads: those would share the memory allocator, the thread pool and the CPU accounts with what this process does.
 */
export interface GeneratorProcesses extends AsyncDisposable {
  /** How many a trial shall use. */
  readonly count: number;
  /** One that waits for a trial. It is the taker's until it is given back. */
  take(): GeneratorProcess;
  /** Only when its trial is over. */
  giveBack(generator: GeneratorProcess): void;
}

export interface GeneratorProcess {
  tell(message: ToProcess): void;
  /** Who hears what it says from now on, and how it ended, should it end. */
  listen(onMessage: (message: FromProcess) => void, onEnd: (end: ProcessEnd) => void): void;
  /** Ends it at once. Resolves when it is gone. */
  end(): Promise<void>;
}

export interface ProcessEnd {
  readonly how: string;
  readonly signal: NodeJS.Signals | null;
}

export interface GeneratorProcessesOptions {
  readonly count: number;
  /** What each has in its environment, beside what this process has. */
  readonly environment?: Readonly<Record<string, string>>;
}

export function generatorProcesses({ count, environment = {} }: GeneratorProcessesOptions): GeneratorProcesses {
  const idle = new Set<GeneratorProcess>();
  const running = new Set<GeneratorProcess>();
  // One that is busy would not notice that its command is gone.
  const endAll = (): void => {
    for (const generator of running) void generator.end();
  };
  return {
    count,
    take() {
      const [kept] = idle;
      if (kept !== undefined) {
        idle.delete(kept);
        return kept;
      }
      const child = start(environment);
      if (running.size === 0) process.once('exit', endAll);
      const generator = generatorOf(child, () => {
        idle.delete(generator);
        running.delete(generator);
        if (running.size === 0) process.off('exit', endAll);
      });
      running.add(generator);
      return generator;
    },
    giveBack(generator) {
      generator.listen(
        () => undefined,
        () => undefined,
      );
      if (running.has(generator)) idle.add(generator);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((generator) => generator.end()));
    },
  };
}

function start(environment: Readonly<Record<string, string>>): ChildProcess {
  // Options such as --inspect or --require are meant for one process, and slow the load down.
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  return fork(ownModule('./trial-process', import.meta.url), [String(process.pid)], {
    env: { ...inherited, ...environment },
    // For `BodyMemory`.
    execArgv: ['--expose-gc'],
    serialization: 'advanced',
    // What a scenario prints goes to stderr (2): stdout is the command's own, such as for `report.json`.
    stdio: ['ignore', 2, 'inherit', 'ipc'],
    // Ctrl-C in the terminal reaches tierbench alone, which then stops the trial and keeps what was measured.
    detached: true,
  });
}

function generatorOf(child: ChildProcess, onGone: () => void): GeneratorProcess {
  let heard: (message: FromProcess) => void = () => undefined;
  let ended: (end: ProcessEnd) => void = () => undefined;
  const gone = Promise.withResolvers<void>();
  const goneWith = (end: ProcessEnd): void => {
    onGone();
    ended(end);
    gone.resolve();
  };
  child.on('message', (message: FromProcess) => heard(message));
  child.on('exit', (exitCode, signal) => goneWith({ how: `ended with ${signal ?? `exit code ${exitCode}`}`, signal }));
  child.on('error', (error) => {
    if (child.pid === undefined) goneWith({ how: `could not be started: ${error.message}`, signal: null });
  });
  return {
    tell(message) {
      // When it has ended meanwhile, its end says so.
      if (child.connected) child.send(message, () => undefined);
    },
    listen(onMessage, onEnd) {
      heard = onMessage;
      ended = onEnd;
    },
    async end() {
      child.kill('SIGKILL');
      await gone.promise;
    },
  };
}
