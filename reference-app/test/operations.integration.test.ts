import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { password, startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';
import { until } from './processes.ts';
import { startTcpProxy } from './tcp-proxy.ts';

let databaseUrl: string;
let app: TestApp;

beforeAll(async () => {
  databaseUrl = await newDatabase();
  app = await startTestApp(testConfig(databaseUrl));
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

describe('/health and /ready', () => {
  test('tell that the app is alive and its database there', async () => {
    expect((await app.get('/health')).json()).toEqual({ status: 'ok' });
    const ready = await app.get('/ready');
    expect([ready.statusCode, ready.json()]).toEqual([
      200,
      { status: 'ready', dependencies: { database: { state: 'up', latencyMs: expect.any(Number) } } },
    ]);
  });

  test('tell when the database is gone, and the app recovers by itself when it returns', async () => {
    await using proxy = await startTcpProxy(databaseUrl);
    await using behind = await startTestApp(testConfig(proxy.url, { DATABASE_CONNECT_TIMEOUT_MS: '1000' }));
    await behind.register('ready@example.com');
    await proxy.cut();
    const gone = await behind.get('/ready');
    expect([gone.statusCode, gone.json()]).toMatchObject([
      503,
      { status: 'not-ready', dependencies: { database: { state: 'down', reason: expect.any(String) } } },
    ]);
    expect(gone.body).not.toMatch(/127\.0\.0\.1|postgres|test_/);
    expect((await behind.get('/health')).statusCode).toBe(200);
    const login = () => behind.post('/api/auth/login', { email: 'ready@example.com', password });
    const refused = await login();
    expect([refused.statusCode, refused.json().code, refused.headers['retry-after']]).toEqual([
      503,
      'DATABASE_UNAVAILABLE',
      '1',
    ]);
    await proxy.restore();
    expect((await behind.get('/ready')).statusCode).toBe(200);
    expect((await login()).statusCode).toBe(200);
  });

  test('answer in bounded time when the database swallows everything', async () => {
    await using proxy = await startTcpProxy(databaseUrl);
    await using behind = await startTestApp(testConfig(proxy.url));
    const checking = behind.get('/ready');
    proxy.hang();
    const answer = await Promise.race([checking, until(() => false).catch(() => undefined)]);
    expect(answer?.statusCode).toBeOneOf([200, 503]);
  });

  test('look at the reader as well, without which the app serves all the same', async () => {
    await using proxy = await startTcpProxy(databaseUrl);
    await using both = await startTestApp(testConfig(databaseUrl, { DATABASE_READER_URL: proxy.url }));
    await proxy.cut();
    const ready = await both.get('/ready');
    expect([ready.statusCode, ready.json()]).toMatchObject([
      200,
      { status: 'degraded', dependencies: { database: { state: 'up' }, databaseReader: { state: 'down' } } },
    ]);
  });
});

describe('the database pools', () => {
  test('send reads that may be old to the reader, and others to the writer', async () => {
    const readerUrl = await newDatabase();
    await using apart = await startTestApp(testConfig(databaseUrl, { DATABASE_READER_URL: readerUrl }));
    await apart.register('split@example.com');
    const { accessToken, userId } = await apart.logIn('split@example.com');
    const unseen = await apart.get('/api/auth/me', accessToken);
    expect(unseen.json().user.name, 'not replicated yet').toBe('Test Person');
    await query(
      readerUrl,
      `insert into users (id, email, password_hash, name) values ($1, 'replica@example.com', '', 'Replica')`,
      [userId],
    );
    expect((await apart.get('/api/auth/me', accessToken)).json().user.name).toBe('Replica');
    const metrics = (await apart.get('/metrics')).body;
    for (const pool of ['writer', 'reader']) expect(metrics).toContain(`db_pool_size{pool="${pool}"}`);
  });

  test('make requests wait for a connection no longer than the option says', async () => {
    await using small = await startTestApp(
      testConfig(databaseUrl, { DATABASE_POOL_MAX: '1', DATABASE_CONNECT_TIMEOUT_MS: '300' }),
    );
    await small.register('pool@example.com');
    const { accessToken, userId } = await small.logIn('pool@example.com');
    const holder = new pg.Client({ connectionString: databaseUrl });
    await holder.connect();
    await holder.query('begin; lock table users in access exclusive mode');
    const me = () => small.get(`/api/users/${userId}`, accessToken);
    const answers = [me(), me(), me()];
    await until(async () => /db_pool_waiting\{pool="writer"\} 2/.test((await small.get('/metrics')).body));
    const late = await Promise.race(answers);
    expect([late.statusCode, late.json().code]).toEqual([503, 'DATABASE_UNAVAILABLE']);
    await holder.query('rollback');
    await holder.end();
    expect((await Promise.all(answers)).map(({ statusCode }) => statusCode).sort()).toEqual([200, 503, 503]);
  });

  test('end a statement that takes longer than the option says', async () => {
    await using strict = await startTestApp(testConfig(databaseUrl, { DATABASE_STATEMENT_TIMEOUT_MS: '200' }));
    await strict.register('slow@example.com');
    const { accessToken } = await strict.logIn('slow@example.com');
    const holder = new pg.Client({ connectionString: databaseUrl });
    await holder.connect();
    await holder.query('begin; lock table users in access exclusive mode');
    expect((await strict.get('/api/auth/me', accessToken)).statusCode).toBe(503);
    await holder.query('rollback');
    await holder.end();
    expect((await strict.get('/api/auth/me', accessToken)).statusCode).toBe(200);
  });

  test('give up a statement soon after that, when the server says nothing at all', async () => {
    await using proxy = await startTcpProxy(databaseUrl);
    await using strict = await startTestApp(
      testConfig(proxy.url, { DATABASE_STATEMENT_TIMEOUT_MS: '200', DATABASE_POOL_MAX: '1' }),
    );
    await strict.register('silent@example.com');
    const { accessToken } = await strict.logIn('silent@example.com');
    proxy.hang();
    const answer = await strict.get('/api/auth/me', accessToken);
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'DATABASE_UNAVAILABLE']);
    expect((await strict.get('/api/auth/me', accessToken)).statusCode, 'on a new connection').toBe(200);
  });
});

describe('password hashes', () => {
  test('wait in a queue of bounded length, and are counted', async () => {
    await using busy = await startTestApp(
      testConfig(databaseUrl, { BCRYPT_COST: '10', PASSWORD_HASH_CONCURRENCY: '1', PASSWORD_HASH_QUEUE_MAX: '2' }),
    );
    const answers = Array.from({ length: 6 }, (_, index) => busy.register(`busy${index}@example.com`));
    await until(async () => /password_hash_queue_length 2\n/.test((await busy.get('/metrics')).body));
    expect((await busy.get('/metrics')).body).toMatch(/password_hash_in_use 1\n/);
    const statuses = (await Promise.all(answers)).map(({ statusCode }) => statusCode).sort();
    expect(statuses).toEqual([201, 201, 201, 503, 503, 503]);
    const metrics = (await busy.get('/metrics')).body;
    expect(metrics).toMatch(/password_hash_in_use 0\n/);
    expect(metrics).toMatch(/password_hash_queue_length 0\n/);
    expect(metrics).toMatch(/password_hash_refused_total 3\n/);
    expect(metrics).toMatch(/password_hash_wait_seconds_count 3\n/);
  });
});

describe('/metrics', () => {
  test('times requests by method, route and status, with the pattern of the route', async () => {
    await app.get('/api/users/4711');
    await app.get('/no/such/address/1');
    await app.get('/no/such/address/2');
    const answer = await app.get('/metrics');
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.body).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/api\/users\/:id",status_code="401"\} 1/,
    );
    expect(answer.body).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="unmatched",status_code="404"\} 2/,
    );
    expect(answer.body).not.toMatch(/users\/4711|no\/such/);
    expect(answer.body).toMatch(/http_request_duration_seconds_bucket\{le="0\.2",/);
  });

  test.each([
    'db_pool_size{pool="writer"}',
    'db_pool_idle{pool="writer"}',
    'db_pool_in_use{pool="writer"}',
    'db_pool_waiting{pool="writer"}',
    'db_pool_max{pool="writer"} 10',
    'nodejs_eventloop_lag_p99_seconds',
    'process_cpu_seconds_total',
    'password_hash_queue_length',
    'password_hash_in_use',
    'password_hash_wait_seconds_bucket',
    '# TYPE cache_reads_total counter',
    '# TYPE rate_limited_requests_total counter',
  ])('has %s', async (name) => {
    expect((await app.get('/metrics')).body).toContain(name);
  });
});

describe('the log', () => {
  test('is JSON with the id of the request, and no secrets at any level', async () => {
    await using talkative = await startTestApp(testConfig(databaseUrl, { LOG_LEVEL: 'trace' }));
    await talkative.register('logged@example.com');
    const { accessToken, refreshToken } = await talkative.logIn('logged@example.com');
    await talkative.get('/api/auth/me', accessToken);
    await talkative.send({ method: 'POST', url: '/api/auth/refresh', cookies: { refreshToken } });
    await talkative.post('/api/auth/login', { email: 'logged@example.com', password: 'a wrong password' });
    const answer = await talkative.post('/api/auth/forgot-password', { email: 'logged@example.com' });
    await until(() => talkative.outbox.length === 2);
    const lines = talkative.logLines.map((line) => JSON.parse(line));
    expect(lines.filter(({ reqId }) => reqId === answer.headers['x-request-id']).length).toBeGreaterThan(0);
    const text = talkative.logLines.join('');
    const secrets = [password, 'a wrong password', accessToken, refreshToken, 'logged@example.com', databaseUrl];
    for (const secret of [...secrets, ...talkative.outbox.map(({ token }) => token)])
      expect(text).not.toContain(secret);
  });

  test('has the stack of an unexpected failure, and the answer has not', async () => {
    const broken = await newDatabase();
    await using failing = await startTestApp(testConfig(broken));
    await query(broken, 'alter table users rename column name to other_name');
    const answer = await failing.post('/api/auth/login', { email: 'a@example.com', password });
    expect([answer.statusCode, answer.json()]).toEqual([
      500,
      { success: false, message: 'Something went wrong on our side.', code: 'INTERNAL_ERROR' },
    ]);
    expect(failing.logLines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ level: 50, err: expect.objectContaining({ stack: expect.any(String) }) }),
    );
  });

  test('has no row of the database, which PostgreSQL puts into some of its errors', async () => {
    const broken = await newDatabase();
    await using failing = await startTestApp(testConfig(broken));
    await query(broken, 'alter table users add constraint unforeseen check (false)');
    expect((await failing.register('in-a-row@example.com')).statusCode).toBe(500);
    const log = failing.logLines.join('');
    expect(log).toContain('unforeseen');
    expect(log).not.toMatch(/in-a-row@example\.com|\$2[aby]\$/);
  });
});
