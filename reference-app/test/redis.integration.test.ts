import type { LightMyRequestResponse } from 'fastify';
import { Redis } from 'ioredis';
import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cache, CachedRoute } from '../dependencies.ts';
import { createCache } from '../plugins/cache.ts';
import { createMetrics } from '../plugins/metrics.ts';
import { connectRedis } from '../plugins/redis.ts';
import { type WalPosition, walStart } from '../plugins/write-positions.ts';
import { bearer, startTestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';
import { until } from './processes.ts';
import { lacks } from './programs.ts';
import { startTestRedis, type TestServer } from './servers.ts';
import { startTcpProxy } from './tcp-proxy.ts';

describe.skipIf(lacks('redis'))('with Redis (needs redis)', () => {
  let databaseUrl: string;
  let redis: TestServer;
  let count = 0;
  let email = '';

  beforeAll(async () => {
    databaseUrl = await newDatabase();
  });

  beforeEach(async () => {
    count += 1;
    email = `user${count}@example.com`;
    redis = await startTestRedis();
    return () => redis[Symbol.asyncDispose]();
  });

  async function startApp(redisUrl = redis.url) {
    const app = await startTestApp(testConfig(databaseUrl, { REDIS_URL: redisUrl }));
    await until(() => redisIs(app, 'up'));
    return app;
  }

  const redisIs = async (app: Awaited<ReturnType<typeof startApp>>, state: 'up' | 'down') =>
    (await app.get('/ready')).json().dependencies.redis.state === state;

  const logOut = (app: Awaited<ReturnType<typeof startApp>>, accessToken: string) =>
    app.send({ method: 'POST', url: '/api/auth/logout', headers: bearer(accessToken) });

  describe('a revoked token', () => {
    test('is refused by every instance, from Redis', async () => {
      await using first = await startApp();
      await using second = await startApp();
      await first.register(email);
      const { accessToken } = await first.logIn(email);
      expect((await second.get('/api/auth/me', accessToken)).statusCode).toBe(200);
      await logOut(first, accessToken);
      const code = async () => (await second.get('/api/auth/me', accessToken)).json().code;
      expect(await code()).toBe('TOKEN_REVOKED');
      await query(databaseUrl, 'delete from revoked_tokens');
      await expect.poll(code, { message: 'without the table' }).toBe('TOKEN_REVOKED');
      const client = new Redis(redis.url);
      const keys = (await client.keys('revoked:*')).filter((key) => key !== 'revoked:complete');
      for (const key of keys) expect(await client.ttl(key)).toBeGreaterThan(0);
      client.disconnect();
      expect(keys.length).toBeGreaterThan(0);
    });

    test('stays refused when Redis is killed, and when it comes back empty', async () => {
      await using app = await startApp();
      await app.register(email);
      const revoked = await app.logIn(email);
      const good = await app.logIn(email);
      await logOut(app, revoked.accessToken);
      await redis.kill();
      expect((await app.get('/api/auth/me', revoked.accessToken)).json().code).toBe('TOKEN_REVOKED');
      expect((await app.get('/api/auth/me', good.accessToken)).statusCode).toBe(200);

      const whileDown = await app.logIn(email);
      await logOut(app, whileDown.accessToken);
      await redis.start();
      const refused: unknown[] = [];
      await until(async () => {
        for (const { accessToken } of [revoked, whileDown]) {
          refused.push((await app.get('/api/auth/me', accessToken)).statusCode);
        }
        return redisIs(app, 'up');
      });
      await until(async () => {
        const client = new Redis(redis.url);
        const keys = await client.keys('revoked:*');
        client.disconnect();
        return keys.length > 0;
      });
      for (const { accessToken } of [revoked, whileDown]) {
        refused.push((await app.get('/api/auth/me', accessToken)).statusCode);
      }
      expect(new Set(refused)).toEqual(new Set([401]));
      expect((await app.get('/api/auth/me', good.accessToken)).statusCode).toBe(200);
    });

    test('is not looked up in a Redis that came back empty until that was given all of them', async () => {
      await using app = await startApp();
      await app.register(email);
      const { accessToken } = await app.logIn(email);
      await logOut(app, accessToken);
      await redis[Symbol.asyncDispose]();
      await until(() => redisIs(app, 'down'));
      const holder = new pg.Client({ connectionString: databaseUrl });
      await holder.connect();
      const asked: Promise<LightMyRequestResponse>[] = [];
      try {
        await holder.query('begin; lock table revoked_tokens in access exclusive mode');
        redis = await startTestRedis(redis.port);
        await until(() => redisIs(app, 'up'));
        asked.push(app.get('/api/auth/me', accessToken));
        // The filling of Redis, and the request.
        const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%revoked_tokens%'`;
        await until(async () => (await query(databaseUrl, waiting)).rowCount === 2);
      } finally {
        await holder.end();
      }
      expect((await asked[0])?.json().code).toBe('TOKEN_REVOKED');
    });

    test('is refused without Redis when neither copy nor table can be read', async () => {
      await using proxy = await startTcpProxy(databaseUrl);
      await using app = await startTestApp(
        testConfig(proxy.url, { BLACKLIST_STORE: 'database', DATABASE_CONNECT_TIMEOUT_MS: '500' }),
      );
      await app.register(email);
      const { accessToken } = await app.logIn(email);
      await proxy.cut();
      expect((await app.get('/api/auth/me', accessToken)).statusCode).toBe(503);
    });
  });

  describe('the cache', () => {
    interface Use {
      readonly cache: Cache;
      readThrough<T>(route: CachedRoute, key: string, load: () => Promise<T>, after?: WalPosition): Promise<T>;
    }

    /** On a primary that is at `position`; what is loaded is as new as it was asked to be. */
    async function withCache(use: (of: Use) => Promise<void>, environment = {}, position = walStart): Promise<void> {
      const patient = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '5000' };
      const config = { ...testConfig(databaseUrl, { ...patient, ...environment }), REDIS_URL: redis.url };
      const connection = connectRedis(config, { warn() {} });
      await connection.tried;
      try {
        const cache = createCache(config, { position: async () => position }, connection, createMetrics());
        const readThrough: Use['readThrough'] = (route, key, load, after = walStart) =>
          cache.readThrough(route, key, after, async (asOf) => ({ value: await load(), asOf }));
        await use({ cache, readThrough });
      } finally {
        connection.close();
      }
    }

    test('answers /me and users by id until they change', async () => {
      await using app = await startApp();
      await app.register(email);
      const { accessToken, userId } = await app.logIn(email);
      const read = async () => [
        (await app.get('/api/auth/me', accessToken)).json(),
        (await app.get(`/api/users/${userId}`, accessToken)).json(),
      ];
      const first = await read();
      await query(databaseUrl, `update users set name = 'Behind the back' where id = $1`, [userId]);
      expect(await read()).toEqual(first);
      const metrics = (await app.get('/metrics')).body;
      for (const route of ['me', 'user-by-id']) {
        expect(metrics).toContain(`cache_reads_total{route="${route}",result="miss"} 1`);
        expect(metrics).toContain(`cache_reads_total{route="${route}",result="hit"} 1`);
      }
      const token = app.outbox.find(({ to }) => to === email)?.token;
      expect((await app.post('/api/auth/verify-email', { token })).statusCode).toBe(200);
      for (const { user } of await read()) {
        expect(user).toMatchObject({ name: 'Behind the back', emailVerifiedAt: expect.any(String) });
      }
    });

    test('keeps the entries of one owner and route together, and lives as long as its option says', async () => {
      await withCache(
        async ({ cache, readThrough }) => {
          const read = (key: string, value: string) => readThrough('tasks-list', key, async () => value);
          await read('1:page1', 'a');
          await read('1:page2', 'b');
          await read('2:page1', 'c');
          await read('11:page1', 'd');
          await cache.invalidate('tasks-list', '1', walStart);
          const again = await Promise.all(['1:page1', '1:page2', '2:page1', '11:page1'].map((key) => read(key, 'new')));
          expect(again).toEqual(['new', 'new', 'c', 'd']);
          const client = new Redis(redis.url);
          const ttlS = await client.ttl('cache:tasks-list:2');
          client.disconnect();
          expect(ttlS).toBeGreaterThan(290);
          expect(ttlS).toBeLessThanOrEqual(300);
        },
        { CACHE_TTL_TASKS_LIST_S: '300' },
      );
    });

    test('never stores what was loaded before a write that came meanwhile', async () => {
      await withCache(async ({ cache, readThrough }) => {
        const stale = await readThrough('me', '1', async () => {
          await cache.invalidate('me', '1', walStart);
          return 'old';
        });
        expect(stale).toBe('old');
        expect(await readThrough('me', '1', async () => 'new')).toBe('new');
      });
    });

    test('tells a load the position of the last write, also of one it heard of too late', async () => {
      const [started, first, second] = ['1', '2', '3'].map((digit) => digit.padStart(16, '0')) as [
        string,
        string,
        string,
      ];
      await withCache(
        async ({ cache }) => {
          const asked: WalPosition[] = [];
          const read = (after = walStart) =>
            cache.readThrough('me', '1', after, async (asOf) => {
              asked.push(asOf);
              return { value: 'value', asOf };
            });
          await read();
          await cache.invalidate('me', '1', second);
          await cache.invalidate('me', '1', first);
          await read();
          await read();
          expect(asked).toEqual([started, second]);
        },
        { DATABASE_READER_URL: databaseUrl },
        started,
      );
    });

    test('does not answer a client with what is older than its own write', async () => {
      const [started, written] = ['1', '2'].map((digit) => digit.padStart(16, '0')) as [string, string];
      await withCache(
        async ({ readThrough }) => {
          expect(await readThrough('me', '1', async () => 'old')).toBe('old');
          expect(await readThrough('me', '1', async () => 'new', written)).toBe('new');
          expect(await readThrough('me', '1', async () => 'newer', written)).toBe('new');
          expect(await readThrough('me', '1', async () => 'newer')).toBe('new');
        },
        { DATABASE_READER_URL: databaseUrl },
        started,
      );
    });

    test('with a time to live of 0 is off for that route', async () => {
      await withCache(
        async ({ readThrough }) => {
          await readThrough('me', '1', async () => 'first');
          expect(await readThrough('me', '1', async () => 'second')).toBe('second');
        },
        { CACHE_TTL_ME_S: '0' },
      );
    });

    test('is done without while Redis is away or hangs, and used again afterwards', async () => {
      await using proxy = await startTcpProxy(redis.url);
      await using app = await startApp(proxy.url);
      await app.register(email);
      const { accessToken } = await app.logIn(email);
      const me = async () => (await app.get('/api/auth/me', accessToken)).statusCode;
      expect(await me()).toBe(200);
      proxy.hang();
      expect(await me()).toBe(200);
      await proxy.cut();
      expect(await me()).toBe(200);
      const ready = await app.get('/ready');
      expect([ready.statusCode, ready.json()]).toMatchObject([
        200,
        { status: 'degraded', dependencies: { database: { state: 'up' }, redis: { state: 'down' } } },
      ]);
      await proxy.restore();
      await until(() => redisIs(app, 'up'));
      expect(await me()).toBe(200);
      expect(await me()).toBe(200);
      expect((await app.get('/metrics')).body).toMatch(/cache_reads_total\{route="me",result="hit"\} [1-9]/);
    });

    test('forgets at last what was written while Redis was away', async () => {
      await using proxy = await startTcpProxy(redis.url);
      await using app = await startApp(proxy.url);
      await app.register(email);
      const { accessToken } = await app.logIn(email);
      await app.get('/api/auth/me', accessToken);
      await proxy.cut();
      const token = app.outbox.find(({ to }) => to === email)?.token;
      expect((await app.post('/api/auth/verify-email', { token })).statusCode).toBe(200);
      await proxy.restore();
      await until(async () => (await app.get('/api/auth/me', accessToken)).json().user.emailVerifiedAt !== null);
      await until(() => redisIs(app, 'up'));
      await until(async () => {
        const { user } = (await app.get('/api/auth/me', accessToken)).json();
        const hits = /cache_reads_total\{route="me",result="hit"\} [1-9]/.test((await app.get('/metrics')).body);
        return hits && user.emailVerifiedAt !== null;
      });
    });
  });
});
