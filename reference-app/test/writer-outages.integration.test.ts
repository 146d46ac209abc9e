import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../migrate.ts';
import { bearer, startTestApp, type TestApp, testConfig } from './app.ts';
import { type Load, pause, resume, startLoad } from './outages.ts';
import { query, startTestPostgres } from './postgres.ts';
import { until } from './processes.ts';
import { lacks } from './programs.ts';
import { startTestPgbouncer, type TestServer } from './servers.ts';

const withPooler = !lacks('pgbouncer');
let primary: TestServer;
let pooler: TestServer | undefined;
let count = 0;

beforeAll(async () => {
  // A commit that is answered survives the death of the process in the memory of the system, without fsync too.
  primary = await startTestPostgres();
  await migrate(primary.url);
  if (withPooler) pooler = await startTestPgbouncer(primary.url, { server_login_retry: 1, query_wait_timeout: 5 });
});

afterAll(async () => {
  await pooler?.[Symbol.asyncDispose]();
  await primary?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  count += 1;
});

const servers: { name: string; lacking: boolean; server(): TestServer; url(): string }[] = [
  { name: 'a primary', lacking: false, server: () => primary, url: () => primary.url },
  {
    name: 'a primary behind a pooler (needs pgbouncer)',
    lacking: !withPooler,
    server: () => primary,
    url: () => pooler?.url ?? '',
  },
  {
    name: 'the pooler of a primary (needs pgbouncer)',
    lacking: !withPooler,
    server: () => pooler as TestServer,
    url: () => pooler?.url ?? '',
  },
];

interface Writing {
  readonly app: TestApp;
  readonly load: Load;
  readonly userId: number;
}

async function startWriting(url: string): Promise<Writing> {
  const app = await startTestApp(
    testConfig(url, {
      DATABASE_PREPARED_STATEMENTS: 'off',
      DATABASE_CONNECT_TIMEOUT_MS: '1000',
      DATABASE_QUERY_TIMEOUT_MS: '1000',
      DATABASE_POOL_MAX: '4',
    }),
  );
  const email = `writer${count}@example.com`;
  await app.register(email);
  const { accessToken, userId } = await app.logIn(email);
  const load = startLoad(6, (number) => app.post('/api/tasks', { title: `task ${number}` }, bearer(accessToken)));
  return { app, load, userId };
}

const moreAnswers = async ({ load }: Writing, status: number) => {
  const since = load.answers.length;
  await until(() => load.count(status, since) > 5);
};

/** Every write that was answered with 201 is there, whatever happened since. */
async function expectNothingLost({ load, userId }: Writing): Promise<void> {
  const { rows } = await query(primary.url, 'select id from tasks where user_id = $1', [userId]);
  const stored = new Set(rows.map(({ id }) => Number(id)));
  const acknowledged = load.answers.filter(({ statusCode }) => statusCode === 201).map((each) => each.json().task.id);
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  expect(load.statuses()).toEqual(new Set([201, 503]));
  const refused = load.answers.find(({ statusCode }) => statusCode === 503);
  expect([refused?.json().code, refused?.headers['retry-after']]).toEqual(['DATABASE_UNAVAILABLE', '1']);
}

describe.each(servers)('$name', ({ lacking, server, url }) => {
  test.skipIf(lacking)(
    'that is killed loses no write that was answered, and is used again when it is back',
    async () => {
      const writing = await startWriting(url());
      await using app = writing.app;
      try {
        await moreAnswers(writing, 201);
        await server().kill();
        await moreAnswers(writing, 503);
        expect((await app.get('/health')).statusCode).toBe(200);
        expect((await app.get('/ready')).statusCode).toBe(503);
        await server().start();
        await moreAnswers(writing, 201);
      } finally {
        await writing.load.stop();
      }
      await expectNothingLost(writing);
      expect((await app.get('/ready')).statusCode).toBe(200);
    },
  );

  test.skipIf(lacking)('that hangs holds no request for longer than the options say, and is used again', async () => {
    const writing = await startWriting(url());
    await using app = writing.app;
    try {
      await moreAnswers(writing, 201);
      pause(server());
      // While it hangs: nobody waits for it to go on.
      await moreAnswers(writing, 503);
      expect((await app.get('/ready')).statusCode).toBe(503);
      resume(server());
      await moreAnswers(writing, 201);
    } finally {
      resume(server());
      await writing.load.stop();
    }
    await expectNothingLost(writing);
  });
});
