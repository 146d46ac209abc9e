import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { password, startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';
import { until } from './processes.ts';

let databaseUrl: string;
let app: TestApp;

beforeAll(async () => {
  databaseUrl = await newDatabase();
  app = await startTestApp(testConfig(databaseUrl));
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

async function mailedToken(to: string, purpose: string): Promise<string> {
  const find = () => app.outbox.findLast((mail) => mail.to === to && mail.purpose === purpose);
  await until(() => find() !== undefined);
  return find()?.token ?? '';
}

describe('verifying an e-mail address', () => {
  test('takes the token that was mailed, once', async () => {
    await app.register('verify@example.com');
    const token = await mailedToken('verify@example.com', 'verify-email');
    const { accessToken } = await app.logIn('verify@example.com');
    const verify = () => app.post('/api/auth/verify-email', { token });
    expect((await verify()).statusCode).toBe(200);
    expect((await app.get('/api/auth/me', accessToken)).json().user.emailVerifiedAt).toEqual(expect.any(String));
    expect([(await verify()).statusCode, (await verify()).json().code]).toEqual([404, 'TOKEN_INVALID']);
  });

  test('takes neither a token for another purpose nor an expired one', async () => {
    await app.register('purpose@example.com');
    const token = await mailedToken('purpose@example.com', 'verify-email');
    expect((await app.post('/api/auth/reset-password', { token, password })).statusCode).toBe(404);
    await query(databaseUrl, `update mailed_tokens set expires_at = now() - interval '1 s'`);
    expect((await app.post('/api/auth/verify-email', { token })).statusCode).toBe(404);
  });
});

describe('a forgotten password', () => {
  test('answers the same whether the address is known or not, and mails only the known one', async () => {
    await app.register('forgetful@example.com');
    const known = await app.post('/api/auth/forgot-password', { email: 'Forgetful@example.com' });
    const unknown = await app.post('/api/auth/forgot-password', { email: 'unknown@example.com' });
    expect(known.statusCode).toBe(200);
    expect([unknown.statusCode, unknown.body]).toEqual([known.statusCode, known.body]);
    await mailedToken('forgetful@example.com', 'reset-password');
    expect(app.outbox.some(({ to }) => to === 'unknown@example.com')).toBe(false);
  });

  test('is replaced once, ends every session and spends the other reset tokens', async () => {
    const email = 'reset@example.com';
    await app.register(email);
    const session = await app.logIn(email);
    await app.post('/api/auth/forgot-password', { email });
    const first = await mailedToken(email, 'reset-password');
    await app.post('/api/auth/forgot-password', { email });
    await until(async () => (await mailedToken(email, 'reset-password')) !== first);
    const second = await mailedToken(email, 'reset-password');

    const reset = (token: string) => app.post('/api/auth/reset-password', { token, password: 'another long password' });
    expect((await reset(second)).statusCode).toBe(200);
    expect((await app.get('/api/auth/me', session.accessToken)).statusCode).toBe(401);
    const { refreshToken } = session;
    expect((await app.send({ method: 'POST', url: '/api/auth/refresh', cookies: { refreshToken } })).statusCode).toBe(
      401,
    );
    expect((await app.post('/api/auth/login', { email, password })).statusCode).toBe(401);
    expect((await app.post('/api/auth/login', { email, password: 'another long password' })).statusCode).toBe(200);
    expect((await reset(second)).statusCode).toBe(404);
    expect((await reset(first)).statusCode).toBe(404);
  });

  test('used at the same moment twice is replaced once', async () => {
    const email = 'race@example.com';
    await app.register(email);
    await app.post('/api/auth/forgot-password', { email });
    const token = await mailedToken(email, 'reset-password');
    const answers = await Promise.all(
      ['first password of two', 'second password of two'].map((text) =>
        app.post('/api/auth/reset-password', { token, password: text }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 404]);
  });

  test('refuses a login that had verified the old password when it was changed', async () => {
    const email = 'outlive@example.com';
    await app.register(email);
    const holder = new pg.Client({ connectionString: databaseUrl });
    await holder.connect();
    await holder.query('begin; lock table sessions in share mode');
    const login = app.post('/api/auth/login', { email, password });
    try {
      const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%into sessions%'`;
      await until(async () => (await query(databaseUrl, waiting)).rowCount === 1);
      await query(databaseUrl, `update users set password_hash = 'another' where email = $1`, [email]);
    } finally {
      await holder.end();
    }
    expect((await login).statusCode).toBe(401);
  });

  test('mails tokens that are stored as hashes only', async () => {
    const { rows } = await query(databaseUrl, `select encode(token_hash, 'base64') as hash from mailed_tokens`);
    const stored = rows.map(({ hash }) => hash);
    expect(stored).not.toEqual([]);
    expect(app.outbox).not.toEqual([]);
    for (const { token } of app.outbox) {
      for (const encoding of ['utf8', 'base64url'] as const) {
        expect(stored).not.toContain(Buffer.from(token, encoding).toString('base64'));
      }
      expect(app.logLines.join('')).not.toContain(token);
    }
  });
});
