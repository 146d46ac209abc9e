import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, password, type SignedIn, startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';

let app: TestApp;
let admin: SignedIn;

beforeAll(async () => {
  const databaseUrl = await newDatabase();
  app = await startTestApp(testConfig(databaseUrl));
  await app.register('admin@example.com');
  await query(databaseUrl, `update users set role = 'admin'`);
  admin = await app.logIn('admin@example.com');
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

/** Without those that would end the session of the test: a logout, and the end of all sessions. */
const routes = [
  'POST /api/auth/register',
  'POST /api/auth/login',
  'POST /api/auth/refresh',
  'POST /api/auth/forgot-password',
  'POST /api/auth/reset-password',
  'POST /api/auth/verify-email',
  'GET /api/auth/me',
  'DELETE /api/auth/sessions/:id',
  'GET /api/users',
  'GET /api/users/:id',
  'GET /api/tasks',
  'GET /api/tasks/:id',
  'POST /api/tasks',
  'PUT /api/tasks/:id',
  'PATCH /api/tasks/:id',
  'DELETE /api/tasks/:id',
] as const;

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\0', '\ud800', '%', '__proto__', 'pending', 'low', '-dueAt', 'Infinity', '1e999', '-0', '1', '2'),
);
const value = fc.oneof(
  { weight: 4, arbitrary: text },
  fc.jsonValue(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('0000-01-01T00:00:00+23:59', '9999-12-31T23:59:59-23:59', 'pending', 'high', null),
);
const email = fc.oneof(
  value,
  text.map((local) => `${local}@example.com`),
);
const secret = fc.oneof(value, fc.string({ unit: 'binary', minLength: 8, maxLength: 40 }), fc.constant(password));
const fields = { email, password: secret, name: value, token: secret, title: value, description: value };
const body = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({ ...fields, status: value, priority: value, dueAt: value, role: value }, { requiredKeys: [] })
      .map((object) => JSON.stringify(object)),
  },
  fc.json(),
  text,
);
const queryText = fc
  .dictionary(fc.constantFrom('page', 'limit', 'status', 'priority', 'search', 'sort', '__proto__'), text)
  .map((parameters) => new URLSearchParams(parameters).toString());

const request = fc
  .record({ route: fc.constantFrom(...routes), id: text, parameters: queryText, body, cookie: text })
  .map(({ route, id, parameters, body: payload, cookie }): InjectOptions => {
    const [method = '', path = ''] = route.split(' ');
    return {
      method: method as 'GET',
      url: `${path.replace(':id', encodeURIComponent(id.toWellFormed()))}?${parameters}`,
      headers: { ...bearer(admin.accessToken), 'content-type': 'application/json' },
      cookies: { refreshToken: encodeURIComponent(cookie.toWellFormed()) },
      ...(method !== 'GET' && { payload }),
    };
  });

test('no request makes the server fail, and each answer is the documented object', async () => {
  const routesAnsweredWell = new Set<string>();
  await fc.assert(
    fc.asyncProperty(request, async (sent) => {
      // An empty id is the address of all sessions.
      fc.pre(!sent.url?.toString().startsWith('/api/auth/sessions/?'));
      const answer = await app.send(sent);
      expect(answer.statusCode, answer.body).toBeLessThan(500);
      const { success, code } = answer.json();
      expect(success).toBe(answer.statusCode < 400);
      if (!success) expect(code).toMatch(/^[A-Z_]+$/);
      else routesAnsweredWell.add(String(sent.method));
    }),
    { numRuns: 3000 },
  );
  expect([...routesAnsweredWell].sort(), 'the requests get past validation').toEqual(
    expect.arrayContaining(['GET', 'POST']),
  );
  expect((await app.get('/api/auth/me', admin.accessToken)).statusCode).toBe(200);
});
