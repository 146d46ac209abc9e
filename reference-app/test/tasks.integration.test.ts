import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SignedIn, startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';
import { taskRequests } from './task-requests.ts';

let databaseUrl: string;
let api: TestApp;
let requests: ReturnType<typeof taskRequests>;
let owner: SignedIn;
let stranger: SignedIn;

beforeAll(async () => {
  databaseUrl = await newDatabase();
  api = await startTestApp(testConfig(databaseUrl));
  requests = taskRequests(api);
  owner = await requests.newUser();
  stranger = await requests.newUser();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

type Requests = ReturnType<typeof taskRequests>;
const answerOf: Requests['answerOf'] = (...request) => requests.answerOf(...request);
const create: Requests['create'] = (...request) => requests.create(...request);
const list: Requests['list'] = (...request) => requests.list(...request);
const newUser: Requests['newUser'] = () => requests.newUser();

describe('one task', () => {
  it('is created with defaults, and answered with exactly its fields', async () => {
    const answer = await answerOf(owner, 'POST', '/api/tasks', { title: 'Buy bread' });
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toEqual({
      success: true,
      task: {
        id: expect.any(Number),
        title: 'Buy bread',
        description: '',
        status: 'pending',
        priority: 'medium',
        dueAt: null,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      },
    });
    const { task } = answer.json();
    expect((await answerOf(owner, 'GET', `/api/tasks/${task.id}`)).json()).toEqual({ success: true, task });
  });

  it('is replaced by PUT: what is not given goes back to its default', async () => {
    const dueAt = '2027-01-31T12:00:00+02:00';
    const task = await create(owner, { title: 'A', description: 'long', status: 'completed', priority: 'high', dueAt });
    expect(task.dueAt).toBe('2027-01-31T10:00:00.000Z');
    const answer = await answerOf(owner, 'PUT', `/api/tasks/${task.id}`, { title: 'B', priority: 'low' });
    const replaced = { title: 'B', description: '', status: 'pending', priority: 'low', dueAt: null };
    expect(answer.json()).toMatchObject({ success: true, task: { id: task.id, ...replaced } });
    expect((await answerOf(owner, 'PUT', `/api/tasks/${task.id}`, { status: 'pending' })).statusCode).toBe(400);
  });

  it('keeps what PATCH does not name, and can lose its due time', async () => {
    const dueAt = '2027-01-31T12:00:00.000Z';
    const task = await create(owner, { title: 'A', description: 'long', priority: 'high', dueAt });
    const url = `/api/tasks/${task.id}`;
    const started = (await answerOf(owner, 'PATCH', url, { status: 'in-progress' })).json().task;
    expect(started).toEqual({ ...task, status: 'in-progress', updatedAt: expect.any(String) });
    expect(Date.parse(started.updatedAt)).toBeGreaterThanOrEqual(Date.parse(String(task.updatedAt)));
    expect((await answerOf(owner, 'PATCH', url, { dueAt: null })).json().task).toMatchObject({ dueAt: null });
    expect((await answerOf(owner, 'PATCH', url, { description: '' })).json().task).toMatchObject({ description: '' });
    expect((await answerOf(owner, 'PATCH', url, {})).statusCode).toBe(400);
  });

  it('is gone after DELETE', async () => {
    const url = `/api/tasks/${(await create(owner, { title: 'A' })).id}`;
    const answer = await answerOf(owner, 'DELETE', url);
    expect([answer.statusCode, answer.json()]).toEqual([200, { success: true, message: expect.any(String) }]);
    for (const method of ['GET', 'DELETE'] as const) expect((await answerOf(owner, method, url)).statusCode).toBe(404);
  });

  it('cannot be distinguished from one that does not exist by another user, whatever is tried', async () => {
    const task = await create(owner, { title: 'Private' });
    const tried = [['GET'], ['PUT', { title: 'Mine' }], ['PATCH', { title: 'Mine' }], ['DELETE']] as const;
    for (const [method, payload] of tried) {
      const foreign = await answerOf(stranger, method, `/api/tasks/${task.id}`, payload);
      const missing = await answerOf(stranger, method, '/api/tasks/999999999', payload);
      expect([foreign.statusCode, foreign.json()]).toEqual([404, missing.json()]);
    }
    expect((await answerOf(owner, 'GET', `/api/tasks/${task.id}`)).json().task).toEqual(task);
  });

  it('takes no field a client may not set', async () => {
    const forged = { id: 1, userId: stranger.userId, user_id: stranger.userId, createdAt: '2000-01-01T00:00:00Z' };
    const task = await create(owner, { title: 'Forged', ...forged });
    await answerOf(owner, 'PATCH', `/api/tasks/${task.id}`, { title: 'Forged again', ...forged });
    await answerOf(owner, 'PUT', `/api/tasks/${task.id}`, { title: 'Forged again', ...forged });
    const { rows } = await query(databaseUrl, 'select user_id, created_at from tasks where id = $1', [task.id]);
    expect(Number(rows[0].user_id)).toBe(owner.userId);
    expect(rows[0].created_at.toISOString()).toBe(task.createdAt);
    expect((await answerOf(owner, 'PATCH', `/api/tasks/${task.id}`, forged)).statusCode).toBe(400);
  });

  it.each([
    ['no title', {}],
    ['an empty title', { title: '' }],
    ['a blank title', { title: ' \t ' }],
    ['a title that is no text', { title: 5 }],
    ['a null title', { title: null }],
    ['a long title', { title: 'x'.repeat(201) }],
    ['a NUL character', { title: 'a\u0000b' }],
    ['a long description', { title: 'x', description: 'x'.repeat(5001) }],
    ['an unknown status', { title: 'x', status: 'done' }],
    ['an unknown priority', { title: 'x', priority: 'urgent' }],
    ['a due time that is none', { title: 'x', dueAt: 'tomorrow' }],
    ['a day that does not exist', { title: 'x', dueAt: '2027-02-30T00:00:00Z' }],
    ['a leap second', { title: 'x', dueAt: '2016-12-31T23:59:60Z' }],
    ['an offset into the year 10000', { title: 'x', dueAt: '9999-12-31T23:59:59-23:59' }],
    ['an offset before the year 0', { title: 'x', dueAt: '0000-01-01T00:00:00+23:59' }],
    ['an array', []],
  ])('is refused with 400: %s', async (_what, payload) => {
    const answer = await answerOf(owner, 'POST', '/api/tasks', payload);
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { success: false, code: 'INVALID_REQUEST' }]);
  });

  it.each([
    ['the longest title', { title: '𝒳'.repeat(200) }],
    ['the farthest offset', { title: 'x', dueAt: '2027-01-01T00:00:00+23:59' }],
    ['the first and the last year', { title: 'x', dueAt: '0000-01-01T00:00:00Z' }],
    ['half a surrogate pair', { title: 'x\ud800' }],
  ])('is taken or refused, and never a failure of the server: %s', async (_what, payload) => {
    const { statusCode } = await answerOf(owner, 'POST', '/api/tasks', payload);
    expect([201, 400]).toContain(statusCode);
  });

  it.each([
    '0',
    '-1',
    '1.5',
    'abc',
    '99999999999999999999',
    'Infinity',
    '1e30',
    'NaN',
    '1;drop table tasks',
    "1' or '1'='1",
  ])('has a whole number above 0 as its id, and %j is refused', async (id) => {
    for (const method of ['GET', 'DELETE'] as const) {
      expect((await answerOf(owner, method, `/api/tasks/${encodeURIComponent(id)}`)).statusCode).toBe(400);
    }
  });

  it('needs a signed-in user on every route', async () => {
    const routes = [
      ['GET', '/api/tasks'],
      ['GET', '/api/tasks/stats'],
      ['POST', '/api/tasks'],
      ['GET', '/api/tasks/1'],
      ['PUT', '/api/tasks/1'],
      ['PATCH', '/api/tasks/1'],
      ['DELETE', '/api/tasks/1'],
    ] as const;
    for (const [method, url] of routes) {
      const answer = await api.send({ method, url, ...(method.startsWith('P') && { payload: { title: 'x' } }) });
      expect([method, url, answer.statusCode]).toEqual([method, url, 401]);
    }
  });

  it('cannot be created for an account that is gone', async () => {
    const leaving = await newUser();
    await query(databaseUrl, 'delete from users where id = $1', [leaving.userId]);
    expect((await answerOf(leaving, 'POST', '/api/tasks', { title: 'x' })).statusCode).toBe(401);
  });

  it('holds SQL as the text it is', async () => {
    const sql = `'); drop table tasks; -- " \\ $1 %s \${7*7}`;
    const task = await create(owner, { title: sql, description: sql });
    expect(task).toMatchObject({ title: sql, description: sql });
    const changed = await answerOf(owner, 'PATCH', `/api/tasks/${task.id}`, { title: `${sql}!` });
    expect(changed.json().task.title).toBe(`${sql}!`);
    expect((await list(owner, { search: sql })).titles).toEqual([`${sql}!`]);
    for (const field of ['page', 'limit', 'status', 'priority', 'sort']) {
      const answer = await answerOf(owner, 'GET', `/api/tasks?${new URLSearchParams({ [field]: sql })}`);
      expect(answer.statusCode).toBe(400);
    }
  });
});
