import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Service, ServiceKind, SettingValue } from '../harness/core/tier.ts';
import { freePort } from '../harness/machine/free-port.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../harness/providers/local/embedded-postgres.ts';
import type { LocalServer } from '../harness/providers/local/local-server.ts';
import { type LocalPgbouncer, startPgbouncer } from '../harness/providers/local/pgbouncer.ts';
import { startReplica } from '../harness/providers/local/replica.ts';
import { programFor } from './requirements.ts';

/**
 * A server in a folder of its own, whose path holds a space; disposing removes the folder too.
 * `await using redis = await inTestFolder((folder) => startRedis({ folder, service: testService('cache') }))`
 */
export async function inTestFolder<Server extends LocalServer>(
  start: (folder: string) => Promise<Server>,
): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test server-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const server = await start(folder).catch(async (error) => {
    await remove();
    throw error;
  });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await remove();
    },
  };
}

export function testService(kind: ServiceKind, settings: Record<string, SettingValue> = {}): Service {
  return { name: kind, kind, instances: 1, settings, resources: {}, connectsTo: {} };
}

/** A PostgreSQL of its own for a test file: `await using postgres = await startTestPostgres()`. */
export async function startTestPostgres(settings: Record<string, string | number> = {}): Promise<EmbeddedPostgres> {
  return await inTestFolder((folder) => startEmbeddedPostgres({ folder, settings: { fsync: 'off', ...settings } }));
}

export async function startTestReplica(
  primary: EmbeddedPostgres,
  settings: Record<string, string | number> = {},
): Promise<EmbeddedPostgres> {
  return await inTestFolder((folder) =>
    startReplica({ folder, primaryUrl: primary.url, settings: { fsync: 'off', ...settings } }),
  );
}

export async function startTestPgbouncer(
  database: EmbeddedPostgres,
  settings: Record<string, string | number> = {},
): Promise<LocalPgbouncer> {
  const { username: user, password } = new URL(database.url);
  return await inTestFolder((folder) =>
    startPgbouncer({
      folder,
      service: testService('pooler', { pool_mode: 'transaction', ...settings }),
      database: { host: '127.0.0.1', port: database.port },
      credentials: { user, password, database: 'postgres' },
    }),
  );
}

export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly processId: number;
}

/** A Redis of its own, without persistence. */
export async function startTestRedis(port?: number): Promise<TestRedis> {
  const program = programFor('redis-server');
  if (program === undefined) throw new Error('redis-server is not installed: apt-get install redis-server');
  const listenPort = port ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-redis-'));
  // prettier-ignore
  const server = spawn(
    program,
    ['--port', String(listenPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(server, 'close');
  await new Promise<void>((resolve, reject) => {
    server.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (chunk.includes('Ready to accept connections')) resolve();
    });
    server.once('close', () => reject(new Error('redis-server ended before it was ready')));
  });
  return {
    url: `redis://127.0.0.1:${listenPort}`,
    port: listenPort,
    processId: server.pid ?? 0,
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
