import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { removeExpired } from '../repositories/mailed-tokens.ts';
import { startTestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';
import { until } from './processes.ts';
import { lacks } from './programs.ts';
import { startTestPgbouncer } from './servers.ts';
import { useEverything } from './use-everything.ts';

describe.skipIf(lacks('pgbouncer'))('behind a pooler in transaction mode (needs pgbouncer)', () => {
  let databaseUrl: string;

  beforeAll(async () => {
    databaseUrl = await newDatabase();
  });

  const startApp = (url: string, environment = {}) =>
    startTestApp(testConfig(url, { DATABASE_PREPARED_STATEMENTS: 'off', ...environment }));

  /** Where nothing else may happen meanwhile. */
  async function withLockedUsers(use: () => Promise<void>): Promise<void> {
    const holder = new pg.Client({ connectionString: databaseUrl });
    await holder.connect();
    try {
      await holder.query('begin; lock table users in access exclusive mode');
      await use();
    } finally {
      await holder.end();
    }
  }

  const waitingForLock = async () =>
    (await query(databaseUrl, `select 1 from pg_stat_activity where wait_event_type = 'Lock'`)).rowCount;

  test('everything works without named statements, over far fewer connections than the app has', async () => {
    await using pooler = await startTestPgbouncer(databaseUrl, { default_pool_size: 2, max_db_connections: 2 });
    await using app = await startApp(pooler.url, { DATABASE_POOL_MAX: '10', DATABASE_STATEMENT_TIMEOUT_MS: '60000' });
    await Promise.all(Array.from({ length: 8 }, (_, number) => useEverything(app, `pooled${number}@example.com`)));
    const pool = new pg.Pool({ connectionString: pooler.url });
    await removeExpired({ writer: pool });
    await pool.end();
    const metrics = (await app.get('/metrics')).body;
    expect(Number(/db_pool_size\{pool="writer"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(2);
    const { rows } = await query(
      databaseUrl,
      `select count(*)::int as connections from pg_stat_activity where application_name = 'reference-app writer'`,
    );
    expect(rows[0].connections).toBeLessThanOrEqual(2);
    const warnings = app.logLines.filter((line) => line.includes('DATABASE_STATEMENT_TIMEOUT_MS'));
    expect(warnings, 'once, that the pooler does not pass it on').toHaveLength(1);
  });

  test('a statement without an answer is given up, though the pooler passes no timeout on', async () => {
    await using pooler = await startTestPgbouncer(databaseUrl);
    await using app = await startApp(pooler.url, { DATABASE_QUERY_TIMEOUT_MS: '300' });
    await app.register('given-up@example.com');
    const { accessToken } = await app.logIn('given-up@example.com');
    await withLockedUsers(async () => {
      const answer = await app.get('/api/auth/me', accessToken);
      expect([answer.statusCode, answer.json().code]).toEqual([503, 'DATABASE_UNAVAILABLE']);
    });
    expect((await app.get('/api/auth/me', accessToken)).statusCode).toBe(200);
  });

  test('the server ends slow statements by the timeout of the role', async () => {
    await query(databaseUrl, `alter role current_user set statement_timeout = '300ms'`);
    try {
      await using pooler = await startTestPgbouncer(databaseUrl);
      await using app = await startApp(pooler.url, { DATABASE_QUERY_TIMEOUT_MS: '30000' });
      await app.register('role@example.com');
      const { accessToken } = await app.logIn('role@example.com');
      await withLockedUsers(async () => {
        expect((await app.get('/api/auth/me', accessToken)).statusCode).toBe(503);
        await until(async () => (await waitingForLock()) === 0);
      });
    } finally {
      await query(databaseUrl, 'alter role current_user reset statement_timeout');
    }
  });
});
