import { chown, mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningInstance } from '../../core/deployment.ts';
import { redact, TierbenchError } from '../../core/errors.ts';
import { programEnvironment } from '../../machine/environment.ts';
import { freePort } from '../../machine/free-port.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import type { Command, ServiceSpec } from '../../services/service-type.ts';
import { checkHealth } from '../health.ts';
import type { InstanceOrder, StartedInstance } from '../start-tier.ts';
import { type Account, accountForServers, isReachableFor } from './account.ts';
import { type Child, type Confinement, signalAll, startChild } from './child-process.ts';
import { localProgram, versionOf } from './programs.ts';
import { runCommand } from './run-command.ts';

/** An instance as a process of this machine, on 127.0.0.1. Disposing stops it and removes its files. */
export interface LocalInstance extends StartedInstance, AsyncDisposable {
  /** Of the process that runs now; undefined while it is down. Costs nothing, unlike `processIds`. */
  mainProcessId(): number | undefined;
  /** It and everything it started, looked for in the whole table of processes; the main one first. Empty while it is down. */
  processIds(): readonly number[];
}

export interface LocalInstanceOptions {
  /** An existing folder for this instance alone, which as root is given to its account; disposing removes what is in it. */
  readonly folder: string;
  /** Of every process. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly confinement?: Confinement;
  /** What is enforced of its limits, once it runs. */
  readonly limits?: () => RunningInstance['limits'];
}

const HOST = '127.0.0.1';
const START_LIMIT_S = 60;
const PORT_ATTEMPTS = 5;
const POLL_S = 0.02;
/** One that listens to nobody is taken for started when it runs so long. */
const SETTLE_S = 0.3;

/**
 * Starts one instance of a service. What fails or is aborted leaves neither process nor file.
 * @throws TierbenchError SERVICE_DID_NOT_START, SERVICE_NOT_READY, PORT_BUSY, FOLDER_NOT_REACHABLE, SERVER_NOT_INSTALLED,
 * POSTGRES_NOT_INSTALLED
 */
export async function startLocalInstance(
  { name, type, service, context, signal }: InstanceOrder,
  { folder, environment = {}, confinement, limits = () => undefined }: LocalInstanceOptions,
): Promise<LocalInstance> {
  signal.throwIfAborted();
  const realFolder = await realpath(folder);
  const dataFolder = join(folder, 'data');
  const temporaryFolder = join(folder, 'tmp');
  const askedPort =
    type.portSetting === undefined ? undefined : Number(service.settings[type.portSetting]) || undefined;
  const disposed = new AbortController();
  const render = (): ServiceSpec =>
    type.spec(service, {
      ...context,
      folder,
      dataFolder,
      temporaryFolder,
      host: HOST,
      port: (port) => ports.get(port) ?? 0,
      ...(version !== undefined && { version }),
    });
  const ports = new Map<string, number>();
  let version: string | undefined;
  let spec = render();
  let present: Child | undefined;
  let down = true;
  /** It was not stopped in order, so that what is not a file may still be there. */
  let abandoned = false;
  let starting: Promise<unknown> = Promise.resolve();
  let disposal: Promise<void> | undefined;

  const account = await accountForServers();

  /** What a program of the spec is started with, as a child. */
  async function processOf({ program, arguments: words }: Command) {
    const { command, arguments: before, account: its } = await localProgram(program, account, folder);
    return {
      command,
      arguments: [...before, ...words],
      folder,
      environment: {
        ...programEnvironment(folder),
        ...environment,
        LC_ALL: 'C',
        TZ: 'UTC',
        ...spec.environment,
        ...spec.secretEnvironment,
      },
      account: its,
      confinement,
      secrets: spec.secrets,
    };
  }

  async function choosePorts(): Promise<void> {
    for (const port of Object.keys(type.ports(service))) {
      ports.set(port, (port === 'main' ? askedPort : undefined) ?? (await freePort()));
    }
  }

  /** Folders, files, and what is run before the first start. */
  async function prepare(): Promise<void> {
    await choosePorts();
    spec = render();
    const { command } = spec;
    if (command === null) throw new Error(`the spec of ${name} has no command`);
    const { account: its, command: path } = await localProgram(command.program, account, folder);
    if (its !== undefined) await giveFolder(its);
    await makeFolder(temporaryFolder, its);
    if (spec.version !== undefined) {
      version = await versionOf(path, spec.version.arguments);
      spec = render();
    }
    await writeFiles(its);
    if (spec.dataFolder === undefined) return;
    await makeFolder(dataFolder, its);
    for (const step of spec.prepare) {
      const failure = await runCommand(await processOf(step), signal);
      if (failure !== undefined) throw didNotStart(`${step.program.name} ${failure}`);
    }
  }

  async function giveFolder(to: Account): Promise<void> {
    if (!(await isReachableFor(to, dirname(folder)))) {
      throw new TierbenchError(
        'FOLDER_NOT_REACHABLE',
        `${name} is not run as root, and the account '${to.name}' it runs under cannot reach ${folder}`,
        'Set TMPDIR to a folder every account may enter, for example `TMPDIR=/tmp`, or run as another user than root.',
      );
    }
    await chown(folder, to.uid, to.gid);
  }

  /** Files hold passwords: readable for the account of the server alone. */
  async function writeFiles(owner: Account | undefined): Promise<void> {
    for (const { path, content } of spec.files) {
      await writeFile(path, content, { mode: 0o600 });
      if (owner !== undefined) await chown(path, owner.uid, owner.gid);
    }
  }

  async function begin(abort: AbortSignal): Promise<void> {
    abort.throwIfAborted();
    const { command, health, stop } = spec;
    if (command === null) return;
    const child = startChild(await processOf(command));
    present = child;
    down = false;
    abandoned = true;
    const over = new AbortController();
    const ended = child.ended.then(() => {
      if (present === child) down = true;
      over.abort();
    });
    const limit = AbortSignal.timeout(START_LIMIT_S * 1000);
    const given = AbortSignal.any([abort, limit, over.signal]);
    const address = { host: HOST, port: ports.get(health?.port ?? '') ?? 0 };
    let lastAnswer = 'none';
    const ask = async () => {
      if (health === null) {
        await delay(SETTLE_S * 1000, undefined, { signal: given });
        return undefined;
      }
      const said = await checkHealth(health, address, context, given);
      // Another server may answer where it is going to listen.
      if (!thisSystem.listensOn(processesIn(realFolder), address.port))
        throw new Error('another process listens on its port');
      return said;
    };
    const stopIt = () => void child.stop(stop.signal, stop.graceS);
    given.addEventListener('abort', stopIt, { once: true });
    try {
      const said = await untilAnswered(ask, given, (answer) => {
        lastAnswer = answer;
      });
      version = said ?? version;
      // On a busy machine it may have started others before it was put under its limits, which are not under them then.
      for (const processId of processesIn(realFolder)) confinement?.join?.(processId);
    } catch (cause) {
      await child.stop(stop.signal, stop.graceS);
      await ended;
      abort.throwIfAborted();
      const { what } = await child.ended;
      if (/Address already in use|EADDRINUSE/.test(what)) throw portBusy();
      if (given.reason !== limit.reason) throw didNotStart(what, cause);
      throw new TierbenchError(
        'SERVICE_NOT_READY',
        `${name} was not ready within ${START_LIMIT_S} s; its last answer: ${redact(lastAnswer, spec.secrets)}\n${child.lastLines()}`.trim(),
        'Its last lines above say what it waits for; run it by hand with the same settings to see more.',
        { cause },
      );
    } finally {
      given.removeEventListener('abort', stopIt);
    }
  }

  async function beginOnFreePorts(): Promise<void> {
    await prepare();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await begin(signal);
        return;
      } catch (error) {
        const busy = error instanceof TierbenchError && error.code === 'PORT_BUSY';
        if (!busy || askedPort !== undefined || attempt === PORT_ATTEMPTS) throw error;
        await choosePorts();
        spec = render();
        await writeFiles(account);
      }
    }
  }

  async function end(): Promise<void> {
    disposed.abort(new Error(`${name} was disposed of`));
    await starting.catch(() => undefined);
    // A paused process would not handle the signal.
    signalAll(processesIn(realFolder), 'SIGCONT');
    if (present !== undefined && !down) {
      await present.stop(spec.stop.signal, spec.stop.graceS);
      abandoned = spec.stop.signal === 'SIGKILL';
    }
    if (abandoned && spec.afterKill !== undefined)
      await runCommand(await processOf(spec.afterKill), new AbortController().signal);
    await emptied(folder);
  }

  function didNotStart(what: string, cause?: unknown): TierbenchError {
    return new TierbenchError(
      'SERVICE_DID_NOT_START',
      `${name} did not start: it ${what}`,
      'Fix what its last lines above name; `tierbench doctor` says what this machine lacks.',
      { cause },
    );
  }

  function portBusy(): TierbenchError {
    return new TierbenchError(
      'PORT_BUSY',
      `${name} cannot listen on ${HOST}:${[...ports.values()].join(' or ')}: something else does`,
      `Take \`${type.portSetting ?? 'port'}\` out of the settings of the tier, so that a free one is chosen, or stop what uses it.`,
    );
  }

  await beginOnFreePorts().catch(async (error) => {
    await end();
    throw error;
  });
  const port = ports.get('main') ?? 0;
  const enforced = limits();
  return {
    running: {
      name,
      host: HOST,
      port,
      // Another one after it was killed and started.
      get processIds() {
        return down || present === undefined ? [] : [present.processId];
      },
      ...(enforced !== undefined && { limits: enforced }),
    },
    spec: render(),
    version: version === undefined ? undefined : `${spec.version?.name ?? type.kind} ${version}`,
    address: { host: HOST, port },
    hostName: HOST,
    port: (each) => ports.get(each) ?? 0,
    mainProcessId: () => (down ? undefined : present?.processId),
    processIds() {
      const main = present?.processId ?? 0;
      const all = processesIn(realFolder);
      return all.includes(main) ? [main, ...all.filter((id) => id !== main)] : [];
    },
    async ended() {
      return (await present?.ended)?.what ?? '';
    },
    isUp: async () => !down,
    async kill() {
      if (present !== undefined && !down) await killAll(present, realFolder);
    },
    async start() {
      disposed.signal.throwIfAborted();
      await present?.ended;
      starting = begin(disposed.signal);
      await starting;
    },
    async pause() {
      const paused = new Set<number>();
      // The main process first. Until it has stopped it may have started another one.
      for (;;) {
        const all = processesIn(realFolder).filter((processId) => !paused.has(processId));
        if (all.length === 0) return;
        const main = all.includes(present?.processId ?? 0) ? [present?.processId ?? 0] : [];
        const others = [...main, ...all.filter((processId) => !main.includes(processId))];
        signalAll(others, 'SIGSTOP');
        for (const processId of others) paused.add(processId);
      }
    },
    async resume() {
      signalAll(processesIn(realFolder), 'SIGCONT');
    },
    [Symbol.asyncDispose]() {
      disposal ??= end();
      return disposal;
    },
  };
}

async function makeFolder(path: string, owner: Account | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

/**
 * Processes of one server may be in sessions of their own, as PostgreSQL's are; all of them work in its folder. So may a
 * person who looks around there, but in a terminal.
 */
function processesIn(folder: string): readonly number[] {
  return thisSystem
    .processes()
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

/** Repeats `ask` until it resolves. Rejects when `signal` aborts, after the call in flight has settled. */
async function untilAnswered<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  onRefusal: (answer: string) => void,
): Promise<T> {
  for (;;) {
    try {
      signal.throwIfAborted();
      return await ask();
    } catch (error) {
      if (signal.aborted) throw error;
      onRefusal((error as Error).message);
      await delay(POLL_S * 1000);
    }
  }
}

async function emptied(folder: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    await rm(join(folder, entry), { recursive: true, force: true });
  }
}
