import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, cookieOf, jwtSecret, type SignedIn, startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';

let databaseUrl: string;
let app: TestApp;
let user: SignedIn;
let count = 0;

beforeAll(async () => {
  databaseUrl = await newDatabase();
  app = await startTestApp(testConfig(databaseUrl, { CORS_ORIGINS: 'https://app.example.com' }));
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  count += 1;
  await app.register(`user${count}@example.com`);
  user = await app.logIn(`user${count}@example.com`);
});

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
const claimsOf = (token: string) => decode(token.split('.')[1]);

function signed(header: object, claims: object, secret: string, hash = 'sha256'): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}

function refresh(refreshToken: string, headers: Record<string, string> = {}) {
  return app.send({ method: 'POST', url: '/api/auth/refresh', cookies: { refreshToken }, headers });
}

const meStatus = async (accessToken: string) => (await app.get('/api/auth/me', accessToken)).statusCode;

describe('an access token', () => {
  test('made by hand with the right key is accepted: so the refusals below are about what they change', async () => {
    const token = signed({ alg: 'HS256', typ: 'JWT' }, claimsOf(user.accessToken), jwtSecret);
    expect(await meStatus(token)).toBe(200);
  });

  test('is refused when forged', async () => {
    const claims = claimsOf(user.accessToken);
    const header = { alg: 'HS256', typ: 'JWT' };
    const [head, body, signature] = user.accessToken.split('.');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const rsaText = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
    const { exp: _exp, ...withoutExpiry } = claims;
    const { jti: _jti, ...withoutId } = claims;
    const forged = {
      'other key': signed(header, claims, 'another-secret-of-a-stranger-0000'),
      'empty key': signed(header, claims, ''),
      'changed claims': `${head}.${encode({ ...claims, role: 'admin' })}.${signature}`,
      'no signature': `${head}.${body}.`,
      'alg none': `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
      'alg None with signature': `${encode({ alg: 'None', typ: 'JWT' })}.${body}.${signature}`,
      'alg HS512, right key': signed({ alg: 'HS512', typ: 'JWT' }, claims, jwtSecret, 'sha512'),
      'alg RS256': `${rsaText}.${sign('sha256', Buffer.from(rsaText), privateKey).toString('base64url')}`,
      'without expiry': signed(header, withoutExpiry, jwtSecret),
      'without id': signed(header, withoutId, jwtSecret),
      'other issuer': signed(header, { ...claims, iss: 'somebody' }, jwtSecret),
      rubbish: 'a.b.c',
    };
    for (const [how, token] of Object.entries(forged)) {
      const answer = await app.get('/api/auth/me', token);
      expect([how, answer.statusCode, answer.json().code]).toEqual([how, 401, 'TOKEN_INVALID']);
    }
  });

  test('of the right key is refused when a claim is not what the app writes', async () => {
    const wrong = [undefined, null, '', {}, [], ['1'], true, 'x', '\0', "' or true --"];
    const claims = {
      sub: [...wrong, user.userId, '0', '-1', '1.5', '1e3', ' 1', '9007199254740993', '99999999999999999999', 'NaN'],
      role: [...wrong, 'root', 'Admin', ['admin'], { admin: true }],
      sid: [...wrong, 1, { toString: 1 }, ['00000000-0000-0000-0000-000000000000'], 'x'.repeat(3000)],
      jti: [...wrong, 1, { toString: 1 }, ['00000000-0000-0000-0000-000000000000'], 'x'.repeat(3000)],
      exp: [...wrong, '9999999999', 1e308, Number.MAX_SAFE_INTEGER, 4e9 + 0.5],
      iss: [...wrong, ['reference-app', 'other'], 1],
    };
    for (const [claim, values] of Object.entries(claims)) {
      for (const value of values) {
        const token = signed(
          { alg: 'HS256', typ: 'JWT' },
          { ...claimsOf(user.accessToken), [claim]: value },
          jwtSecret,
        );
        for (const [method, url] of [
          ['GET', '/api/auth/me'],
          ['POST', '/api/auth/logout'],
        ] as const) {
          const answer = await app.send({ method, url, headers: bearer(token) });
          expect([claim, value, answer.statusCode, answer.json().code]).toEqual([claim, value, 401, 'TOKEN_INVALID']);
        }
      }
    }
    expect(await meStatus(user.accessToken)).toBe(200);
  });

  test('is refused when expired', async () => {
    const nowS = Math.floor(Date.now() / 1000);
    const claims = { ...claimsOf(user.accessToken), iat: nowS - 1000, exp: nowS - 1 };
    const answer = await app.get('/api/auth/me', signed({ alg: 'HS256', typ: 'JWT' }, claims, jwtSecret));
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'TOKEN_EXPIRED']);
  });

  test('is accepted as a cookie, but for changes only from a known origin', async () => {
    const cookies = { accessToken: user.accessToken };
    expect((await app.send({ url: '/api/auth/me', cookies })).statusCode).toBe(200);
    const change = (headers: Record<string, string>) =>
      app.send({ method: 'DELETE', url: '/api/auth/sessions/00000000-0000-0000-0000-000000000000', cookies, headers });
    for (const origin of ['https://evil.example', 'null', 'https://app.example.com.evil.example']) {
      expect((await change({ origin })).json().code).toBe('ORIGIN_NOT_ALLOWED');
    }
    for (const headers of [
      {},
      { origin: 'https://app.example.com' },
      { origin: 'http://localhost', host: 'localhost' },
    ]) {
      expect((await change(headers)).json().code).toBe('NOT_FOUND');
    }
    const asBearer = await app.send({
      method: 'DELETE',
      url: '/api/auth/sessions/00000000-0000-0000-0000-000000000000',
      headers: { ...bearer(user.accessToken), origin: 'https://evil.example' },
    });
    expect(asBearer.json().code).toBe('NOT_FOUND');
  });
});

describe('CORS', () => {
  test('allows exactly the origins of CORS_ORIGINS', async () => {
    const allowed = async (origin: string) =>
      (await app.send({ url: '/health', headers: { origin } })).headers['access-control-allow-origin'];
    expect(await allowed('https://app.example.com')).toBe('https://app.example.com');
    for (const origin of [
      'https://evil.example',
      'http://app.example.com',
      'https://app.example.com.evil.example',
      'null',
    ]) {
      expect(await allowed(origin)).toBeUndefined();
    }
  });
});

describe('a refresh token', () => {
  test('is stored only as a hash', async () => {
    const { rows } = await query(databaseUrl, 'select * from refresh_tokens');
    expect(JSON.stringify(rows)).not.toContain(user.refreshToken);
    expect(rows.every(({ token_hash }) => token_hash.length === 32)).toBe(true);
  });

  test('gives a new pair at each use', async () => {
    const first = await refresh(user.refreshToken);
    expect(first.json()).toEqual({ success: true, accessToken: expect.any(String), expiresInS: 900 });
    expect(await meStatus(first.json().accessToken)).toBe(200);
    const next = cookieOf(first, 'refreshToken');
    expect(next).not.toBe(user.refreshToken);
    expect((await refresh(next)).statusCode).toBe(200);
  });

  test('used a second time ends the session, with all tokens that came of it', async () => {
    const stranger = await app.logIn(`user${count}@example.com`);
    const first = await refresh(user.refreshToken);
    const again = await refresh(user.refreshToken);
    expect([again.statusCode, again.json().code]).toEqual([401, 'REFRESH_TOKEN_INVALID']);
    expect((await refresh(cookieOf(first, 'refreshToken'))).statusCode).toBe(401);
    expect(await meStatus(first.json().accessToken)).toBe(401);
    expect(await meStatus(user.accessToken)).toBe(401);
    expect(await meStatus(stranger.accessToken), 'another session of the user').toBe(200);
  });

  test('used many times at once gives one pair at most, and ends the session', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { refreshToken } = await app.logIn(`user${count}@example.com`);
      const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)));
      const good = answers.filter(({ statusCode }) => statusCode === 200);
      expect(good).toHaveLength(1);
      const winner = good[0] as (typeof answers)[number];
      expect(await meStatus(winner.json().accessToken)).toBe(401);
      expect((await refresh(cookieOf(winner, 'refreshToken'))).statusCode).toBe(401);
    }
  });

  test('is refused when expired, unknown or absent', async () => {
    await query(databaseUrl, `update sessions set expires_at = now() - interval '1 s' where user_id = $1`, [
      user.userId,
    ]);
    expect((await refresh(user.refreshToken)).statusCode).toBe(401);
    expect((await refresh('unknown')).statusCode).toBe(401);
    expect((await app.send({ method: 'POST', url: '/api/auth/refresh' })).json().code).toBe('NOT_SIGNED_IN');
  });

  test('is not taken from a foreign origin', async () => {
    expect((await refresh(user.refreshToken, { origin: 'https://evil.example' })).statusCode).toBe(403);
    expect((await refresh(user.refreshToken, { origin: 'https://app.example.com' })).statusCode).toBe(200);
  });
});

describe('logout', () => {
  const logOut = (headers: Record<string, string>, cookies: Record<string, string> = {}) =>
    app.send({ method: 'POST', url: '/api/auth/logout', headers, cookies });

  test('revokes the access token and the session, and clears the cookies', async () => {
    const answer = await logOut(bearer(user.accessToken));
    expect(answer.statusCode).toBe(200);
    expect(answer.cookies.map(({ name, value }) => [name, value])).toEqual([
      ['accessToken', ''],
      ['refreshToken', ''],
    ]);
    expect((await app.get('/api/auth/me', user.accessToken)).json().code).toBe('TOKEN_REVOKED');
    expect((await refresh(user.refreshToken)).statusCode).toBe(401);
  });

  test('works by the refresh token when the access token is gone', async () => {
    expect((await logOut({}, { refreshToken: user.refreshToken })).statusCode).toBe(200);
    expect(await meStatus(user.accessToken)).toBe(401);
    expect((await logOut({})).statusCode).toBe(401);
    const unknown = await logOut({}, { refreshToken: 'unknown' });
    expect([unknown.statusCode, unknown.json().code]).toEqual([401, 'REFRESH_TOKEN_INVALID']);
  });

  test.each(['memory', 'database'])('is remembered across a restart (blacklist in the %s)', async (store) => {
    await logOut(bearer(user.accessToken));
    await using restarted = await startTestApp(testConfig(databaseUrl, { BLACKLIST_STORE: store }));
    expect((await restarted.get('/api/auth/me', user.accessToken)).json().code).toBe('TOKEN_REVOKED');
    const { accessToken } = await restarted.logIn(`user${count}@example.com`);
    expect((await restarted.get('/api/auth/me', accessToken)).statusCode).toBe(200);
  });
});

describe('sessions', () => {
  const end = (path: string, accessToken: string) =>
    app.send({ method: 'DELETE', url: `/api/auth/sessions${path}`, headers: bearer(accessToken) });

  test('are listed with the current one marked', async () => {
    const second = await app.logIn(`user${count}@example.com`);
    const { sessions } = (await app.get('/api/auth/sessions', second.accessToken)).json();
    expect(sessions).toHaveLength(2);
    expect(sessions.filter(({ current }: { current: boolean }) => current).map(({ id }: { id: string }) => id)).toEqual(
      [claimsOf(second.accessToken).sid],
    );
  });

  test('end one by one, and so do their access tokens', async () => {
    const second = await app.logIn(`user${count}@example.com`);
    expect((await end(`/${claimsOf(second.accessToken).sid}`, user.accessToken)).statusCode).toBe(200);
    expect(await meStatus(second.accessToken)).toBe(401);
    expect((await refresh(second.refreshToken)).statusCode).toBe(401);
    expect(await meStatus(user.accessToken)).toBe(200);
  });

  test('end all together', async () => {
    const second = await app.logIn(`user${count}@example.com`);
    expect((await end('', user.accessToken)).statusCode).toBe(200);
    expect(await meStatus(user.accessToken)).toBe(401);
    expect(await meStatus(second.accessToken)).toBe(401);
  });

  test('of another user cannot be seen or ended', async () => {
    await app.register(`thief${count}@example.com`);
    const thief = await app.logIn(`thief${count}@example.com`);
    expect((await end(`/${claimsOf(user.accessToken).sid}`, thief.accessToken)).statusCode).toBe(404);
    expect(await meStatus(user.accessToken)).toBe(200);
  });
});
