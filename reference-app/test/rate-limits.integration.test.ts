import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Environment } from '../config.ts';
import { bearer, password, startTestApp, testConfig } from './app.ts';
import { newDatabase } from './postgres.ts';
import { lacks } from './programs.ts';
import { startTestRedis, type TestServer } from './servers.ts';

let databaseUrl: string;

beforeAll(async () => {
  databaseUrl = await newDatabase();
  await using app = await startTestApp(testConfig(databaseUrl));
  for (const email of ['a@example.com', 'b@example.com']) await app.register(email);
});

const allOff = {
  RATE_LIMIT_GENERAL: 'off',
  RATE_LIMIT_AUTH: 'off',
  RATE_LIMIT_SIGNED_IN: 'off',
  RATE_LIMIT_NOT_SIGNED_IN: 'off',
  RATE_LIMIT_EMAIL: 'off',
};

function limits(storeOptions: Environment) {
  const start = async (environment: Environment) => {
    const app = await startTestApp(
      testConfig(databaseUrl, {
        RATE_LIMIT: 'on',
        TRUST_PROXY: 'loopback',
        ...storeOptions,
        ...allOff,
        ...environment,
      }),
    );
    const from = (ip: string) => ({ 'x-forwarded-for': ip });
    const logIn = (ip: string, email: string, text: string) =>
      app.post('/api/auth/login', { email, password: text }, from(ip));
    return { ...app, from, logIn };
  };
  const statuses = async (times: number, send: () => Promise<{ statusCode: number }>) => {
    const all: number[] = [];
    for (let time = 0; time < times; time += 1) all.push((await send()).statusCode);
    return all;
  };

  test('100 requests in 15 minutes per address, then 429 with Retry-After', async () => {
    await using app = await start({ RATE_LIMIT_GENERAL: '100/15m' });
    const ask = (ip: string) => app.send({ url: '/api/auth/me', headers: app.from(ip) });
    expect(await statuses(100, () => ask('192.0.2.1'))).toEqual(Array(100).fill(401));
    const refused = await ask('192.0.2.1');
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({ success: false, code: 'TOO_MANY_REQUESTS' });
    const retryAfterS = Number(refused.headers['retry-after']);
    expect(retryAfterS).toBeGreaterThan(800);
    expect(retryAfterS).toBeLessThanOrEqual(900);
    expect((await ask('192.0.2.2')).statusCode).toBe(401);
    expect((await app.send({ url: '/health', headers: app.from('192.0.2.1') })).statusCode).toBe(200);
  });

  test('5 failures in 15 minutes on authentication, and successes do not count', async () => {
    await using app = await start({ RATE_LIMIT_AUTH: '5/15m' });
    expect(await statuses(8, () => app.logIn('192.0.2.3', 'a@example.com', password))).toEqual(Array(8).fill(200));
    expect(await statuses(6, () => app.logIn('192.0.2.3', 'a@example.com', 'wrong'))).toEqual([
      401, 401, 401, 401, 401, 429,
    ]);
    expect((await app.logIn('192.0.2.3', 'a@example.com', password)).statusCode).toBe(429);
    expect((await app.logIn('192.0.2.4', 'a@example.com', password)).statusCode).toBe(200);
  });

  test('many guesses at the same moment do not slip through', async () => {
    await using app = await start({ RATE_LIMIT_AUTH: '5/15m' });
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => app.logIn('192.0.2.5', 'a@example.com', 'wrong')),
    );
    expect(answers.filter(({ statusCode }) => statusCode === 401)).toHaveLength(5);
    expect(answers.filter(({ statusCode }) => statusCode === 429)).toHaveLength(35);
  });

  test('100 a minute signed in, per user, and 20 not, per address', async () => {
    await using app = await start({ RATE_LIMIT_SIGNED_IN: '100/1m', RATE_LIMIT_NOT_SIGNED_IN: '20/1m' });
    const { accessToken } = (await app.logIn('192.0.2.6', 'a@example.com', password)).json();
    const other = (await app.logIn('192.0.2.6', 'b@example.com', password)).json();
    const me = (ip: string, headers: object) =>
      app.send({ url: '/api/auth/me', headers: { ...app.from(ip), ...headers } });
    expect(await statuses(101, () => me('192.0.2.7', bearer(accessToken)))).toEqual([...Array(100).fill(200), 429]);
    expect((await me('192.0.2.8', bearer(accessToken))).statusCode, 'from elsewhere').toBe(429);
    expect((await me('192.0.2.7', bearer(other.accessToken))).statusCode, 'another user').toBe(200);
    expect(await statuses(21, () => me('192.0.2.9', {}))).toEqual([...Array(20).fill(401), 429]);
    expect((await me('192.0.2.9', bearer('forged.token.here'))).statusCode, 'a forged token').toBe(429);
  });

  test('per e-mail address on login, register and forgotten password, from wherever it comes', async () => {
    await using app = await start({ RATE_LIMIT_EMAIL: '3/15m' });
    let host = 10;
    const anywhere = () => {
      host += 1;
      return `198.51.100.${host}`;
    };
    const email = 'Victim@example.com';
    expect(await statuses(4, () => app.logIn(anywhere(), email, 'wrong'))).toEqual([401, 401, 401, 429]);
    expect((await app.logIn(anywhere(), 'VICTIM@example.com', 'wrong')).statusCode).toBe(429);
    const register = () =>
      app.post('/api/auth/register', { email: 'b@example.com', password, name: 'B' }, app.from(anywhere()));
    expect(await statuses(4, register)).toEqual([409, 409, 409, 429]);
    const forget = () => app.post('/api/auth/forgot-password', { email: 'a@example.com' }, app.from(anywhere()));
    expect(await statuses(4, forget)).toEqual([200, 200, 200, 429]);
  });

  test('forgotten passwords count although they succeed', async () => {
    await using app = await start({ RATE_LIMIT_AUTH: '5/15m' });
    let name = 0;
    const forget = () => {
      name += 1;
      return app.post('/api/auth/forgot-password', { email: `x${name}@example.com` }, app.from('192.0.2.10'));
    };
    expect(await statuses(6, forget)).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test('a window that is over counts from nothing', async () => {
    await using app = await start({ RATE_LIMIT_NOT_SIGNED_IN: '2/1s' });
    const ask = () => app.send({ url: '/api/auth/me', headers: app.from('192.0.2.11') });
    await statuses(2, ask);
    const refused = await ask();
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
    await expect.poll(async () => (await ask()).statusCode, { timeout: 10_000 }).toBe(401);
  });

  test('RATE_LIMIT=off turns all off', async () => {
    await using app = await start({ RATE_LIMIT: 'off', RATE_LIMIT_GENERAL: '1/1h', RATE_LIMIT_AUTH: '1/1h' });
    expect(await statuses(5, () => app.logIn('192.0.2.12', 'a@example.com', 'wrong'))).toEqual(Array(5).fill(401));
  });
}

describe('counted in memory', () => limits({ RATE_LIMIT_STORE: 'memory' }));

describe.skipIf(lacks('redis'))('counted in Redis (needs redis)', () => {
  let redis: TestServer;
  // A busy machine must not look like a Redis that is away.
  const store: Record<string, string> = {
    RATE_LIMIT_STORE: 'redis',
    BLACKLIST_STORE: 'database',
    REDIS_TIMEOUT_MS: '5000',
  };

  beforeEach(async () => {
    redis = await startTestRedis();
    store.REDIS_URL = redis.url;
    return () => redis[Symbol.asyncDispose]();
  });

  limits(store);

  test('one count for all instances', async () => {
    const environment = { ...store, ...allOff, RATE_LIMIT: 'on', RATE_LIMIT_NOT_SIGNED_IN: '3/1m' };
    await using first = await startTestApp(testConfig(databaseUrl, environment));
    await using second = await startTestApp(testConfig(databaseUrl, environment));
    await first.get('/api/auth/me');
    await second.get('/api/auth/me');
    await first.get('/api/auth/me');
    expect((await second.get('/api/auth/me')).statusCode).toBe(429);
  });

  test('without Redis nobody is refused', async () => {
    const environment = { ...store, ...allOff, RATE_LIMIT: 'on', RATE_LIMIT_NOT_SIGNED_IN: '1/1m' };
    await using app = await startTestApp(testConfig(databaseUrl, environment));
    await app.get('/api/auth/me');
    expect((await app.get('/api/auth/me')).statusCode).toBe(429);
    await redis[Symbol.asyncDispose]();
    expect((await app.get('/api/auth/me')).statusCode).toBe(401);
    redis = await startTestRedis(redis.port);
  });
});

test('a limit holds however the address of the route is written', async () => {
  const environment = { ...allOff, RATE_LIMIT: 'on', RATE_LIMIT_AUTH: '2/1m' };
  for (const url of ['/%61pi/auth/me', '/api/%61uth/me', '/api/auth/%6de', 'http://127.0.0.1/api/auth/me']) {
    await using app = await startTestApp(testConfig(databaseUrl, environment));
    const statuses = [await app.get(url), await app.get(url), await app.get(url)].map(({ statusCode }) => statusCode);
    expect([url, statuses]).toEqual([url, [401, 401, 429]]);
  }
});

test('a forwarded address counts only when it comes from a trusted proxy', async () => {
  const environment = { ...allOff, RATE_LIMIT: 'on', RATE_LIMIT_NOT_SIGNED_IN: '2/1m' };
  await using app = await startTestApp(testConfig(databaseUrl, environment));
  const ask = (ip: string) => app.send({ url: '/api/auth/me', headers: { 'x-forwarded-for': ip } });
  await ask('192.0.2.1');
  await ask('192.0.2.2');
  expect((await ask('192.0.2.3')).statusCode).toBe(429);
});
