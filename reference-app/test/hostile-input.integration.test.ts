import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, password, type SignedIn, startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';

let databaseUrl: string;
let app: TestApp;
let user: SignedIn;
let port: number;

beforeAll(async () => {
  databaseUrl = await newDatabase();
  app = await startTestApp(testConfig(databaseUrl));
  await app.register('user@example.com');
  user = await app.logIn('user@example.com');
  await app.app.listen({ host: '127.0.0.1', port: 0 });
  port = (app.app.server.address() as AddressInfo).port;
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

/** Sends bytes as they are and gives the whole answer, as no HTTP client would let us send them. */
async function sendRaw(text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

const raw = (payload: string, headers: Record<string, string> = {}) =>
  app.send({
    method: 'POST',
    url: '/api/auth/login',
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  });

describe('a body', () => {
  test.each([
    '{',
    '{"email": "user@example.com", "password": ',
    'null',
    '[]',
    '"text"',
    '42',
    '{"email": {"$ne": ""}, "password": {"$ne": ""}}',
    '{"email": ["user@example.com"], "password": ["x"]}',
    `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    '',
    '\u0000',
  ])('that is malformed is a 400 without insight: %.60s', async (payload) => {
    const answer = await raw(payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      success: false,
      code: expect.stringMatching(/^(MALFORMED_JSON|INVALID_REQUEST)$/),
    });
    expect(answer.body).not.toMatch(/ at |node_modules|\.ts/);
  });

  test.each(['__proto__', 'constructor'])('cannot reach a prototype by %s', async (name) => {
    const slipped = `"${name}": {"role": "admin", "prototype": {"role": "admin", "password": "x"}}`;
    const register = (fields: string) =>
      app.send({
        method: 'POST',
        url: '/api/auth/register',
        payload: `{${slipped}, ${fields}}`,
        headers: { 'content-type': 'application/json' },
      });
    const email = `${name.replaceAll('_', '')}@example.com`;
    const answer = await register(`"email": "${email}", "password": "${password}", "name": "x"`);
    expect([answer.statusCode, answer.json().user.role]).toEqual([201, 'user']);
    expect((await register(`"email": "other-${email}", "name": "x"`)).statusCode).toBe(400);
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  test('over the limit is a 413', async () => {
    const answer = await raw(JSON.stringify({ email: 'user@example.com', password: 'x'.repeat(200_000) }));
    expect([answer.statusCode, answer.json().code]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/xml'])(
    'of type %s is a 415: a foreign page could send it without asking',
    async (type) => {
      const answer = await raw('email=user@example.com', { 'content-type': type });
      expect([answer.statusCode, answer.json().code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    },
  );
});

describe('SQL', () => {
  const attempts = [
    "'; drop table users; --",
    "' or '1'='1",
    "x' union select password_hash from users --",
    '$1',
    '\\',
    "');select pg_sleep(5);--",
  ];

  test.each(attempts)('in any text field is text: %s', async (text) => {
    const local = text.replace(/[^\w'$=*/-]/g, '');
    const fields = [
      app.post('/api/auth/login', { email: text, password }),
      app.post('/api/auth/login', { email: `a${local}@example.com`, password: text }),
      app.post('/api/auth/login', { email: 'user@example.com', password: text }),
      app.post('/api/auth/forgot-password', { email: `${text}@example.com` }),
      app.post('/api/auth/reset-password', { token: text.padEnd(40, '-'), password }),
      app.post('/api/auth/verify-email', { token: text.padEnd(40, '-') }),
      app.send({ method: 'POST', url: '/api/auth/refresh', cookies: { refreshToken: encodeURIComponent(text) } }),
      app.get(`/api/users/${encodeURIComponent(text)}`, user.accessToken),
      app.get(`/api/users?page=${encodeURIComponent(text)}`, user.accessToken),
      app.send({
        method: 'DELETE',
        url: `/api/auth/sessions/${encodeURIComponent(text)}`,
        headers: bearer(user.accessToken),
      }),
      app.get('/api/auth/me', text),
    ];
    for (const answer of await Promise.all(fields)) {
      expect(answer.statusCode).toBeLessThan(500);
      expect(answer.body).not.toMatch(/syntax error|\$2[aby]\$/);
      expect(answer.json().accessToken).toBeUndefined();
    }
    const name = `Name ${text}`;
    const email = `named${attempts.indexOf(text)}@example.com`;
    const registered = await app.send({
      method: 'POST',
      url: '/api/auth/register',
      payload: { email, password: `${text} long enough`, name },
      headers: { 'user-agent': text },
    });
    expect(registered.json().user.name).toBe(name);
    const login = await app.send({
      method: 'POST',
      url: '/api/auth/login',
      payload: { email, password: `${text} long enough` },
      headers: { 'user-agent': text },
    });
    expect(login.statusCode).toBe(200);
    const { rows } = await query(databaseUrl, 'select name from users where email = $1', [email]);
    expect(rows).toEqual([{ name }]);
  });

  test('characters PostgreSQL cannot hold are refused, not failed on', async () => {
    for (const text of ['nul\u0000', 'bell\u0007', 'escape\u001b[31m']) {
      const answer = await app.post('/api/auth/register', { email: 'nul@example.com', password, name: text });
      expect(answer.statusCode).toBe(400);
      expect((await app.post('/api/auth/login', { email: `${text}@example.com`, password })).statusCode).toBe(400);
      expect((await app.post('/api/auth/login', { email: 'user@example.com', password: text })).statusCode).toBe(401);
    }
    const lone = await app.post('/api/auth/register', { email: 'lone@example.com', password, name: 'lone \ud800' });
    expect(lone.statusCode).toBe(201);
  });
});

describe('headers', () => {
  test('given as a request id are echoed only when they are plain', async () => {
    const idFor = async (id: string) =>
      (await app.send({ url: '/health', headers: { 'x-request-id': id } })).headers['x-request-id'];
    expect(await idFor('0123-abcd')).toBe('0123-abcd');
    for (const id of ['a'.repeat(100), 'evil id; <script>', 'x']) expect(await idFor(id)).not.toBe(id);
  });

  test('cannot be injected through what is echoed', async () => {
    const line = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
    const injected = await sendRaw(`${line}X-Request-Id: abcdefgh%0d%0aSet-Cookie: a=b\r\n\r\n`);
    expect(injected).not.toMatch(/set-cookie/i);
    const bare = await sendRaw(`${line}X-Request-Id: abcdefgh\rSet-Cookie: a=b\r\n\r\n`);
    expect(bare).not.toMatch(/set-cookie/i);
    const name = 'a\r\nSet-Cookie: a=b';
    const answer = await app.post('/api/auth/register', { email: 'inject@example.com', password, name });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('of a forged proxy are not believed', async () => {
    await app.send({
      method: 'POST',
      url: '/api/auth/login',
      payload: { email: 'user@example.com', password },
      headers: { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' },
    });
    const { sessions } = (await app.get('/api/auth/sessions', user.accessToken)).json();
    expect(JSON.stringify(sessions)).not.toContain('203.0.113.9');
  });

  test('that are too large are a 431, and what is no HTTP a 400', async () => {
    expect(await sendRaw(`GET /health HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*"code":"HEADERS_TOO_LARGE"/,
    );
    expect(await sendRaw('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"INVALID_REQUEST"/);
    const smuggled =
      'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await sendRaw(smuggled)).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('a method that an address does not have', () => {
  test.each([
    ['TRACE', '/api/tasks', 'GET, HEAD, POST'],
    ['TRACE', '/api/tasks/1?x=y', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['DELETE', '/api/auth/login', 'POST'],
    ['PUT', '/api/tasks/stats', 'GET, HEAD'],
    ['QUERY', '/api/auth/me', 'GET, HEAD'],
    ['PROPFIND', '/health', 'GET, HEAD'],
    ['PUT', '/docs/static/index.css', 'GET, HEAD'],
  ])('%s %s is a 405 that names those it has', async (method, url, allowed) => {
    const answer = await sendRaw(`${method} ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 405 [\s\S]*"code":"METHOD_NOT_ALLOWED"/);
    expect(/^allow: (.*)$/im.exec(answer)?.[1]?.split(', ').sort().join(', ')).toBe(allowed);
  });
});

describe('a request that does not end', () => {
  const head = 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const requests = {
    'a head': 'GET /health HTTP/1.1\r\nHost: x\r\n',
    'a body of known length': `${head}Content-Length: 1000\r\n\r\n{`,
    'a body in chunks': `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
    nothing: '',
  };

  test.each(Object.entries(requests))('is ended after REQUEST_TIMEOUT_MS: %s', async (what, start) => {
    await using slow = await startTestApp(testConfig(databaseUrl, { REQUEST_TIMEOUT_MS: '1000' }));
    await slow.app.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect((slow.app.server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
    let answer = '';
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', () => {});
    // A byte now and then does not help.
    const more = what === 'a head' ? 'X: y\r\n' : what === 'a body in chunks' ? '1\r\n \r\n' : ' ';
    const trickle = setInterval(() => start !== '' && socket.writable && socket.write(more), 100);
    const startedMs = performance.now();
    socket.write(start);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(trickle);
    expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"REQUEST_TIMEOUT"/);
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });
});

test.each([
  ['that a route reads ends at the limit', 'POST /api/auth/login', 100],
  ['of somebody who is not signed in ends with the time', 'POST /api/tasks', 1000],
  ['to no route ends with the time', 'POST /nothing', 1000],
  ['of a request that has none ends with the time', 'GET /health', 1000],
])('an endless body %s', async (_how, route, soonestMs) => {
  await using strict = await startTestApp(testConfig(databaseUrl, { REQUEST_TIMEOUT_MS: '1000' }));
  await strict.app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((strict.app.server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {}).resume();
  const head = `${route} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  const chunk = `1000\r\n${' '.repeat(4096)}\r\n`;
  const startedMs = performance.now();
  const memoryBytes = process.memoryUsage().rss;
  const sending = setInterval(() => socket.writable && socket.writableLength === 0 && socket.write(chunk), 1);
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(sending);
  expect(performance.now() - startedMs).toBeLessThan(soonestMs + 4000);
  expect(process.memoryUsage().rss - memoryBytes).toBeLessThan(100_000_000);
});

test('an unknown address is a 404 as JSON, whatever it looks like', async () => {
  for (const url of ['/nothing', '/api/nothing', '/%00', '/../../etc/passwd', '/api/auth/logins?x=1']) {
    const answer = await app.get(url);
    expect([url, answer.statusCode, answer.json()]).toEqual([url, 404, expect.objectContaining({ success: false })]);
  }
  const broken = await app.get('/%ff%');
  expect([broken.statusCode, broken.json().success]).toEqual([400, false]);
});
