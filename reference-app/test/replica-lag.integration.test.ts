import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, cookieOf, type SignedIn, startTestApp, type TestApp, testConfig } from './app.ts';
import { metric, pause, resume } from './outages.ts';
import { newDatabase, query, startTestPostgres, startTestReplica } from './postgres.ts';
import { until } from './processes.ts';
import { lacks } from './programs.ts';
import { startTestRedis, type TestServer } from './servers.ts';

let primary: TestServer;
let replica: TestServer;
let databaseUrl: string;
let readerUrl: string;
let count = 0;

beforeAll(async () => {
  const settings = { shared_preload_libraries: 'pg_stat_statements' };
  primary = await startTestPostgres(settings);
  replica = await startTestReplica(primary, settings);
  databaseUrl = await newDatabase(primary);
  const url = new URL(replica.url);
  url.pathname = new URL(databaseUrl).pathname;
  readerUrl = url.href;
  await query(databaseUrl, 'create extension pg_stat_statements');
  await replicated();
});

afterAll(async () => {
  await replica?.[Symbol.asyncDispose]();
  await primary?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  count += 1;
});

async function replicated(): Promise<void> {
  const { rows } = await query(databaseUrl, 'select pg_current_wal_insert_lsn() as position');
  const arrived = 'select pg_last_wal_replay_lsn() >= $1::pg_lsn as ok';
  await until(async () => (await query(replica.url, arrived, [rows[0].position])).rows[0].ok);
}

/** Until it is disposed of, the replica receives the log and shows nothing of it. */
async function lag(): Promise<AsyncDisposable> {
  await replicated();
  await query(replica.url, 'select pg_wal_replay_pause()');
  const paused = `select pg_get_wal_replay_pause_state() = 'paused' as ok`;
  await until(async () => (await query(replica.url, paused)).rows[0].ok);
  return {
    async [Symbol.asyncDispose]() {
      await query(replica.url, 'select pg_wal_replay_resume()');
      await replicated();
    },
  };
}

const startApp = (environment = {}) =>
  startTestApp(
    testConfig(databaseUrl, { DATABASE_READER_URL: readerUrl, DATABASE_READER_TIMEOUT_MS: '30000', ...environment }),
  );

async function newUser(app: TestApp): Promise<SignedIn & { email: string }> {
  const email = `lag${count}@example.com`;
  await app.register(email);
  return { ...(await app.logIn(email)), email };
}

const create = (app: TestApp, user: SignedIn, title: string) =>
  app.post('/api/tasks', { title }, bearer(user.accessToken));

interface Position {
  readonly cookies?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

const read = (app: TestApp, user: SignedIn, url: string, { cookies = {}, headers = {} }: Position = {}) =>
  app.send({ method: 'GET', url, cookies, headers: { ...bearer(user.accessToken), ...headers } });

async function titles(app: TestApp, user: SignedIn, position: Position = {}): Promise<string[]> {
  const answer = await read(app, user, '/api/tasks?sort=createdAt', position);
  return answer.json().tasks.map((task: { title: string }) => task.title);
}

const readsFrom = async (app: TestApp, from: string) =>
  metric((await app.get('/metrics')).body, `db_reads_total{from="${from}"}`);

describe('a user whose replica lags', () => {
  test('reads what they wrote, by the cookie or the header of the answer, and from the replica when it is there', async () => {
    await using app = await startApp();
    const user = await newUser(app);
    await create(app, user, 'first');
    let position: Position;
    {
      await using _lag = await lag();
      const written = await create(app, user, 'second');
      const cookie = written.cookies.find(({ name }) => name === 'writePosition');
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/api', maxAge: 300 });
      const header = String(written.headers['x-write-position']);
      expect(header).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
      position = { cookies: { writePosition: cookieOf(written, 'writePosition') } };
      for (const shown of [position, { headers: { 'x-write-position': header } }]) {
        expect(await titles(app, user, shown)).toEqual(['first', 'second']);
        expect((await read(app, user, '/api/tasks/stats', shown)).json().stats.total).toBe(2);
      }
      expect(await titles(app, user), 'for who shows no position').toEqual(['first']);
      expect((await read(app, user, `/api/tasks/${written.json().task.id}`)).statusCode, 'a single task').toBe(200);
    }
    const before = await readsFrom(app, 'reader');
    await expect
      .poll(async () => {
        expect(await titles(app, user, position)).toEqual(['first', 'second']);
        return readsFrom(app, 'reader');
      })
      .toBeGreaterThan(before);
  });

  test('sees each kind of change to their tasks and themselves', async () => {
    await using app = await startApp();
    const user = await newUser(app);
    const { task } = (await create(app, user, 'first')).json();
    await using _lag = await lag();
    const send = (method: 'PUT' | 'PATCH' | 'DELETE', payload?: object) =>
      app.send({
        method,
        url: `/api/tasks/${task.id}`,
        headers: bearer(user.accessToken),
        ...(payload && { payload }),
      });
    const positionOf = (answer: Awaited<ReturnType<typeof send>>) => ({
      cookies: { writePosition: cookieOf(answer, 'writePosition') },
    });
    expect(await titles(app, user, positionOf(await send('PUT', { title: 'put' })))).toEqual(['put']);
    expect(await titles(app, user, positionOf(await send('PATCH', { title: 'patched' })))).toEqual(['patched']);
    expect(await titles(app, user, positionOf(await send('DELETE')))).toEqual([]);
    expect(await titles(app, user), 'on the replica').toEqual(['first']);

    const token = app.outbox.find(({ to }) => to === user.email)?.token;
    const verified = positionOf(await app.post('/api/auth/verify-email', { token }));
    for (const url of ['/api/auth/me', `/api/users/${user.userId}`]) {
      expect((await read(app, user, url, verified)).json().user.emailVerifiedAt).toEqual(expect.any(String));
      expect((await read(app, user, url)).json().user.emailVerifiedAt, 'on the replica').toBeNull();
    }
  });

  test('who signed up a moment ago is there, also without a position', async () => {
    await using app = await startApp();
    await using _lag = await lag();
    const user = await newUser(app);
    expect((await read(app, user, '/api/auth/me')).json().user.email).toBe(user.email);
  });

  test('may send any position: nonsense is ignored, and one of the future is answered by the writer', async () => {
    await using app = await startApp();
    const user = await newUser(app);
    await using _lag = await lag();
    await create(app, user, 'unseen');
    for (const nonsense of ['', '-', '0/0', "0/0'; drop table tasks; --", '1', 'G/1', '0/123456789', '0/0, F/0']) {
      const shown = { headers: { 'x-write-position': nonsense }, cookies: { writePosition: nonsense } };
      expect(await titles(app, user, shown), nonsense).toEqual([]);
    }
    for (const future of ['FFFFFFFF/FFFFFFFF', 'FFFFFFFF/0', 'ffff/1']) {
      expect(await titles(app, user, { headers: { 'x-write-position': future } }), future).toEqual(['unseen']);
    }
    expect(await titles(app, user), 'of anybody else').toEqual([]);
  });

  test('costs the replica no question per read once it has come so far', async () => {
    await using app = await startApp();
    const user = await newUser(app);
    const written = await create(app, user, 'old');
    await replicated();
    const questions = async () => {
      const { rows } = await query(
        readerUrl,
        `select coalesce(sum(calls), 0)::int as calls from pg_stat_statements where query like '%pg_is_in_recovery() then%'`,
      );
      return rows[0].calls;
    };
    const shown = { headers: { 'x-write-position': String(written.headers['x-write-position']) } };
    const before = await questions();
    const reads = 200;
    for (let batch = 0; batch < reads / 20; batch += 1) {
      await Promise.all(Array.from({ length: 20 }, () => titles(app, user, shown)));
    }
    expect((await questions()) - before).toBeGreaterThan(0);
    expect((await questions()) - before).toBeLessThan(reads / 4);
    expect(await readsFrom(app, 'reader')).toBe(reads);
  });
});

describe.skipIf(lacks('redis'))('a cache over a replica that lags (needs redis)', () => {
  const redisIsUp = async (app: TestApp) => (await app.get('/ready')).json().dependencies.redis.state === 'up';

  test('gives no device of the user what is older than a write, and none keeps it', async () => {
    await using redis = await startTestRedis();
    await using one = await startApp({ REDIS_URL: redis.url });
    await using other = await startApp({ REDIS_URL: redis.url });
    const user = await newUser(one);
    await create(one, user, 'first');
    expect(await titles(other, user)).toEqual(['first']);
    {
      await using _lag = await lag();
      await create(one, user, 'second');
      for (const app of [other, one, other]) expect(await titles(app, user)).toEqual(['first', 'second']);
    }
    await query(databaseUrl, `insert into tasks (user_id, title) values ($1, 'behind the back')`, [user.userId]);
    expect(await titles(other, user), 'from the cache').toEqual(['first', 'second']);
  });

  test('that lost all it held while the replica lags stores nothing older', async () => {
    await using redis = await startTestRedis();
    await using app = await startApp({ REDIS_URL: redis.url });
    const user = await newUser(app);
    await create(app, user, 'first');
    await using _lag = await lag();
    const written = await create(app, user, 'second');
    const position = { cookies: { writePosition: cookieOf(written, 'writePosition') } };
    await redis.kill();
    await expect.poll(() => redisIsUp(app)).toBe(false);
    expect(await titles(app, user, position)).toEqual(['first', 'second']);
    await redis.start();
    // Until the app hears from it, whoever shows no position may be answered by the replica; nothing of it is stored.
    await expect.poll(() => titles(app, user)).toEqual(['first', 'second']);
    expect(await titles(app, user)).toEqual(['first', 'second']);
    expect(await titles(app, user, position)).toEqual(['first', 'second']);
  });

  test('that was away when a write was announced hears of it when it is back', async () => {
    await using redis = await startTestRedis();
    await using app = await startApp({ REDIS_URL: redis.url });
    const user = await newUser(app);
    await create(app, user, 'first');
    await replicated();
    expect(await titles(app, user)).toEqual(['first']);
    pause(redis);
    // From then on it sends nothing that Redis would read once it goes on.
    await until(() => app.logLines.some((line) => line.includes('Redis does not answer')));
    await create(app, user, 'second');
    resume(redis);
    await expect.poll(() => redisIsUp(app)).toBe(true);
    await expect.poll(() => titles(app, user)).toEqual(['first', 'second']);
  });

  test('that never heard of a write, as by an instance that died, does not show its writer the state before', async () => {
    await using redis = await startTestRedis();
    await using app = await startApp({ REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '5000' });
    await using untold = await startApp();
    const user = await newUser(app);
    await create(app, user, 'first');
    const hit = 'cache_reads_total{route="tasks-list",result="hit"}';
    await expect
      .poll(async () => {
        expect(await titles(app, user)).toEqual(['first']);
        return metric((await app.get('/metrics')).body, hit);
      })
      .toBeGreaterThan(0);
    const written = await create(untold, user, 'second');
    const position = { cookies: { writePosition: cookieOf(written, 'writePosition') } };
    expect(await titles(app, user), 'from the cache').toEqual(['first']);
    expect(await titles(app, user, position)).toEqual(['first', 'second']);
  });

  test('that could not hear of a write does not show its writer the state before', async () => {
    await using redis = await startTestRedis();
    await using app = await startApp({ REDIS_URL: redis.url });
    const user = await newUser(app);
    await create(app, user, 'first');
    await replicated();
    expect(await titles(app, user)).toEqual(['first']);
    pause(redis);
    const written = await create(app, user, 'second');
    expect(written.statusCode).toBe(201);
    const position = { cookies: { writePosition: cookieOf(written, 'writePosition') } };
    expect(await titles(app, user, position)).toEqual(['first', 'second']);
    resume(redis);
    await using instance = await startApp({ REDIS_URL: redis.url });
    expect(await titles(instance, user, position), 'at another instance').toEqual(['first', 'second']);
    await expect.poll(() => redisIsUp(app)).toBe(true);
    await expect.poll(() => titles(instance, user)).toEqual(['first', 'second']);
  });
});
