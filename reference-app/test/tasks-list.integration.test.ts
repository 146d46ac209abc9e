import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SignedIn, startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase } from './postgres.ts';
import { taskRequests } from './task-requests.ts';

let api: TestApp;
let requests: ReturnType<typeof taskRequests>;

beforeAll(async () => {
  api = await startTestApp(testConfig(await newDatabase()));
  requests = taskRequests(api);
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

type Requests = ReturnType<typeof taskRequests>;
const answerOf: Requests['answerOf'] = (...request) => requests.answerOf(...request);
const create: Requests['create'] = (...request) => requests.create(...request);
const list: Requests['list'] = (...request) => requests.list(...request);
const newUser: Requests['newUser'] = () => requests.newUser();

describe('the list', () => {
  let reader: SignedIn;
  beforeAll(async () => {
    reader = await newUser();
    const statuses = ['pending', 'in-progress', 'completed'];
    const priorities = ['high', 'low', 'medium'];
    // 25 tasks; task n is due n days before a day in 2027, and every fifth is due never.
    for (let number = 1; number <= 25; number += 1) {
      await create(reader, {
        title: `${number % 2 === 0 ? 'TASK' : 'task'} ${String(number).padStart(2, '0')}`,
        description: `number ${number}`,
        status: statuses[number % 3],
        priority: priorities[number % 3],
        dueAt: number % 5 === 0 ? null : new Date(Date.UTC(2027, 5, 30 - number)).toISOString(),
      });
    }
    await create(await newUser(), { title: 'task of a stranger' });
  });

  const numbers = (titles: string[]) => titles.map((title) => Number(title.slice(5)));

  it('starts with the ten newest, and says how many there are', async () => {
    const { titles, pagination } = await list(reader, {});
    expect(numbers(titles)).toEqual([25, 24, 23, 22, 21, 20, 19, 18, 17, 16]);
    expect(pagination).toEqual({ currentPage: 1, totalPages: 3, totalTasks: 25 });
  });

  it.each([
    [{ page: '3' }, 5, { currentPage: 3, totalPages: 3, totalTasks: 25 }],
    [{ page: '4' }, 0, { currentPage: 4, totalPages: 3, totalTasks: 25 }],
    [{ page: '1000000', limit: '100' }, 0, { currentPage: 1_000_000, totalPages: 1, totalTasks: 25 }],
    [{ limit: '25' }, 25, { currentPage: 1, totalPages: 1, totalTasks: 25 }],
    [{ limit: '24', page: '2' }, 1, { currentPage: 2, totalPages: 2, totalTasks: 25 }],
    [{ limit: '100' }, 25, { currentPage: 1, totalPages: 1, totalTasks: 25 }],
    [{ limit: '1', page: '25' }, 1, { currentPage: 25, totalPages: 25, totalTasks: 25 }],
    [{ search: 'nothing has this' }, 0, { currentPage: 1, totalPages: 0, totalTasks: 0 }],
    [{ search: '' }, 10, { currentPage: 1, totalPages: 3, totalTasks: 25 }],
  ])('has pages: %j', async (parameters, tasks, pagination) => {
    const page = await list(reader, parameters as Record<string, string>);
    expect(page.titles).toHaveLength(tasks);
    expect(page.pagination).toEqual(pagination);
  });

  it.each([
    'page=0',
    'page=-1',
    'page=1.5',
    'page=',
    'page=x',
    'page=1000001',
    'page=1&page=2',
    'page=Infinity',
    'limit=0',
    'limit=Infinity',
    'limit=101',
    'limit=x',
    'status=done',
    'status=',
    'priority=urgent',
    'sort=userId',
    'sort=created_at',
    'search=%00',
    `search=${'x'.repeat(201)}`,
  ])('refuses %s with 400', async (parameters) => {
    expect((await answerOf(reader, 'GET', `/api/tasks?${parameters}`)).statusCode).toBe(400);
  });

  it('shows every task once over its pages, in every order, also where many are equal', async () => {
    for (const sort of ['createdAt', 'updatedAt', 'dueAt', 'priority', 'title'].flatMap((key) => [key, `-${key}`])) {
      const pages = await Promise.all(['1', '2', '3', '4'].map((page) => list(reader, { sort, page, limit: '7' })));
      const all = pages.flatMap((page) => numbers(page.titles));
      expect([sort, [...all].sort((a, b) => a - b)]).toEqual([
        sort,
        Array.from({ length: 25 }, (_, index) => index + 1),
      ]);
    }
  });

  it('sorts', async () => {
    const first = async (sort: string, limit = '5') => numbers((await list(reader, { sort, limit })).titles);
    expect(await first('createdAt')).toEqual([1, 2, 3, 4, 5]);
    expect(await first('-createdAt')).toEqual([25, 24, 23, 22, 21]);
    expect(await first('title')).toEqual([1, 2, 3, 4, 5]);
    expect(await first('-title')).toEqual([25, 24, 23, 22, 21]);
    expect(await first('priority')).toEqual([1, 4, 7, 10, 13]);
    expect(await first('-priority')).toEqual([24, 21, 18, 15, 12]);
    expect((await first('dueAt', '25')).slice(0, 3)).toEqual([24, 23, 22]);
    expect((await first('dueAt', '25')).slice(-5)).toEqual([5, 10, 15, 20, 25]);
    expect((await first('-dueAt', '25')).slice(0, 3)).toEqual([1, 2, 3]);
    expect((await first('-dueAt', '25')).slice(-5)).toEqual([25, 20, 15, 10, 5]);
  });

  it('filters by status, by priority, by text, and by all of them together', async () => {
    const all = async (parameters: Record<string, string>) =>
      numbers((await list(reader, { limit: '100', sort: 'createdAt', ...parameters })).titles);
    const every = (keep: (number: number) => boolean) => Array.from({ length: 25 }, (_, i) => i + 1).filter(keep);
    expect(await all({ status: 'pending' })).toEqual(every((n) => n % 3 === 0));
    expect(await all({ priority: 'low' })).toEqual(every((n) => n % 3 === 1));
    expect(await all({ status: 'pending', priority: 'low' })).toEqual([]);
    expect(await all({ search: 'TASK 1' })).toEqual(every((n) => n >= 10 && n <= 19));
    expect(await all({ search: 'NUMBER 2' })).toEqual([2, 20, 21, 22, 23, 24, 25]);
    expect(await all({ search: 'number 2', status: 'completed', priority: 'medium' })).toEqual([2, 20, 23]);
  });

  it('searches for the text as it is: % _ \\ and quotes stand for themselves', async () => {
    const searcher = await newUser();
    const texts = ['100 % sure', 'under_score', 'back\\slash', "it's", 'say "so"', 'Äpfel kaufen', '$1 and $2'];
    for (const text of texts) await create(searcher, { title: text, description: 'plain' });
    await create(searcher, { title: 'plain', description: 'A description with 7 % in it' });
    const found = async (search: string) => (await list(searcher, { search, sort: 'createdAt' })).titles;
    expect(await found('%')).toEqual(['100 % sure', 'plain']);
    expect(await found('_')).toEqual(['under_score']);
    expect(await found('\\')).toEqual(['back\\slash']);
    expect(await found("'")).toEqual(["it's"]);
    expect(await found('"')).toEqual(['say "so"']);
    expect(await found('äpfel')).toEqual(['Äpfel kaufen']);
    expect(await found('$1')).toEqual(['$1 and $2']);
    expect(await found('u%r')).toEqual([]);
    expect(await found("' or 1=1 --")).toEqual([]);
  });

  it('holds no task of anybody else', async () => {
    expect((await list(reader, { search: 'stranger' })).pagination.totalTasks).toBe(0);
    expect((await list(await newUser(), {})).pagination).toEqual({ currentPage: 1, totalPages: 0, totalTasks: 0 });
  });

  it('is counted by status and priority', async () => {
    const answer = await answerOf(reader, 'GET', '/api/tasks/stats');
    expect(answer.json()).toEqual({
      success: true,
      stats: {
        total: 25,
        byStatus: { pending: 8, 'in-progress': 9, completed: 8 },
        byPriority: { low: 9, medium: 8, high: 8 },
      },
    });
    expect((await answerOf(await newUser(), 'GET', '/api/tasks/stats')).json().stats.total).toBe(0);
  });
});
