import { chown, readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ErrorCode } from '../../core/error-codes.ts';
import { TierbenchError } from '../../core/errors.ts';
import { freePort } from '../../machine/free-port.ts';
import { seeProcesses } from '../../orphans/processes.ts';
import { type Account, accountForServers, isReachableFor } from './account.ts';
import { bareEnvironment, type Child } from './child-process.ts';
import type { LocalServer, LocalServerOptions } from './local-server.ts';

/** How one kind of server is run. */
export interface ServerProgram {
  /** For messages: `Redis`. */
  readonly name: string;
  /** The code of the error when it does not start. */
  readonly failureCode: ErrorCode;
  /** What its setting `port` asks for; a free one is taken when the tier file leaves it out. */
  readonly fixedPort?: number | undefined;
  /** Writes what it needs to listen on `port`. Called again with another one when that is taken. */
  prepare?(port: number): Promise<void>;
  launch(port: number): Launched;
  /** Ends it when nothing of it is to be kept. Resolves when it is gone. */
  stop(child: Child): Promise<void>;
  /** After it ended for good, in whatever way: gives back what is not a file. */
  release?(): Promise<void>;
}

interface Launched {
  readonly child: Child;
  /** Resolves when it answers, with its version if it tells. Rejects when `signal` aborts. */
  answers(signal: AbortSignal): Promise<string | undefined>;
}

const START_LIMIT_S = 60;
const PORT_ATTEMPTS = 5;
const POLL_S = 0.02;

/** Starts a server on 127.0.0.1. What fails or is aborted leaves neither process nor file. */
export async function startServer(
  program: ServerProgram,
  { folder, signal = new AbortController().signal, confinement }: LocalServerOptions,
): Promise<LocalServer> {
  const { name, fixedPort } = program;
  const realFolder = await realpath(folder);
  const disposed = new AbortController();
  let present: Child | undefined;
  let down = true;
  let starting: Promise<unknown> = Promise.resolve();
  let disposal: Promise<void> | undefined;

  async function begin(port: number, abort: AbortSignal): Promise<string | undefined> {
    abort.throwIfAborted();
    const { child, answers } = program.launch(port);
    present = child;
    down = false;
    const over = new AbortController();
    const ended = child.ended.then(() => {
      if (present === child) down = true;
      over.abort();
    });
    const limit = AbortSignal.timeout(START_LIMIT_S * 1000);
    const given = AbortSignal.any([abort, limit, over.signal]);
    using _stop = onAbort(given, () => void program.stop(child));
    try {
      const version = await answers(given);
      // On a busy machine it may have started others before it was put under its limits, which are not under them then.
      for (const processId of processesIn(realFolder)) confinement?.join?.(processId);
      return version;
    } catch (cause) {
      await program.stop(child);
      await ended;
      abort.throwIfAborted();
      const { what } = await child.ended;
      if (/Address already in use|EADDRINUSE/.test(what)) throw portBusy(program, port);
      const tooLate = given.aborted && given.reason === limit.reason;
      const happened = tooLate ? `it did not answer within ${START_LIMIT_S} s\n${child.lastLines()}` : `it ${what}`;
      throw new TierbenchError(
        program.failureCode,
        `${name} did not start: ${happened}`,
        'Mend what its last lines above name; `tierbench doctor` says what this machine lacks.',
        { cause },
      );
    }
  }

  async function beginOnFreePort(): Promise<{ port: number; version: string | undefined }> {
    for (let attempt = 1; ; attempt += 1) {
      const port = fixedPort ?? (await freePort());
      await program.prepare?.(port);
      try {
        return { port, version: await begin(port, signal) };
      } catch (error) {
        const busy = error instanceof TierbenchError && error.code === 'PORT_BUSY';
        if (!busy || fixedPort !== undefined || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  async function end(): Promise<void> {
    disposed.abort(new Error(`${name} was disposed of`));
    await starting.catch(() => undefined);
    // A paused process would sleep through what it is told.
    signalAll(processesIn(realFolder), 'SIGCONT');
    if (present !== undefined) await program.stop(present);
    await program.release?.();
    await emptied(folder);
  }

  const { port, version } = await beginOnFreePort().catch(async (error) => {
    await end();
    throw error;
  });
  return {
    port,
    version,
    mainProcessId: () => (down ? undefined : present?.processId),
    processIds() {
      const main = present?.processId ?? 0;
      const all = processesIn(realFolder);
      return all.includes(main) ? [main, ...all.filter((id) => id !== main)] : [];
    },
    async ended() {
      return (await present?.ended)?.what ?? '';
    },
    async kill() {
      if (present !== undefined) await killAll(present, realFolder);
    },
    async start() {
      disposed.signal.throwIfAborted();
      await present?.ended;
      starting = begin(port, disposed.signal);
      await starting;
    },
    [Symbol.asyncDispose]() {
      disposal ??= end();
      return disposal;
    },
  };
}

/**
 * Processes of one server may be in sessions of their own, as PostgreSQL's are; all of them work in its folder. So may a
 * person who looks around there, but in a terminal.
 */
function processesIn(folder: string): readonly number[] {
  return seeProcesses()
    .filter(({ hasTerminal }) => !hasTerminal)
    .filter(({ workingFolder }) => workingFolder === folder || workingFolder.startsWith(`${folder}/`))
    .map(({ processId }) => processId);
}

/** The main process first, which could start others; then again and again what is left. */
async function killAll(child: Child, folder: string): Promise<void> {
  const gone = child.stop('SIGKILL', START_LIMIT_S).then(() => true);
  do signalAll(processesIn(folder), 'SIGKILL');
  while (!(await Promise.race([gone, delay(POLL_S * 1000, false)])));
}

/** Those that are gone by now are passed over. */
export function signalAll(processIds: readonly number[], signal: NodeJS.Signals): void {
  for (const processId of processIds) {
    // 0, of a process that could not be started, would mean ourselves.
    if (processId <= 0) continue;
    try {
      process.kill(processId, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

export function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
  signal?.addEventListener('abort', act, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', act) };
}

/** Asks until there is an answer. Rejects when `signal` aborts, once the question under way has come to an end. */
export async function untilAnswered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      signal.throwIfAborted();
      return await ask();
    } catch (error) {
      if (signal.aborted) throw error;
      await delay(POLL_S * 1000);
    }
  }
}

/**
 * The account a server runs under, which is given its folder; undefined when that is our own.
 * @throws TierbenchError FOLDER_NOT_REACHABLE
 */
export async function accountFor(name: string, folder: string): Promise<Account | undefined> {
  const account = await accountForServers();
  if (account === undefined) return undefined;
  if (!(await isReachableFor(account, dirname(folder)))) {
    throw new TierbenchError(
      'FOLDER_NOT_REACHABLE',
      `${name} is not run as root, and the account '${account.name}' it runs under cannot reach ${folder}`,
      'Set TMPDIR to a folder every account may enter, for example `TMPDIR=/tmp`, or run as another user than root.',
    );
  }
  await chown(folder, account.uid, account.gid);
  return account;
}

export async function emptied(folder: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    await rm(join(folder, entry), { recursive: true, force: true });
  }
}

/** What every server is started with besides its own command line. */
export function surroundingsOf({ folder, environment, confinement }: LocalServerOptions, account: Account | undefined) {
  return {
    folder,
    environment: { ...bareEnvironment(), ...environment, LC_ALL: 'C', TZ: 'UTC' },
    account,
    ...(confinement && { confinement }),
  };
}

function portBusy({ name }: ServerProgram, port: number): TierbenchError {
  return new TierbenchError(
    'PORT_BUSY',
    `${name} cannot listen on 127.0.0.1:${port}: something else does`,
    'Take `port` out of the settings of the tier, so that a free one is chosen, or stop what uses it.',
  );
}
