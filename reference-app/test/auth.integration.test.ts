import { hash } from '@node-rs/bcrypt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { password, startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';

let databaseUrl: string;
let app: TestApp;

beforeAll(async () => {
  databaseUrl = await newDatabase();
  app = await startTestApp(testConfig(databaseUrl));
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

describe('register', () => {
  test('makes a user whose password can log in, whatever the case of the e-mail', async () => {
    const answer = await app.register('New.Person@Example.com');
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({
      success: true,
      user: { email: 'new.person@example.com', name: 'Test Person', role: 'user', emailVerifiedAt: null },
    });
    const login = await app.post('/api/auth/login', { email: 'NEW.person@example.COM', password });
    expect(login.statusCode).toBe(200);
    expect(login.json()).toEqual({
      success: true,
      user: answer.json().user,
      accessToken: expect.any(String),
      expiresInS: 900,
    });
  });

  test('ignores a role, an id and whatever else a body slips in', async () => {
    const answer = await app.post('/api/auth/register', {
      email: 'climber@example.com',
      password,
      name: 'Climber',
      role: 'admin',
      id: 4711,
      emailVerifiedAt: '2020-01-01T00:00:00Z',
      email_verified_at: '2020-01-01T00:00:00Z',
      passwordHash: 'x',
    });
    expect(answer.statusCode).toBe(201);
    expect(answer.json().user).toMatchObject({ role: 'user', emailVerifiedAt: null });
    expect(answer.json().user.id).not.toBe(4711);
    const { accessToken } = await app.logIn('climber@example.com');
    expect((await app.get('/api/users', accessToken)).statusCode).toBe(403);
  });

  test('refuses an e-mail that is taken, also of two at once', async () => {
    const both = await Promise.all([app.register('twice@example.com'), app.register('TWICE@example.com')]);
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409]);
    expect((await app.register('twice@example.com')).json()).toMatchObject({ success: false, code: 'EMAIL_TAKEN' });
  });

  test('names all problems of a body at once, and takes nothing for what it is not', async () => {
    const answer = await app.post('/api/auth/register', { email: 'no address', password: 12345678, name: null });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ success: false, code: 'INVALID_REQUEST' });
    expect(answer.json().problems.join('\n')).toMatch(/email.*[\s\S]*password.*[\s\S]*name/);
  });

  test('refuses a password that bcrypt would cut', async () => {
    const long = 'ü'.repeat(40);
    const answer = await app.post('/api/auth/register', { email: 'long@example.com', password: long, name: 'Long' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().message).toContain('72 bytes');
  });

  test.each(['abcdefgh\0abcdefgh', '\0'.repeat(9), 'a long password\0', '\ud800 a lone half of a letter'])(
    'refuses a password that bcrypt would take for another one: %j',
    async (chosen) => {
      const answer = await app.post('/api/auth/register', {
        email: 'same@example.com',
        password: chosen,
        name: 'Same',
      });
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'INVALID_REQUEST']);
      const reset = await app.post('/api/auth/reset-password', { token: 't'.repeat(43), password: chosen });
      expect([reset.statusCode, reset.json().code]).toEqual([400, 'INVALID_REQUEST']);
    },
  );

  test('stores the password as a bcrypt hash of the configured cost', async () => {
    await app.register('hashed@example.com');
    const { rows } = await query(databaseUrl, `select password_hash from users where email = 'hashed@example.com'`);
    expect(rows[0].password_hash).toMatch(/^\$2[by]\$04\$/);
  });
});

describe('login', () => {
  test('answers the same for an unknown e-mail and a wrong password', async () => {
    await app.register('known@example.com');
    const wrong = await app.post('/api/auth/login', { email: 'known@example.com', password: 'not the password' });
    const unknown = await app.post('/api/auth/login', { email: 'nobody@example.com', password: 'not the password' });
    expect(wrong.statusCode).toBe(401);
    expect(unknown.statusCode).toBe(wrong.statusCode);
    expect(unknown.body).toBe(wrong.body);
    const names = (headers: object) => Object.keys(headers).sort();
    expect(names(unknown.headers)).toEqual(names(wrong.headers));
  });

  test('does not accept a longer password that begins with the right one', async () => {
    const exact = 'p'.repeat(72);
    await app.post('/api/auth/register', { email: 'exact@example.com', password: exact, name: 'Exact' });
    const logIn = (text: string) => app.post('/api/auth/login', { email: 'exact@example.com', password: text });
    expect((await logIn(exact)).statusCode).toBe(200);
    expect((await logIn(`${exact}x`)).statusCode).toBe(401);
  });

  test.each([
    ['abcdefgh', 'abcdefgh\0abcdefgh'],
    ['\0'.repeat(8), '\0'.repeat(9)],
    ['\0'.repeat(8), '\0'.repeat(8)],
    ['\ud800 is half a letter', '\udfff is half a letter'],
  ])('to an account of %j is not possible with %j', async (stored, tried) => {
    const email = 'repeated@example.com';
    await app.register(email);
    const storedHash = await hash(stored, 4);
    await query(databaseUrl, 'update users set password_hash = $1 where email = $2', [storedHash, email]);
    const answer = await app.post('/api/auth/login', { email, password: tried });
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'INVALID_CREDENTIALS']);
  });

  test('sets cookies no script and no other site can use', async () => {
    await app.register('cookies@example.com');
    const answer = await app.post('/api/auth/login', { email: 'cookies@example.com', password });
    const cookies = Object.fromEntries(answer.cookies.map(({ name, value, ...attributes }) => [name, attributes]));
    expect(cookies).toEqual({
      accessToken: { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: 900 },
      refreshToken: { httpOnly: true, sameSite: 'Strict', path: '/api/auth', maxAge: 2_592_000 },
    });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('sends its cookies over HTTPS only in production', async () => {
    await using production = await startTestApp(testConfig(databaseUrl, { NODE_ENV: 'production' }));
    await production.register('secure@example.com');
    const answer = await production.post('/api/auth/login', { email: 'secure@example.com', password });
    expect(answer.cookies.map(({ secure }) => secure)).toEqual([true, true]);
    expect(answer.headers['strict-transport-security']).toBeDefined();
  });
});

describe('users', () => {
  test('see themselves and nobody else', async () => {
    await app.register('one@example.com');
    await app.register('other@example.com');
    const one = await app.logIn('one@example.com');
    const other = await app.logIn('other@example.com');
    expect((await app.get('/api/auth/me', one.accessToken)).json().user.email).toBe('one@example.com');
    expect((await app.get(`/api/users/${one.userId}`, one.accessToken)).json().user.email).toBe('one@example.com');
    const foreign = await app.get(`/api/users/${other.userId}`, one.accessToken);
    const missing = await app.get('/api/users/999999999', one.accessToken);
    expect(foreign.statusCode).toBe(403);
    expect(missing.body).toBe(foreign.body);
    expect((await app.get('/api/users', one.accessToken)).statusCode).toBe(403);
  });

  test('are listed in pages to an administrator, without their passwords', async () => {
    await app.register('admin@example.com');
    await query(databaseUrl, `update users set role = 'admin' where email = 'admin@example.com'`);
    const { accessToken } = await app.logIn('admin@example.com');
    const { rows } = await query(databaseUrl, 'select id::int from users order by id');
    const totalUsers = rows.length;
    const answer = await app.get('/api/users?page=2&limit=2', accessToken);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      success: true,
      pagination: { currentPage: 2, totalPages: Math.ceil(totalUsers / 2), totalUsers },
    });
    expect(answer.json().users.map(({ id }: { id: number }) => id)).toEqual([rows[2].id, rows[3].id]);
    expect(answer.body).not.toMatch(/password|\$2[aby]\$/);
    expect((await app.get('/api/users/1', accessToken)).statusCode).toBe(200);
    expect((await app.get('/api/users/999999999', accessToken)).statusCode).toBe(404);
    expect((await app.get('/api/users?limit=101', accessToken)).statusCode).toBe(400);
  });

  test('must be signed in', async () => {
    for (const url of ['/api/users', '/api/users/1', '/api/auth/me', '/api/auth/sessions']) {
      const answer = await app.get(url);
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 401, 'NOT_SIGNED_IN']);
    }
  });
});
