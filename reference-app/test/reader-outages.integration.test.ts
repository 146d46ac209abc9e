import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../migrate.ts';
import { startTestApp, type TestApp, testConfig } from './app.ts';
import { metric, pause, resume, startLoad } from './outages.ts';
import { createDatabases, query, startTestPostgres, startTestReplica } from './postgres.ts';
import { until } from './processes.ts';
import { lacks } from './programs.ts';
import { startTestPgbouncer, type TestServer } from './servers.ts';

const withPooler = !lacks('pgbouncer');
let primary: TestServer;
let replica: TestServer;
let pooler: TestServer | undefined;
let count = 0;

beforeAll(async () => {
  primary = await startTestPostgres();
  replica = await startTestReplica(primary);
  await migrate(primary.url);
  await until(async () => (await query(replica.url, `select to_regclass('tasks') is not null as ok`)).rows[0].ok);
  if (withPooler) pooler = await startTestPgbouncer(replica.url, { server_login_retry: 1 });
});

afterAll(async () => {
  await pooler?.[Symbol.asyncDispose]();
  await replica?.[Symbol.asyncDispose]();
  await primary?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  count += 1;
});

const startApp = (readerUrl: string, environment = {}) =>
  startTestApp(
    testConfig(primary.url, {
      DATABASE_READER_URL: readerUrl,
      DATABASE_PREPARED_STATEMENTS: 'off',
      DATABASE_READER_TIMEOUT_MS: '1000',
      DATABASE_READER_RETRY_MS: '100',
      ...environment,
    }),
  );

async function signIn(app: TestApp): Promise<string> {
  const email = `outage${count}@example.com`;
  await app.register(email);
  return (await app.logIn(email)).accessToken;
}

const readsFrom = async (app: TestApp, from: string) =>
  metric((await app.get('/metrics')).body, `db_reads_total{from="${from}"}`);

async function moreReadsFrom(app: TestApp, from: string): Promise<void> {
  const before = await readsFrom(app, from);
  await until(async () => (await readsFrom(app, from)) > before + 5);
}

const clients = 6;

const servers: { name: string; lacking: boolean; server(): TestServer; readerUrl(): string }[] = [
  { name: 'a replica', lacking: false, server: () => replica, readerUrl: () => replica.url },
  {
    name: 'a replica behind a pooler (needs pgbouncer)',
    lacking: !withPooler,
    server: () => replica,
    readerUrl: () => pooler?.url ?? '',
  },
  {
    name: 'the pooler of a replica (needs pgbouncer)',
    lacking: !withPooler,
    server: () => pooler as TestServer,
    readerUrl: () => pooler?.url ?? '',
  },
];

describe.each(servers)('$name', ({ lacking, server, readerUrl }) => {
  test.skipIf(lacking)('that is killed costs no request, and is used again when it is back', async () => {
    await using app = await startApp(readerUrl());
    const accessToken = await signIn(app);
    const load = startLoad(clients, () => app.get('/api/tasks', accessToken));
    try {
      await moreReadsFrom(app, 'reader');
      await server().kill();
      await moreReadsFrom(app, 'writer-reader-down');
      expect((await app.get('/ready')).statusCode).toBe(200);
      await server().start();
      await moreReadsFrom(app, 'reader');
    } finally {
      await load.stop();
    }
    expect(load.statuses()).toEqual(new Set([200]));
    expect(app.logLines.filter((line) => line.includes('the database reader does not answer'))).not.toEqual([]);
  });

  test.skipIf(lacking)(
    'that hangs is waited for by the reads in progress alone, and is used again when it goes on',
    async () => {
      await using app = await startApp(readerUrl());
      const accessToken = await signIn(app);
      const load = startLoad(clients, () => app.get('/api/tasks', accessToken));
      try {
        await moreReadsFrom(app, 'reader');
        const failedBefore = await readsFrom(app, 'writer-reader-failed');
        pause(server());
        await moreReadsFrom(app, 'writer-reader-down');
        // Several looks whether it is back, none of which a request waits for.
        await until(async () => (await readsFrom(app, 'writer-reader-down')) > 200);
        expect((await readsFrom(app, 'writer-reader-failed')) - failedBefore).toBeLessThanOrEqual(2 * clients);
        resume(server());
        await moreReadsFrom(app, 'reader');
      } finally {
        resume(server());
        await load.stop();
      }
      expect(load.statuses()).toEqual(new Set([200]));
    },
  );
});

test('a reader that was never there is done without', async () => {
  await using app = await startApp('postgresql://nobody@127.0.0.1:1/nothing');
  const accessToken = await signIn(app);
  expect((await app.get('/api/auth/me', accessToken)).statusCode).toBe(200);
  expect((await app.get('/api/tasks/stats', accessToken)).statusCode).toBe(200);
  expect(await readsFrom(app, 'reader')).toBe(0);
});

test('a replica that a migration has not reached yet is not taken for one that is away', async () => {
  const [databaseUrl = ''] = await createDatabases(primary.url, 1);
  const reader = new URL(replica.url);
  reader.pathname = new URL(databaseUrl).pathname;
  const isThere = () =>
    query(reader.href, 'select 1').then(
      () => true,
      () => false,
    );
  await until(isThere);
  await query(replica.url, 'select pg_wal_replay_pause()');
  const paused = `select pg_get_wal_replay_pause_state() = 'paused' as ok`;
  await until(async () => (await query(replica.url, paused)).rows[0].ok);
  try {
    await migrate(databaseUrl);
    await using app = await startTestApp(
      testConfig(databaseUrl, { DATABASE_READER_URL: reader.href, DATABASE_READER_TIMEOUT_MS: '30000' }),
    );
    const accessToken = await signIn(app);
    expect((await app.get('/api/tasks', accessToken)).statusCode).toBe(200);
    await query(replica.url, 'select pg_wal_replay_resume()');
    await until(async () => {
      await app.get('/api/tasks', accessToken);
      return (await readsFrom(app, 'reader')) > 0;
    });
    expect(await readsFrom(app, 'writer-reader-down')).toBe(0);
  } finally {
    await query(replica.url, 'select pg_wal_replay_resume()');
  }
});
