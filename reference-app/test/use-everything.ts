import { expect } from 'vitest';
import { bearer, cookieOf, password, type TestApp } from './app.ts';
import { until } from './processes.ts';

/** Every request that reaches the database, as one user who is new. */
export async function useEverything(app: TestApp, email: string): Promise<void> {
  const mailed = async (purpose: string) => {
    const find = () => app.outbox.find((mail) => mail.to === email && mail.purpose === purpose);
    await until(() => find() !== undefined);
    return find()?.token;
  };
  expect((await app.register(email)).statusCode).toBe(201);
  expect((await app.post('/api/auth/verify-email', { token: await mailed('verify-email') })).statusCode).toBe(200);
  const first = await app.logIn(email);
  const refreshed = await app.send({
    method: 'POST',
    url: '/api/auth/refresh',
    cookies: { refreshToken: first.refreshToken },
  });
  expect(refreshed.statusCode).toBe(200);
  const { accessToken } = refreshed.json();
  const headers = bearer(accessToken);
  expect((await app.get('/api/auth/me', accessToken)).json().user.emailVerifiedAt).toEqual(expect.any(String));
  expect((await app.get(`/api/users/${first.userId}`, accessToken)).json().user.email).toBe(email);

  const created = await Promise.all(
    ['low', 'medium', 'high'].map((priority) =>
      app.post('/api/tasks', { title: `a ${priority} one`, priority }, headers),
    ),
  );
  expect(created.map(({ statusCode }) => statusCode)).toEqual([201, 201, 201]);
  const [id, other] = created.map((answer) => answer.json().task.id);
  const change = (method: 'PUT' | 'PATCH' | 'DELETE', payload?: object) =>
    app.send({ method, url: `/api/tasks/${id}`, headers, ...(payload && { payload }) });
  expect((await change('PUT', { title: 'put', dueAt: '2030-01-01T00:00:00Z' })).statusCode).toBe(200);
  expect((await change('PATCH', { status: 'completed' })).json().task).toMatchObject({
    title: 'put',
    status: 'completed',
  });
  expect((await change('DELETE')).statusCode).toBe(200);
  expect((await app.get(`/api/tasks/${other}`, accessToken)).json().task.title).toBe('a medium one');
  for (const sort of ['title', '-priority', 'createdAt']) {
    const list = await app.get(`/api/tasks?sort=${sort}&search=one&status=pending&page=1&limit=5`, accessToken);
    expect(list.json().pagination.totalTasks).toBe(2);
  }
  expect((await app.get('/api/tasks/stats', accessToken)).json().stats.total).toBe(2);

  const second = await app.logIn(email);
  const { sessions } = (await app.get('/api/auth/sessions', accessToken)).json();
  expect(sessions).toHaveLength(2);
  const old = sessions.find((session: { current: boolean }) => !session.current).id;
  expect((await app.send({ method: 'DELETE', url: `/api/auth/sessions/${old}`, headers })).statusCode).toBe(200);
  expect((await app.get('/api/auth/me', second.accessToken)).json().code).toBe('TOKEN_REVOKED');

  expect((await app.post('/api/auth/forgot-password', { email })).statusCode).toBe(200);
  const reset = { token: await mailed('reset-password'), password: `${password} of late` };
  expect((await app.post('/api/auth/reset-password', reset)).statusCode).toBe(200);
  expect((await app.post('/api/auth/reset-password', reset)).json().code).toBe('TOKEN_INVALID');
  expect((await app.get('/api/auth/me', accessToken)).json().code).toBe('TOKEN_REVOKED');
  const again = await app.post('/api/auth/login', { email, password: reset.password });
  const logOut = { method: 'POST', url: '/api/auth/logout', headers: bearer(again.json().accessToken) } as const;
  expect((await app.send(logOut)).statusCode).toBe(200);
  const spent = cookieOf(again, 'refreshToken');
  const late = await app.send({ method: 'POST', url: '/api/auth/refresh', cookies: { refreshToken: spent } });
  expect(late.json().code).toBe('REFRESH_TOKEN_INVALID');
}
