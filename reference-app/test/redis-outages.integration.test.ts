import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, startTestApp, type TestApp, testConfig } from './app.ts';
import { pause, resume, startLoad } from './outages.ts';
import { newDatabase, query } from './postgres.ts';
import { until } from './processes.ts';
import { lacks } from './programs.ts';
import { startTestRedis, type TestServer } from './servers.ts';

describe.skipIf(lacks('redis'))('two instances that share a Redis (needs redis)', () => {
  let databaseUrl: string;
  let redis: TestServer;
  let count = 0;
  let anyToken: string;

  beforeAll(async () => {
    databaseUrl = await newDatabase();
  });

  beforeEach(async () => {
    count += 1;
    redis = await startTestRedis();
    return () => redis[Symbol.asyncDispose]();
  });

  const startApp = (environment = {}) =>
    startTestApp(testConfig(databaseUrl, { REDIS_URL: redis.url, ...environment }));

  /** That many tokens of one user, each of a session of its own. */
  async function tokens(app: TestApp, number: number): Promise<string[]> {
    const email = `outage${count}@example.com`;
    await app.register(email);
    const signedIn = await Promise.all(Array.from({ length: number }, () => app.logIn(email)));
    anyToken = (await app.logIn(email)).accessToken;
    return signedIn.map(({ accessToken }) => accessToken);
  }

  const logOut = (app: TestApp, accessToken: string) =>
    app.send({ method: 'POST', url: '/api/auth/logout', headers: bearer(accessToken) });

  const codeOf = async (app: TestApp, accessToken: string) =>
    (await app.get('/api/auth/me', accessToken)).json().code ?? 'accepted';

  async function inRedis<T>(use: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(redis.url);
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }

  /** Whether the instance looks in Redis whether a token is revoked; nothing else here asks for several keys at once. */
  async function asksRedis(app: TestApp): Promise<boolean> {
    const calls = () =>
      inRedis(async (client) => Number(/cmdstat_mget:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0));
    const before = await calls();
    await app.get('/api/auth/me', anyToken);
    return (await calls()) > before;
  }

  test.each([0, 100, 300, 1500])(
    'refuse a token revoked while Redis hung, from the moment that was answered, when it hangs for %i ms',
    async (forMs) => {
      await using first = await startApp();
      await using second = await startApp();
      const all = await tokens(first, 4);
      await until(() => asksRedis(second));
      for (const token of all) expect(await codeOf(second, token)).toBe('accepted');
      pause(redis);
      const over = delay(forMs).then(() => resume(redis));
      for (const token of all) {
        expect((await logOut(first, token)).statusCode).toBe(200);
        expect(await codeOf(second, token)).toBe('TOKEN_REVOKED');
      }
      await over;
      await until(async () => {
        for (const token of all) expect(await codeOf(second, token)).toBe('TOKEN_REVOKED');
        return asksRedis(second);
      });
      for (const token of all) expect(await codeOf(second, token)).toBe('TOKEN_REVOKED');
    },
  );

  test('refuse revoked tokens while Redis is killed and comes back empty, and answer all else', async () => {
    await using first = await startApp({
      RATE_LIMIT: 'on',
      RATE_LIMIT_GENERAL: '100000/1m',
      RATE_LIMIT_SIGNED_IN: '100000/1m',
    });
    await using second = await startApp();
    const [good = '', before = '', during = ''] = await tokens(first, 3);
    await logOut(first, before);
    const load = startLoad(4, (number) => (number % 2 === 0 ? first : second).get('/api/tasks', good));
    const refused = startLoad(1, () => second.get('/api/auth/me', before));
    try {
      await until(() => load.answers.length > 20);
      await redis.kill();
      await logOut(first, during);
      const afterwards = startLoad(1, () => second.get('/api/auth/me', during));
      await until(() => afterwards.answers.length > 10);
      await redis.start();
      await until(() => asksRedis(second));
      await until(() => asksRedis(first));
      await afterwards.stop();
      expect(afterwards.statuses()).toEqual(new Set([401]));
    } finally {
      await load.stop();
      await refused.stop();
    }
    expect(load.statuses()).toEqual(new Set([200]));
    expect(refused.statuses()).toEqual(new Set([401]));
    expect(await codeOf(first, during)).toBe('TOKEN_REVOKED');
    expect((await inRedis((client) => client.keys('revoked:session:*'))).length).toBeGreaterThanOrEqual(2);
  });

  test('refuse revoked tokens when somebody empties Redis, or it is full', async () => {
    await using first = await startApp();
    await using second = await startApp();
    const [before = '', afterwards = ''] = await tokens(first, 2);
    await logOut(first, before);
    await until(() => asksRedis(second));
    await inRedis((client) => client.flushall());
    expect(await codeOf(second, before)).toBe('TOKEN_REVOKED');
    await until(() => inRedis(async (client) => (await client.exists('revoked:complete')) === 1));
    await inRedis((client) => client.config('SET', 'maxmemory', '1'));
    expect((await logOut(first, afterwards)).statusCode).toBe(200);
    for (const token of [before, afterwards]) expect(await codeOf(second, token)).toBe('TOKEN_REVOKED');
  });

  test('refuse the tokens of sessions that an instance ended before it died, once ending them is asked for again', async () => {
    await using first = await startApp();
    await using second = await startApp();
    const [mine = '', one = '', another = ''] = await tokens(first, 3);
    await until(async () => (await asksRedis(first)) && (await asksRedis(second)));
    const { sessions } = (await first.get('/api/auth/sessions', one)).json();
    const { id } = sessions.find(({ current }: { current: boolean }) => current);
    const endedInDatabaseOnly = (condition: string) =>
      query(
        databaseUrl,
        `with ended as (update sessions set revoked_at = now() where revoked_at is null and ${condition} returning id)
          insert into revoked_tokens select 'session:' || id, now() + interval '15 minutes' from ended`,
      );
    const end = (url: string) => second.send({ method: 'DELETE', url, headers: bearer(mine) });

    await endedInDatabaseOnly(`id = '${id}'`);
    expect((await end(`/api/auth/sessions/${id}`)).statusCode).toBe(404);
    expect(await codeOf(first, one)).toBe('TOKEN_REVOKED');
    expect((await first.get('/api/auth/sessions', another)).json().sessions).toHaveLength(sessions.length - 1);

    await endedInDatabaseOnly('true');
    expect((await end('/api/auth/sessions')).statusCode).toBe(200);
    expect(await codeOf(first, another)).toBe('TOKEN_REVOKED');
  });

  test('wait for a Redis that hangs once, not with each request', async () => {
    const timeoutMs = 1000;
    const limits = { RATE_LIMIT: 'on', RATE_LIMIT_GENERAL: '100000/1m', RATE_LIMIT_SIGNED_IN: '100000/1m' };
    await using app = await startApp({ REDIS_TIMEOUT_MS: String(timeoutMs), ...limits });
    const [token = ''] = await tokens(app, 1);
    pause(redis);
    const startedMs = performance.now();
    const requests = 60;
    for (let sent = 0; sent < requests; sent += 1) {
      expect((await app.get('/api/tasks', token)).statusCode).toBe(200);
    }
    expect(performance.now() - startedMs).toBeLessThan((requests * timeoutMs) / 4);
    resume(redis);
    await until(async () => (await app.get('/ready')).json().status === 'ready');
    await until(async () => {
      await app.get('/api/tasks', token);
      return /cache_reads_total\{route="tasks-list",result="hit"\} [1-9]/.test((await app.get('/metrics')).body);
    });
  });

  test('list the sessions from Redis, right after each that begins or ends', async () => {
    await using first = await startApp();
    await using second = await startApp();
    const [here = '', there = ''] = await tokens(first, 2);
    const email = `outage${count}@example.com`;
    const sessions = async (app: TestApp, token = here): Promise<{ id: string; current: boolean }[]> =>
      (await app.get('/api/auth/sessions', token)).json().sessions;
    expect(await sessions(first)).toHaveLength(3);
    expect(await sessions(second)).toHaveLength(3);
    expect((await second.get('/metrics')).body).toContain('cache_reads_total{route="sessions",result="hit"} 1');
    const currentOf = async (token: string) => (await sessions(second, token)).filter(({ current }) => current);
    expect((await currentOf(here))[0]?.id).not.toBe((await currentOf(there))[0]?.id);

    const third = await second.logIn(email);
    expect(await sessions(first)).toHaveLength(4);
    await logOut(first, third.accessToken);
    expect(await sessions(second)).toHaveLength(3);
    const [other] = await currentOf(there);
    await second.send({ method: 'DELETE', url: `/api/auth/sessions/${other?.id}`, headers: bearer(here) });
    expect(await sessions(first)).toHaveLength(2);
    expect(await codeOf(first, there)).toBe('TOKEN_REVOKED');

    await redis.kill();
    await first.logIn(email);
    expect(await sessions(second), 'without Redis').toHaveLength(3);
  });
});
