import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../harness/providers/local/embedded-postgres.ts';
import { freePort } from '../harness/providers/local/free-port.ts';
import { programFor } from './requirements.ts';

/** A PostgreSQL of its own for a test file: `await using postgres = await startTestPostgres()`. */
export async function startTestPostgres(settings: Record<string, string | number> = {}): Promise<EmbeddedPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-postgres-'));
  const postgres = await startEmbeddedPostgres({ folder, settings: { fsync: 'off', ...settings } });
  return {
    ...postgres,
    async [Symbol.asyncDispose]() {
      await postgres[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
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
