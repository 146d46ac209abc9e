import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { redact } from '../../core/errors.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import type { Account } from './account.ts';

/** What a process is held to. */
export interface Confinement {
  /** The CPUs it may run on, where the system can keep it to them; those of tierbench itself when left out. */
  readonly cpus?: readonly number[] | undefined;
  /** Puts a process into its control group, as soon as there is one. */
  join?(processId: number): void;
}

export interface ChildOptions {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Where it works: inside the folder of its run, which is how it is found when it is left behind. */
  readonly folder: string;
  /** Its whole environment: nothing is inherited, so that a developer's shell does not change what is measured. */
  readonly environment: Readonly<Record<string, string>>;
  readonly account?: Account | undefined;
  /** Holds it and all it starts. */
  readonly confinement?: Confinement | undefined;
  /** Values that must not appear in any text this process is quoted in. */
  readonly secrets?: readonly string[];
  /** Sees standard output and standard error as they come, until it returns false. */
  readonly onOutput?: (text: string) => boolean;
}

/** A process that was started. */
export interface Child {
  readonly processId: number;
  /** Never rejects. Resolves once the process and everything that shares its output are gone. */
  readonly ended: Promise<ChildEnd>;
  /** The last lines of its output, without secrets. */
  lastLines(): string;
  /**
   * Sends `signal` to it and its group (or to it alone), and SIGKILL to the group when it is still there after `graceS`.
   * Resolves when it is gone.
   */
  stop(signal: NodeJS.Signals, graceS: number, whom?: 'group' | 'alone'): Promise<void>;
}

interface ChildEnd {
  readonly exitCode: number | null;
  /** `ended with exit code 1`, followed by its last lines. */
  readonly what: string;
}

const KEPT_CHARACTERS = 8000;
const KEPT_LINES = 30;

/** The processes that run now: an uncaught error ends tierbench without disposing of anything. */
const running = new Set<number>();

function stopAll(): void {
  for (const processId of running) signalGroup(processId, 'SIGTERM');
}

/**
 * Starts a process in a session of its own: Ctrl-C in the terminal reaches tierbench alone, which then stops what it
 * started in order. Otherwise PostgreSQL would be gone before the requests in flight were answered.
 */
export function startChild(options: ChildOptions): Child {
  const { account, confinement } = options;
  const { cpus = [] } = confinement ?? {};
  const asked = [options.command, ...options.arguments];
  const [command = '', ...words] = (cpus.length > 0 ? thisSystem.onCpus(cpus, asked) : undefined) ?? asked;
  const child = spawn(command, words, {
    cwd: options.folder,
    env: options.environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(account && { uid: account.uid, gid: account.gid }),
  });
  if (child.pid !== undefined) {
    if (running.size === 0) process.once('exit', stopAll);
    running.add(child.pid);
    confinement?.join?.(child.pid);
  }
  let output = '';
  let listen = options.onOutput;
  // Where the system is out of file descriptors there are no streams, only the error event below.
  for (const stream of [child.stdout, child.stderr] as (typeof child.stdout | undefined)[]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_CHARACTERS);
      if (listen !== undefined && !listen(text)) listen = undefined;
    });
  }
  const lastLines = () => redact(lastLinesOf(output), options.secrets ?? []);
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ exitCode: null, what: `could not be started: ${error.message}` });
    });
    child.once('close', (exitCode, signal) => {
      if (child.pid !== undefined) running.delete(child.pid);
      if (running.size === 0) process.off('exit', stopAll);
      const lines = lastLines();
      resolve({ exitCode, what: `ended with ${signal ?? `exit code ${exitCode}`}${lines === '' ? '' : `\n${lines}`}` });
    });
  });
  return {
    processId: child.pid ?? 0,
    ended,
    lastLines,
    async stop(signal, graceS, whom = 'group') {
      // Once it has ended, its number may be that of another.
      if (child.pid === undefined || !running.has(child.pid)) return;
      if (whom === 'alone') signalAll([child.pid], signal);
      else signalGroup(child.pid, signal);
      // A process that was paused would sleep through any other signal.
      signalGroup(child.pid, 'SIGCONT');
      const timer = setTimeout(() => signalGroup(child.pid ?? 0, 'SIGKILL'), graceS * 1000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function signalGroup(processId: number, signal: NodeJS.Signals): void {
  signalAll([-processId], signal);
}

/** Those that are gone by now are passed over. Negative ones are groups. */
export function signalAll(processIds: readonly number[], signal: NodeJS.Signals): void {
  for (const processId of processIds) {
    // 0, of a process that could not be started, would mean ourselves.
    if (processId === 0) continue;
    try {
      process.kill(processId, constants.signals[signal]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function lastLinesOf(output: string): string {
  const lines = output.trim().split('\n');
  // The first kept line may be the second half of one, and half a secret is not recognised as a secret.
  const whole = output.length >= KEPT_CHARACTERS ? lines.slice(1) : lines;
  return whole.slice(-KEPT_LINES).join('\n');
}
