import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bearer, type SignedIn, startTestApp, type TestApp, testConfig, untilRedisAnswers } from './app.ts';
import { newDatabase, query } from './postgres.ts';
import { until } from './processes.ts';
import { lacks } from './programs.ts';
import { startTestRedis, type TestServer } from './servers.ts';

describe.skipIf(lacks('redis'))('cached lists and statistics (needs redis)', () => {
  let redis: TestServer;
  let databaseUrl: string;
  let api: TestApp;
  let user: SignedIn;
  let other: SignedIn;

  beforeAll(async () => {
    redis = await startTestRedis();
    databaseUrl = await newDatabase();
    api = await startTestApp(testConfig(databaseUrl, { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '5000' }));
    for (const email of ['one@example.org', 'two@example.org']) await api.register(email);
    user = await api.logIn('one@example.org');
    other = await api.logIn('two@example.org');
  });
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  beforeEach(() => untilRedisAnswers(api));

  type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  const write = (signedIn: SignedIn, method: Method, url: string, payload?: object) =>
    api.send({ method, url, headers: bearer(signedIn.accessToken), ...(payload && { payload }) });
  const titles = async (signedIn: SignedIn, parameters = '') =>
    (await api.get(`/api/tasks?${parameters}`, signedIn.accessToken))
      .json()
      .tasks.map((task: { title: string }) => task.title);
  const total = async (signedIn: SignedIn) =>
    (await api.get('/api/tasks/stats', signedIn.accessToken)).json().stats.total;
  /** Behind the app's back, so that only a cached answer misses it. */
  const insertUnseen = (signedIn: SignedIn, title: string) =>
    query(databaseUrl, 'insert into tasks (user_id, title) values ($1, $2)', [signedIn.userId, title]);

  it('come from the cache, for each user and query of their own', async () => {
    expect(await titles(user)).toEqual([]);
    expect(await total(user)).toBe(0);
    await insertUnseen(user, 'unseen');
    expect(await titles(user)).toEqual([]);
    expect(await total(user)).toBe(0);
    expect(await titles(user, 'limit=11')).toEqual(['unseen']);
    expect(await titles(user, 'search=unseen')).toEqual(['unseen']);
    expect(await titles(other)).toEqual([]);
  });

  it('are right again after every kind of write, and stay cached for everybody else', async () => {
    expect(await titles(other)).toEqual([]);
    await insertUnseen(other, 'unseen');
    const { task } = (await write(user, 'POST', '/api/tasks', { title: 'first' })).json();
    expect(await titles(user)).toEqual(['first', 'unseen']);
    expect(await total(user)).toBe(2);
    await write(user, 'PATCH', `/api/tasks/${task.id}`, { title: 'second' });
    expect(await titles(user)).toEqual(['second', 'unseen']);
    await write(user, 'PUT', `/api/tasks/${task.id}`, { title: 'third' });
    expect(await titles(user)).toEqual(['third', 'unseen']);
    await write(user, 'DELETE', `/api/tasks/${task.id}`);
    expect(await titles(user)).toEqual(['unseen']);
    expect(await total(user)).toBe(1);
    expect(await titles(other)).toEqual([]);
  });

  it('are right also after a write whose answer was lost, or that another instance did before it died', async () => {
    await using impatient = await startTestApp(
      testConfig(databaseUrl, { REDIS_URL: redis.url, DATABASE_QUERY_TIMEOUT_MS: '500' }),
    );
    const { task } = (await write(user, 'POST', '/api/tasks', { title: 'before' })).json();
    expect(await titles(user)).toContain('before');
    const client = new pg.Client(databaseUrl);
    await client.connect();
    try {
      await client.query('begin');
      await client.query('select from tasks where id = $1 for update', [task.id]);
      const url = `/api/tasks/${task.id}`;
      const headers = bearer(user.accessToken);
      const lost = await impatient.send({ method: 'PATCH', url, headers, payload: { title: 'after' } });
      expect(lost.statusCode).toBe(503);
      await client.query('commit');
    } finally {
      await client.end();
    }
    await until(async () => (await api.get(`/api/tasks/${task.id}`, user.accessToken)).json().task.title === 'after');
    expect(await titles(user)).toContain('after');

    await query(databaseUrl, 'delete from tasks where id = $1', [task.id]);
    expect((await write(user, 'DELETE', `/api/tasks/${task.id}`)).statusCode).toBe(404);
    expect(await titles(user)).not.toContain('after');
  });

  it('look the same from the cache as from the database', async () => {
    await write(user, 'POST', '/api/tasks', { title: 'with a due time', dueAt: '2027-01-31T12:00:00Z' });
    const fresh = await api.get('/api/tasks', user.accessToken);
    const cached = await api.get('/api/tasks', user.accessToken);
    expect(cached.json()).toEqual(fresh.json());
  });

  it('never mix up two queries, whatever their text', async () => {
    await write(user, 'POST', '/api/tasks', { title: 'a:b' });
    expect(await titles(user, `search=${encodeURIComponent('a:b')}`)).toEqual(['a:b']);
    expect(await titles(user, `search=${encodeURIComponent(':a:b')}`)).toEqual([]);
  });
});
