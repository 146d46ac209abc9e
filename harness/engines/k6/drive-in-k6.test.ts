import { describe, expect, test } from 'vitest';
import { defineScenario, type Scenario, send, think, type User } from '../../../scenarios/kit.ts';
import type { K6Answer } from './answer-from-k6.ts';
import { driveInK6, type TrialInK6, type TrialModules } from './drive-in-k6.ts';
import { createEventReader, eventWriter, type K6Event, writeError } from './k6-events.ts';
import { metricsObserver } from './virtual-user-in-k6.ts';

const fine: K6Answer = { status: 200, error: '', error_code: 0, headers: {}, body: '{}' };
const refused: K6Answer = { ...fine, status: 0, error: 'dial: connection refused', error_code: 1212, body: null };
const users: User[] = [0, 1, 2].map((index) => ({ index: 99, email: `user-${index}`, password: 'secret' }));

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly body: string | ArrayBuffer | null;
  readonly params: { readonly jar: object; readonly headers: object; readonly timeout: number };
  readonly atMs: number;
}

/** k6 in virtual time: a request takes 10 ms. The scenario of k6 began 100 ms after the test run. */
function fakeK6(answer: (sent: Sent) => K6Answer = () => fine, vu = 2) {
  let nowMs = 100;
  const sent: Sent[] = [];
  const said: string[] = [];
  const slept: number[] = [];
  let aborted = 0;
  function request(method: string, url: string, body: string | ArrayBuffer | null, params: object): K6Answer {
    const one = { method, url, body, params: params as Sent['params'], atMs: nowMs };
    sent.push(one);
    nowMs += 10;
    return answer(one);
  }
  const modules: TrialModules = {
    base64: (text) => Buffer.from(text).toString('base64'),
    http: {
      request,
      asyncRequest: async (...parts) => request(...parts),
      CookieJar: class {},
    },
    exec: {
      vu: { idInTest: vu },
      scenario: {
        get progress() {
          return (nowMs - 100) / 5000;
        },
      },
      instance: {
        get currentTestRunDuration() {
          return nowMs;
        },
      },
      test: {
        abort() {
          aborted += 1;
        },
      },
    },
    sleep(seconds) {
      slept.push(seconds);
      nowMs += seconds * 1000;
    },
    setTimeout(then, milliseconds) {
      nowMs += milliseconds;
      then();
    },
  };
  const write = (lines: string) => void said.push(lines);
  const base64 = (bytes: ArrayBuffer) => Buffer.from(bytes).toString('base64');
  const drive = (scenario: Scenario, asked = plan) =>
    driveInK6(
      scenario,
      asked,
      users,
      modules,
      (virtualUser, originMs, nowMs) => eventWriter({ write, base64 }, virtualUser, originMs, nowMs),
      (error) => writeError(write, error),
    );
  function events(): readonly K6Event[] {
    const read: K6Event[] = [];
    const reader = createEventReader((event) => read.push(event));
    for (const lines of said) reader.read(lines);
    return read;
  }
  return { modules, drive, events, sent, slept, aborts: () => aborted, at: (ms: number) => (nowMs = ms) };
}

const plan: TrialInK6 = {
  baseUrl: 'http://127.0.0.1:1/base',
  seed: 1,
  timeoutS: 2.5,
  skipThinkTimes: false,
  baseUrls: {},
  isOpen: true,
  virtualUsers: 3,
  warmUpS: 1,
  durationS: 3,
  executorS: 5,
  longestBeginningS: 1,
  isTrial: true,
};

const scenarioOf = (parts: Partial<Scenario>): Scenario =>
  defineScenario({ name: 'mine', description: '', *iteration() {}, ...parts });
const get = (name: string) => send({ name, method: 'GET', path: `/${name}` });

describe('an iteration', () => {
  const shop = scenarioOf({
    *iteration({ user }) {
      yield* get('look');
      yield* think(0.2);
      yield* send({
        name: 'buy & pay',
        method: 'POST',
        path: '/buy',
        body: { json: { user: user.index } },
        expectStatus: 201,
      });
      yield* think(0.1);
    },
  });

  test('sends as the other engines do: of the user of this virtual user, within the timeout', () => {
    const k6 = fakeK6();
    const { iterate } = k6.drive(shop);
    iterate();
    iterate();
    expect(k6.sent.map(({ method, url, body }) => [method, url, body]).slice(0, 2)).toEqual([
      ['GET', 'http://127.0.0.1:1/base/look', null],
      ['POST', 'http://127.0.0.1:1/base/buy', '{"user":1}'],
    ]);
    expect(k6.sent[1]?.params).toMatchObject({
      headers: { 'content-type': 'application/json' },
      timeout: 2500,
    });
  });

  test('reports its start, each request with its scheduled start, what follows it, and the end', () => {
    const k6 = fakeK6();
    k6.drive(shop).iterate();
    const ended = { kind: 'ended', vu: 2, latencyMs: 10, serviceTimeMs: 10, bodyBytes: 2 };
    expect(k6.events().filter(({ kind }) => kind !== 'reported')).toEqual([
      { kind: 'origin', runMs: 100 },
      { kind: 'iteration', vu: 2, runMs: 100 },
      { ...ended, runMs: 110, how: { step: 'look', outcome: 'ok', status: 200, follows: 'think' } },
      { kind: 'request', vu: 2, runMs: 310 },
      { kind: 'failure', step: 'buy & pay', outcome: 'http-error', message: 'POST /buy answered 200: {}' },
      { ...ended, runMs: 320, how: { step: 'buy & pay', outcome: 'http-error', status: 200, follows: 'think' } },
      { kind: 'done', vu: 2, runMs: 420, failed: true },
    ]);
  });

  test('a think time that k6 slept too long is a part of the latency after it, and not of the service time', () => {
    const k6 = fakeK6();
    const { sleep } = k6.modules;
    k6.modules.sleep = (seconds: number) => sleep(seconds + 0.03);
    k6.drive(shop).iterate();
    expect(k6.events().filter((event) => event.kind === 'ended')[1]).toMatchObject({
      latencyMs: 40,
      serviceTimeMs: 10,
    });
  });

  test('does nothing any more when the window is over', () => {
    const k6 = fakeK6();
    const { iterate } = k6.drive(shop);
    iterate();
    const before = k6.sent.length;
    k6.at(4100);
    iterate();
    expect([k6.sent.length, k6.slept.at(-1)]).toEqual([before, 1]);
  });
});

describe('at the end of the window', () => {
  const hang = scenarioOf({
    *iteration() {
      yield* get('look');
    },
  });
  /** Answers come after 10 ms, the last one when it is cut off. */
  const cutOff = (isTrial: boolean) => {
    const k6 = fakeK6(({ atMs, params }) => {
      if (atMs >= 4090) k6.at(atMs + params.timeout);
      return atMs >= 4090 ? { ...refused, error: 'request timeout', error_code: 1050 } : fine;
    });
    const { iterate } = k6.drive(hang, { ...plan, isOpen: false, isTrial });
    for (let turn = 0; turn < 400; turn += 1) iterate();
    const requests = k6.events().filter(({ kind }) => kind === 'ended');
    return { requests, reported: k6.events().filter((event) => event.kind === 'reported'), sent: k6.sent };
  };

  test('a request in flight is cut off and not reported, and nothing is held back', () => {
    const { requests, reported, sent } = cutOff(true);
    expect(sent.at(-1)).toMatchObject({ atMs: 4090, params: { timeout: 11 } });
    expect(requests).toHaveLength(sent.length - 1);
    expect(requests.at(-1)).toMatchObject({ runMs: 4090, how: { outcome: 'ok' } });
    expect(reported.at(-1)).toMatchObject({ holdsBack: false });
    expect(reported.length).toBeLessThan(20);
  });

  test('one of an exported script has its whole timeout', () => {
    expect(cutOff(false).sent.find(({ atMs }) => atMs >= 4090)).toMatchObject({ params: { timeout: 2500 } });
  });
});

describe('a server that is down', () => {
  const ask = scenarioOf({
    *iteration() {
      yield* get('ask');
    },
  });
  const pausesIn = (isOpen: boolean, answers: readonly K6Answer[]): readonly number[] => {
    let turn = 0;
    const k6 = fakeK6(() => answers[turn++] ?? fine);
    const { iterate } = k6.drive(ask, { ...plan, isOpen });
    for (const _answer of answers) iterate();
    return k6.slept;
  };

  test('is not asked at once again and again by those who wait for an answer', () => {
    const many = Array.from({ length: 10 }, () => refused);
    expect(pausesIn(false, many)).toEqual([0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.2, 0.2]);
    expect(pausesIn(false, [refused, refused, refused, fine, refused, refused])).toEqual([0.005, 0.01]);
    expect(pausesIn(true, many)).toEqual([]);
  });

  test('is reported once for each step', () => {
    const k6 = fakeK6(() => refused);
    const { iterate } = k6.drive(ask);
    for (let turn = 0; turn < 3; turn += 1) iterate();
    expect(k6.events().filter(({ kind }) => kind === 'failure')).toEqual([
      { kind: 'failure', step: 'ask', outcome: 'refused', message: 'dial: connection refused' },
    ]);
  });
});

describe('begin', () => {
  const signIn = scenarioOf({
    *begin({ user }) {
      yield* think(0.2);
      const answer = yield* send({ name: 'sign in', method: 'POST', path: '/in', body: { json: user.email ?? null } });
      return { token: answer.text() };
    },
    *iteration({ session }) {
      const { token } = session as { token: string };
      yield* send({ name: 'ask', method: 'GET', path: '/', headers: { authorization: token } });
    },
  });

  test('is run for all users before any load, and its sessions reach their virtual users as JSON', async () => {
    const k6 = fakeK6(({ body }) => ({ ...fine, body: `token of ${body}` }));
    const { begin, iterate } = k6.drive(signIn);
    const begun = await begin();
    expect(k6.events()).toEqual([]);
    expect(begun).toEqual([0, 1, 2].map((index) => ({ session: { token: `token of "user-${index}"` } })));
    iterate(JSON.parse(JSON.stringify(begun)));
    expect(k6.sent.at(-1)?.params.headers).toEqual({ authorization: 'token of "user-1"' });
  });

  test('whom time did not suffice for begins in the first iteration', async () => {
    const k6 = fakeK6(() => fine, 3);
    const { begin, iterate } = k6.drive(signIn, { ...plan, longestBeginningS: 0.3 });
    const begun = await begin();
    expect(begun.at(-1)).toBeNull();
    const before = k6.sent.length;
    iterate(begun);
    expect(k6.sent.slice(before).map(({ url }) => url)).toEqual([
      'http://127.0.0.1:1/base/in',
      'http://127.0.0.1:1/base/',
    ]);
  });

  test.each([
    ['a date', new Date(0)],
    ['a map in an object', { all: new Map() }],
    ['a function', () => 1],
    ['no number', [Number.NaN]],
    ['a gap', [1, undefined]],
  ])('%s cannot be handed on', async (_what, session) => {
    const k6 = fakeK6();
    const odd = scenarioOf({
      // biome-ignore lint/correctness/useYield: it sends nothing.
      *begin() {
        return session;
      },
    });
    const { begin } = k6.drive(odd);
    await expect(begin()).rejects.toMatchObject({ code: 'K6_SESSION_NOT_JSON' });
    expect(k6.events()).toMatchObject([{ kind: 'error', error: { code: 'K6_SESSION_NOT_JSON' } }]);
    expect(k6.aborts()).toBe(1);
  });

  test('nothing at all can', async () => {
    const k6 = fakeK6();
    const nothing = scenarioOf({ *begin() {} });
    const begun = await k6.drive(nothing).begin();
    expect(JSON.parse(JSON.stringify(begun))).toEqual([{}, {}, {}]);
  });
});

test('what a scenario throws ends the test, with words for tierbench', () => {
  const k6 = fakeK6();
  const broken = scenarioOf({
    *iteration() {
      yield* get('ask');
      throw new Error('oops');
    },
  });
  expect(() => k6.drive(broken).iterate()).toThrow();
  expect(k6.aborts()).toBe(1);
  expect(k6.events().at(-1)).toMatchObject({ kind: 'error', error: { code: 'SCENARIO_THREW' } });
});

test('cookies of an answer are not sent with the next request', () => {
  const k6 = fakeK6(({ url }) => ({ ...fine, headers: url.endsWith('/enter') ? { 'Set-Cookie': 'a=1' } : {} }));
  const shop = scenarioOf({
    *iteration() {
      yield* get('look');
      yield* get('enter');
      yield* get('buy');
    },
  });
  k6.drive(shop).iterate();
  const [look, enter, buy] = k6.sent.map(({ params }) => params.jar);
  expect([enter === look, buy === enter]).toEqual([true, false]);
});

test('metrics of k6 hold requests that started after the warm-up, and the timeout for one that failed', () => {
  const k6 = fakeK6(({ url }) => (url.endsWith('/buy') ? refused : fine));
  const added: unknown[] = [];
  const metric = (name: string) => ({
    add: (value: unknown, tags: object) =>
      void added.push([name, typeof value === 'number' ? Math.round(value) : value, tags]),
  });
  const metrics = { latency: metric('latency'), failed: metric('failed'), succeeded: metric('succeeded') };
  const shop = scenarioOf({
    *begin() {
      yield* get('enter');
    },
    *iteration() {
      yield* get('early');
      yield* think(1);
      yield* get('look');
      yield* get('buy');
    },
  });
  const observe = (_virtualUser: number, originMs: number) => metricsObserver(plan, metrics, originMs);
  driveInK6(shop, { ...plan, isTrial: false }, users, k6.modules, observe).iterate();
  expect(k6.sent.map(({ url }) => url.split('/').at(-1))).toEqual(['enter', 'early', 'look', 'buy']);
  expect(added).toEqual([
    ['latency', 10, { step: 'look' }],
    ['failed', false, { step: 'look' }],
    ['succeeded', 1, { step: 'look' }],
    ['latency', 2500, { step: 'buy' }],
    ['failed', true, { step: 'buy' }],
  ]);
});
