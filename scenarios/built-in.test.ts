import { describe, expect, test } from 'vitest';
import type { EndedRequest } from '../harness/engines/shared/classify-response.ts';
import { createScenarioRunner, type NextAction } from '../harness/engines/shared/scenario-runner.ts';
import { referenceEmail } from '../harness/services/reference-app.ts';
import { binomialAtMost } from '../harness/statistics/binomial.ts';
import { type FakeRequest, fakeTaskApi } from '../test-support/fake-task-api.ts';
import browse from './browse.ts';
import crud from './crud.ts';
import type { Scenario, User } from './kit.ts';
import login from './login.ts';
import mixed, { defaultMix, type Mix, mixedScenario, mixParts } from './mixed.ts';
import visit from './visit.ts';

const scenarios: readonly Scenario[] = [login, crud, mixed, browse, visit];
const email = referenceEmail(1);
const user: User = { index: 0, email, password: `password of ${email}` };

type Api = ReturnType<typeof fakeTaskApi>;

/** Begins, then runs some iterations against an API in memory. `before` comes before each request. */
function play(
  scenario: Scenario,
  api: Api,
  iterations = 20,
  as: User = user,
  before = (_sent: number) => {},
  seed = 1,
) {
  const runner = createScenarioRunner({ scenario, user: as, seed, virtualUser: 0 });
  const ended: EndedRequest[] = [];
  let thoughtS = 0;
  let sent = 0;
  const perform = (first: NextAction): void => {
    for (let next = first; next.kind !== 'done'; ) {
      if (next.kind === 'think') {
        thoughtS += next.durationS;
        next = runner.resume();
        continue;
      }
      before(sent);
      sent += 1;
      const { request } = next;
      const { status, body, setCookies } = api.answer({ ...request, body: String(request.body ?? '') });
      const answered = {
        kind: 'answered',
        status,
        bodyBytes: 0,
        header: () => undefined,
        setCookies: () => setCookies,
      } as const;
      const step = runner.answer({ ...answered, text: () => body });
      ended.push(step.ended);
      next = step.next;
    }
  };
  perform(runner.begin());
  for (let iteration = 0; iteration < iterations; iteration += 1) perform(runner.startIteration());
  return { ended, thoughtS, failed: ended.filter((request) => request.outcome !== 'ok') };
}

describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('scenario %s', (_name, scenario) => {
  test('finds every answer of a working API right', () => {
    const { ended, failed } = play(scenario, fakeTaskApi());
    expect(ended.length).toBeGreaterThanOrEqual(20);
    expect(failed).toEqual([]);
  });

  test('finds an empty answer with the right status wrong', () => {
    const { failed } = play(
      scenario,
      fakeTaskApi(() => ({})),
    );
    expect(failed.length).toBeGreaterThan(0);
    expect(new Set(failed.map((request) => request.outcome))).toContain('wrong-answer');
  });

  test('thinks exactly when it says so', () => {
    expect(play(scenario, fakeTaskApi()).thoughtS > 0).toBe(scenario.hasThinkTime === true);
  });

  test('a wrong password fails, and ends nothing', () => {
    const { ended, failed } = play(scenario, fakeTaskApi(), 3, { ...user, password: 'wrong' });
    expect(failed).toEqual(ended);
    expect(ended.length).toBeGreaterThanOrEqual(3);
  });

  test('leaves as many tasks as it found', () => {
    const api = fakeTaskApi();
    play(scenario, api);
    const made = api.requests.filter((request) => request === 'POST /api/tasks').length;
    expect(api.requests.filter((request) => request.startsWith('DELETE'))).toHaveLength(made);
  });
});

test('login is one login an iteration', () => {
  const api = fakeTaskApi();
  play(login, api, 5);
  expect(api.requests).toEqual(Array(5).fill('POST /api/auth/login'));
});

test('crud logs in once, then makes, reads, lists, changes and removes a task', () => {
  const api = fakeTaskApi();
  play(crud, api, 2);
  const iteration = [
    'POST /api/tasks',
    'GET /api/tasks/:id',
    'GET /api/tasks',
    'PUT /api/tasks/:id',
    'GET /api/tasks/:id',
    'DELETE /api/tasks/:id',
    'GET /api/tasks/:id',
  ];
  expect(api.requests).toEqual(['POST /api/auth/login', ...iteration, ...iteration]);
});

test('browse mostly reads', () => {
  const api = fakeTaskApi();
  play(browse, api, 200);
  const writes = api.requests.filter((request) => /^(PUT|PATCH|DELETE|POST \/api\/tasks)/.test(request)).length;
  expect(writes).toBeGreaterThan(5);
  expect(writes / api.requests.length).toBeLessThan(0.05);
});

test('visit is a whole visit', () => {
  const api = fakeTaskApi();
  play(visit, api, 1);
  expect(api.requests[0]).toBe('POST /api/auth/login');
  expect(api.requests).toContain('POST /api/auth/refresh');
  expect(api.requests.at(-1)).toBe('POST /api/auth/logout');
});

describe('mixed', () => {
  /** How often each part was picked, by a request that only it sends. */
  function played(mix: Mix, seed: number, iterations = 400) {
    const api = fakeTaskApi();
    const { failed } = play(mixedScenario(mix), api, iterations, user, undefined, seed);
    expect(failed).toEqual([]);
    const count = (request: string) => api.requests.filter((each) => each === request).length;
    const counts: Mix = {
      browse: count('GET /api/tasks/stats'),
      crud: count('POST /api/tasks'),
      login: count('POST /api/auth/refresh'),
    };
    expect(counts.browse + counts.crud + counts.login).toBe(iterations);
    return { counts, count, requests: api.requests };
  }

  test.each<Mix>([defaultMix, { browse: 1, crud: 0, login: 3 }, { browse: 0.1, crud: 0.2, login: 0 }])(
    'picks its parts by their weights: %o',
    (mix) => {
      const total = mix.browse + mix.crud + mix.login;
      for (const seed of [1, 2, 3, 4, 5]) {
        const { counts } = played(mix, seed);
        for (const part of mixParts) {
          if (mix[part] === 0) expect(counts[part]).toBe(0);
          else {
            const atMost = binomialAtMost(counts[part], 400, mix[part] / total);
            expect(atMost).toBeGreaterThan(1e-4);
            expect(atMost).toBeLessThan(1 - 1e-4);
          }
        }
      }
    },
  );

  test('sends the same requests for the same seed, others for another', () => {
    expect(played(defaultMix, 7, 50).requests).toEqual(played(defaultMix, 7, 50).requests);
    expect(played(defaultMix, 7, 50).requests).not.toEqual(played(defaultMix, 8, 50).requests);
  });

  test('removes what it adds, and logs out of each session but that of its user', () => {
    const { counts, count } = played(defaultMix, 3);
    expect(count('DELETE /api/tasks/:id')).toBe(counts.crud);
    expect(count('POST /api/auth/login')).toBe(1 + counts.login);
    expect(count('POST /api/auth/logout')).toBe(counts.login);
  });

  test('browsing changes nothing, so that what it read stays cached', () => {
    const { requests } = played({ browse: 1, crud: 0, login: 0 }, 1, 50);
    expect(requests.filter((request) => !request.startsWith('GET'))).toEqual(['POST /api/auth/login']);
  });

  test.each([
    { browse: 0, crud: 0, login: 0 },
    { browse: -1, crud: 2, login: 0 },
    { browse: Number.NaN, crud: 2, login: 0 },
    { browse: Number.POSITIVE_INFINITY, crud: 2, login: 0 },
  ])('is not made of %o', (mix) => {
    expect(() => mixedScenario(mix)).toThrow(RangeError);
  });
});

test.each([
  ['another title', '/api/tasks/', (json: object) => ({ ...json, task: { ...taskOf(json), title: 'other' } })],
  ['another task', '/api/tasks/', (json: object) => ({ ...json, task: { ...taskOf(json), id: 0 } })],
  ['a list without pagination', '/api/tasks?', (json: object) => ({ ...json, pagination: undefined })],
  ['a list that is too short', '/api/tasks?', (json: object) => ({ ...json, tasks: [] })],
  ['a page of another number', '/api/tasks?', (json: object) => withPagination(json, { currentPage: 9 })],
  ['a wrong number of pages', '/api/tasks?', (json: object) => withPagination(json, { totalPages: 9 })],
])('crud notices %s', (_what, path, spoil) => {
  const api = fakeTaskApi((request: FakeRequest, json) => (request.path.startsWith(path) ? spoil(json) : json));
  const { failed } = play(crud, api, 1);
  expect(failed.map((request) => request.outcome)).toContain('wrong-answer');
});

test('when the access token has expired, it signs in again, and nothing counts as failed', () => {
  const api = fakeTaskApi();
  const { failed } = play(crud, api, 3, user, (sent) => {
    if (sent === 5 || sent === 12) api.expireAccessTokens();
  });
  expect(failed).toEqual([]);
  expect(api.requests.filter((request) => request === 'POST /api/auth/login')).toHaveLength(3);
});

test('a server that refuses fresh tokens does not pass for one whose tokens have expired', () => {
  const api = fakeTaskApi();
  const { ended, failed } = play(crud, api, 5, user, (sent) => {
    if (sent > 4) api.expireAccessTokens();
  });
  expect(failed.length).toBeGreaterThan(ended.length / 4);
});

function withPagination(json: object, changes: object): object {
  const pagination = 'pagination' in json && typeof json.pagination === 'object' ? json.pagination : {};
  return { ...json, pagination: { ...pagination, ...changes } };
}

function taskOf(json: object): object {
  return 'task' in json && typeof json.task === 'object' && json.task !== null ? json.task : {};
}
