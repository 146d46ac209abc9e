import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { removeExpired } from '../repositories/mailed-tokens.ts';
import { bearer, startTestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';
import { until } from './processes.ts';

let databaseUrl: string;

beforeAll(async () => {
  databaseUrl = await newDatabase();
});

const counts = async () =>
  (
    await query(
      databaseUrl,
      `select (select count(*)::int from sessions) as sessions,
        (select count(*)::int from refresh_tokens) as "refreshTokens",
        (select count(*)::int from revoked_tokens) as "revokedTokens",
        (select count(*)::int from mailed_tokens) as "mailedTokens"`,
    )
  ).rows[0];

test('what has expired is removed again and again, and nothing else', async () => {
  await using app = await startTestApp(testConfig(databaseUrl, { CLEANUP_INTERVAL_S: '1' }));
  await app.register('cleaned@example.com');
  const kept = await app.logIn('cleaned@example.com');
  const ended = await app.logIn('cleaned@example.com');
  await app.logIn('cleaned@example.com');
  await app.send({ method: 'POST', url: '/api/auth/logout', headers: bearer(ended.accessToken) });
  await until(async () => (await counts()).mailedTokens === 1);
  expect(await counts()).toEqual({ sessions: 3, refreshTokens: 3, revokedTokens: 2, mailedTokens: 1 });

  await query(databaseUrl, `insert into revoked_tokens values ('old', now() - interval '1 s')`);
  await query(
    databaseUrl,
    `update sessions set expires_at = now() - interval '1 s'
      where id = (select id from sessions order by created_at desc limit 1)`,
  );
  await app.app.listen({ host: '127.0.0.1', port: 0 });
  await until(async () => (await counts()).sessions === 2 && (await counts()).revokedTokens === 2);
  expect(await counts()).toEqual({ sessions: 2, refreshTokens: 2, revokedTokens: 2, mailedTokens: 1 });
  expect((await app.get('/api/auth/me', kept.accessToken)).statusCode).toBe(200);
  expect((await app.get('/api/auth/me', ended.accessToken)).json().code).toBe('TOKEN_REVOKED');

  await query(databaseUrl, `update mailed_tokens set expires_at = now() - interval '1 s'`);
  await until(async () => (await counts()).mailedTokens === 0);
});

test('more than fits into one statement is removed at once', async () => {
  await query(
    databaseUrl,
    `insert into revoked_tokens select 'old ' || n, now() - interval '1 s' from generate_series(1, 12000) n`,
  );
  const pool = new pg.Pool({ connectionString: databaseUrl });
  await removeExpired({ writer: pool });
  await pool.end();
  const { rows } = await query(
    databaseUrl,
    `select count(*)::int as left from revoked_tokens where token_id like 'old%'`,
  );
  expect(rows).toEqual([{ left: 0 }]);
});
