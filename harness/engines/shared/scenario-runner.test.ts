import { describe, expect, test } from 'vitest';
import {
  defineScenario,
  type Request,
  type Response,
  type Scenario,
  send,
  think,
  type User,
} from '../../../scenarios/kit.ts';
import { TierbenchError } from '../../core/errors.ts';
import { responseFromRawHeaders } from '../../http-client/client-response.ts';
import type { RawResponse } from '../../http-client/message.ts';
import { parseSetCookies, ScenarioResponse } from './classify-response.ts';
import { createScenarioRunner, MOST_BEGIN_REQUESTS, type NextAction, type ScenarioRunner } from './scenario-runner.ts';

const user: User = { index: 3, email: 'user@example.org', password: 'secret' };
const get: Request = { name: 'get', method: 'GET', path: '/' };

function runnerFor(scenario: Partial<Scenario>, settings: { skipThinkTimes?: boolean; seed?: number } = {}) {
  const whole = { name: 'mine', description: '', *iteration() {}, ...scenario };
  return createScenarioRunner({ scenario: whole, user, seed: 1, virtualUser: 3, ...settings });
}

const sending = (request: unknown): Partial<Scenario> => ({
  *iteration() {
    yield* send(request as Request);
  },
});

function answered(status: number, body = '', headers: readonly string[] = []): RawResponse {
  return responseFromRawHeaders(status, headers, body.length, () => body);
}

const refused: RawResponse = { kind: 'failed', outcome: 'refused', message: 'connect ECONNREFUSED' };

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof TierbenchError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

/** Plays iterations, answering all requests the same, and gives what was sent. */
function play(runner: ScenarioRunner, iterations: number, answer: RawResponse = answered(200, '{}')): string[] {
  const sent: string[] = [];
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    for (let next: NextAction = runner.startIteration(); next.kind !== 'done'; ) {
      if (next.kind === 'send') {
        sent.push(`${next.request.method} ${next.request.path}`);
        next = runner.answer(answer).next;
      } else next = runner.resume();
    }
  }
  return sent;
}

describe('a request ends as', () => {
  const end = (request: Partial<Request>, answer: RawResponse) => {
    const runner = runnerFor(sending({ ...get, ...request }));
    runner.startIteration();
    const { ended, next } = runner.answer(answer);
    expect(next).toEqual({ kind: 'done', failed: ended.outcome !== 'ok' });
    return [ended.outcome, ended.status, ended.describe()];
  };

  test('ok, when the status and the content are right', () => {
    expect(end({}, answered(204))).toEqual(['ok', 204, '']);
    expect(end({ expectStatus: 404 }, answered(404))).toEqual(['ok', 404, '']);
    expect(end({ expectStatus: [302, 200] }, answered(302))).toEqual(['ok', 302, '']);
    expect(end({ check: (response) => response.ok && response.text() === 'x' }, answered(200, 'x'))[0]).toBe('ok');
  });

  test('http-error, when the status is another: then the content is not looked at', () => {
    const check = () => {
      throw new Error('not to be called');
    };
    expect(end({ check }, answered(500, 'no\n  luck'))).toEqual(['http-error', 500, 'GET / answered 500: no luck']);
    expect(end({ expectStatus: 201 }, answered(200))[0]).toBe('http-error');
    expect(end({}, answered(302))[0]).toBe('http-error');
  });

  test('wrong-answer, when the check says no, says nothing or throws', () => {
    expect(end({ check: () => false }, answered(200))).toEqual([
      'wrong-answer',
      200,
      'GET / answered 200, but the scenario says its content is wrong',
    ]);
    expect(end({ check: () => undefined as unknown as boolean }, answered(200))[0]).toBe('wrong-answer');
    expect(end({ check: (response) => (response.json() as { a: { b: boolean } }).a.b }, answered(200, '{}'))).toEqual([
      'wrong-answer',
      200,
      "GET / answered 200, but the scenario's check threw: Cannot read properties of undefined (reading 'b')",
    ]);
  });

  test('what the engine says, when no answer came', () => {
    expect(end({ expectStatus: 404 }, refused)).toEqual(['refused', 0, 'connect ECONNREFUSED']);
  });

  test('messages hold neither tokens nor queries', () => {
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';
    const [, , message] = end({ path: '/reset?token=secret' }, answered(400, `{"token":"${token}"}`));
    expect(message).toBe('GET /reset answered 400: {"token":"[left out]"}');
    expect(String(end({}, answered(400, 'x '.repeat(5000)))[2]).length).toBeLessThan(250);
  });
});

describe('the scenario sees', () => {
  test('status, headers, cookies, text and JSON of an answer', () => {
    const response = new ScenarioResponse(
      responseFromRawHeaders(
        201,
        ['X-Id', '7', 'Set-Cookie', 'a=1; Path=/', 'set-cookie', 'b=x=y', 'Vary', 'a', 'vary', 'b'],
        7,
        () => '{"n":1}',
      ),
      true,
    );
    expect(response.header('X-ID')).toBe('7');
    expect(response.header('vary')).toBe('a, b');
    expect(response.header('none')).toBeUndefined();
    expect({ ...response.cookies }).toEqual({ a: '1', b: 'x=y' });
    expect(response.json()).toEqual({ n: 1 });
    expect(response.json()).toBe(response.json());
  });

  test('no JSON as undefined, and reads a body only when asked', () => {
    expect(
      new ScenarioResponse(
        responseFromRawHeaders(200, [], 0, () => 'no json'),
        true,
      ).json(),
    ).toBeUndefined();
    const unread = () => {
      throw new Error('read');
    };
    expect(new ScenarioResponse(responseFromRawHeaders(200, [], 0, unread), true).status).toBe(200);
  });

  test('a body that was not kept: ok unless the scenario reads it, in its check or after', () => {
    const lost = responseFromRawHeaders(200, [], 0, () => '', 'not kept');
    const endedBy = (scenario: Partial<Scenario>) => {
      const runner = runnerFor(scenario);
      runner.startIteration();
      const { ended, next } = runner.answer(lost);
      return [ended.outcome, ended.status, ended.describe(), next];
    };
    const malformed = ['malformed', 0, 'not kept', { kind: 'done', failed: true }];
    expect(endedBy(sending(get))).toEqual(['ok', 200, '', { kind: 'done', failed: false }]);
    expect(endedBy(sending({ ...get, check: (response: Response) => response.text() === '' }))).toEqual(malformed);
    const readsLater: Partial<Scenario> = {
      *iteration() {
        const { token } = (yield* send(get)).json() as { token: string };
        yield* send({ ...get, headers: { token } });
      },
    };
    expect(endedBy(readsLater)).toEqual(malformed);
  });

  test('a failed request as an answer with status 0', () => {
    const seen: unknown[] = [];
    const runner = runnerFor({
      *iteration() {
        const answer = yield* send(get);
        seen.push(answer.status, answer.ok, answer.text(), answer.json(), answer.header('a'), { ...answer.cookies });
      },
    });
    play(runner, 1, refused);
    expect(seen).toEqual([0, false, '', undefined, undefined, {}]);
  });

  test.each([
    ['a=1', { a: '1' }],
    ['a=; Max-Age=0', { a: '' }],
    ['a="quoted"; Path=/', { a: '"quoted"' }],
    [' a = 1 ', { a: '1' }],
    ['nothing', {}],
    ['=1', {}],
    ['', {}],
    ['__proto__=1', JSON.parse('{"__proto__":"1"}')],
  ])('the cookie of %j', (header, cookies) => {
    expect(Object.entries(parseSetCookies([header]))).toEqual(Object.entries(cookies));
  });
});

describe('begin', () => {
  test('begins again after a failed request, although the scenario went on, and the iteration has failed', () => {
    const runner = runnerFor({
      *begin() {
        yield* send({ ...get, path: '/begin' });
      },
      ...sending(get),
    });
    runner.begin();
    expect(runner.answer(answered(500)).next).toEqual({ kind: 'done', failed: true });
    expect(runner.begun()).toBeUndefined();
    runner.startIteration();
    expect(runner.answer(answered(500)).next).toEqual({ kind: 'done', failed: true });
    expect(play(runner, 2)).toEqual(['GET /begin', 'GET /', 'GET /']);
  });

  const tokens = (): Scenario =>
    defineScenario({
      name: 'mine',
      description: '',
      *begin() {
        const answer = yield* send({ ...get, path: '/begin' });
        return { token: (answer.json() as { token: string }).token };
      },
      *iteration({ session }) {
        yield* send({ ...get, path: `/${session.token}` });
      },
    });

  test('runs once and hands its session to each iteration', () => {
    const runner = runnerFor(tokens());
    expect(runner.begin()).toMatchObject({ kind: 'send', request: { path: '/begin' } });
    expect(runner.answer(answered(200, '{"token":"t1"}')).next).toEqual({ kind: 'done', failed: false });
    expect(play(runner, 2)).toEqual(['GET /t1', 'GET /t1']);
  });

  test('is at once over where there is none', () => {
    expect(runnerFor({}).begin()).toEqual({ kind: 'done', failed: false });
  });

  test('may have been run elsewhere', () => {
    const scenario: Scenario = {
      name: 'mine',
      description: '',
      *begin() {
        yield* send({ ...get, path: '/begin' });
        return { token: 'fresh' };
      },
      *iteration({ session }) {
        yield* send({ ...get, path: `/${(session as { token: string }).token}` });
      },
    };
    const options = { scenario, user, seed: 1, virtualUser: 3 };
    const elsewhere = createScenarioRunner(options);
    expect(elsewhere.begun()).toBeUndefined();
    elsewhere.begin();
    elsewhere.answer(answered(200));
    expect(elsewhere.begun()).toEqual({ session: { token: 'fresh' } });
    const runner = createScenarioRunner({ ...options, begun: { session: { token: 'kept' } } });
    expect(play(runner, 2)).toEqual(['GET /kept', 'GET /kept']);
  });

  test('that gave up after a failed request is tried again with the next iteration', () => {
    const runner = runnerFor(tokens());
    runner.begin();
    expect(runner.answer(refused).next).toEqual({ kind: 'done', failed: true });
    expect(play(runner, 2, refused)).toEqual(['GET /begin', 'GET /begin']);
    expect(play(runner, 2, answered(200, '{"token":"t2"}'))).toEqual(['GET /begin', 'GET /t2', 'GET /t2']);
  });

  test('that never ends is an error', () => {
    const runner = runnerFor({
      *begin() {
        for (;;) yield* send(get);
      },
    });
    runner.begin();
    const answerAll = () => {
      for (let count = 0; count <= MOST_BEGIN_REQUESTS; count += 1) runner.answer(answered(200));
    };
    expect(codeOf(answerAll)).toBe('SCENARIO_BEGINS_FOREVER');
  });
});

describe('random numbers and users', () => {
  const telling: Partial<Scenario> = {
    *iteration({ random, user: { index } }) {
      yield* send({ ...get, path: `/${index}/${random()}` });
      yield* send({ ...get, path: `/${random()}` });
    },
  };

  test('are the same for the same seed, others for another', () => {
    const withSeed = (seed: number) => play(runnerFor(telling, { seed }), 3);
    expect(withSeed(5)).toEqual(withSeed(5));
    expect(withSeed(5)).not.toEqual(withSeed(6));
    expect(new Set(withSeed(5)).size).toBe(6);
  });

  test('of an iteration do not depend on what came before it', () => {
    const early: Partial<Scenario> = {
      *iteration({ random }) {
        const answer = yield* send({ ...get, path: `/${random()}` });
        if (answer.ok) yield* send({ ...get, path: `/${random()}` });
      },
    };
    const firsts = (answer: RawResponse, each: number) =>
      play(runnerFor(early), 3, answer).filter((_, i) => i % each === 0);
    expect(firsts(answered(500), 1)).toEqual(firsts(answered(200), 2));
  });
});

describe('think times', () => {
  const thoughtful: Partial<Scenario> = {
    *iteration() {
      yield* think(0);
      yield* think(1.5);
      yield* send(get);
    },
  };

  test('are the engine’s to wait', () => {
    const runner = runnerFor(thoughtful);
    expect(runner.startIteration()).toEqual({ kind: 'think', durationS: 1.5 });
    expect(runner.resume()).toMatchObject({ kind: 'send' });
  });

  test('are left out when asked', () => {
    expect(runnerFor(thoughtful, { skipThinkTimes: true }).startIteration()).toMatchObject({ kind: 'send' });
  });
});

describe('a broken scenario is an error with a code', () => {
  test.each<[string, Partial<Scenario>, string, RegExp]>([
    ['yields a number', yielding(5), 'SCENARIO_INVALID_ACTION', /yielded 5 in iteration/],
    ['yields nothing', yielding(undefined), 'SCENARIO_INVALID_ACTION', /yielded undefined/],
    ['yields without the star', yielding(send(get)), 'SCENARIO_INVALID_ACTION', /yielded a generator/],
    ['yields another object', yielding({ kind: 'sleep' }), 'SCENARIO_INVALID_ACTION', /an object with kind/],
    [
      'thinks backwards',
      yielding({ kind: 'think', durationS: -1 }),
      'SCENARIO_INVALID_ACTION',
      /thinks for -1 seconds/,
    ],
    ['thinks NaN', yielding({ kind: 'think', durationS: Number.NaN }), 'SCENARIO_INVALID_ACTION', /NaN seconds/],
    ['thinks text', yielding({ kind: 'think', durationS: '1' }), 'SCENARIO_INVALID_ACTION', /thinks for 1 seconds/],
    ['thinks for ever and ever', endless(think(0)), 'SCENARIO_SENDS_NOTHING', /10000 times/],
    ['has an async iteration', { iteration: (async () => {}) as never }, 'SCENARIO_INVALID', /not a synchronous/],
    ['has no generator', { iteration: (() => 5) as never }, 'SCENARIO_INVALID', /not a synchronous generator/],
    [
      'throws before its first request',
      throwing(),
      'SCENARIO_THREW',
      /Error: oops \(scenario-runner.test.ts:\d+:\d+\)/,
    ],
    ['sends no object', sending(undefined), 'SCENARIO_INVALID_REQUEST', /no object/],
    ['sends null', yielding({ kind: 'send', request: null }), 'SCENARIO_INVALID_REQUEST', /no object/],
    ['sends nothing in any iteration', {}, 'SCENARIO_SENDS_NOTHING', /without sending/],
  ])('%s', (_what, scenario, code, message) => {
    const runner = runnerFor(scenario);
    const work = () => play(runner, 10_001);
    expect(codeOf(() => play(runnerFor(scenario), 10_001))).toBe(code);
    expect(work).toThrow(message);
  });

  test('but one that throws after a failed request only gives up: the failure is counted already', () => {
    const runner = runnerFor({
      *iteration() {
        const answer = yield* send(get);
        yield* send({ ...get, path: `/${(answer.json() as { id: number }).id}` });
      },
    });
    runner.startIteration();
    expect(runner.answer(answered(500, 'down')).next).toEqual({ kind: 'done', failed: true });
    runner.startIteration();
    expect(codeOf(() => runner.answer(answered(200, 'not JSON')))).toBe('SCENARIO_THREW');
  });
});

test('an answer nobody waits for is a defect', () => {
  expect(() => runnerFor({}).answer(answered(200))).toThrow('was given an answer it did not ask for');
});

describe('whatever a scenario throws or is made of, its error is one of the scenario', () => {
  const fail = (): never => {
    throw new Error('trap');
  };
  const traps = { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail };
  const circular: Error & { cause?: unknown } = new Error('circular');
  circular.cause = circular;
  const odd: Readonly<Record<string, unknown>> = {
    undefined,
    null: null,
    'a symbol': Symbol('mine'),
    'a number': 7n,
    'an object whose toString throws': { toString: fail },
    'an object without a prototype': Object.create(null),
    'a proxy': new Proxy({}, traps),
    'a proxy of an error': new Proxy(new Error('inner'), { get: fail }),
    'a function that is a proxy': new Proxy(() => undefined, traps),
    'a frozen error': Object.freeze(new Error('frozen')),
    'a circular cause': circular,
    'an error whose message throws': Object.defineProperty(new Error(''), 'message', { get: fail }),
    'an error whose stack throws': Object.defineProperty(new Error('stackless'), 'stack', { get: fail }),
    'a text of 1 MB': 'x'.repeat(1e6),
    'an error of 1 MB': new Error('x'.repeat(1e6)),
  };
  const codes = ['SCENARIO_THREW', 'SCENARIO_INVALID', 'SCENARIO_INVALID_ACTION', 'SCENARIO_INVALID_REQUEST'];
  const thrownBy = (scenario: Partial<Scenario>): unknown => {
    try {
      play(runnerFor(scenario), 1);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test.each(Object.entries(odd))('%s', (_name, value) => {
    const raise = (): never => {
      throw value;
    };
    const scenarios: Partial<Scenario>[] = [
      { iteration: raise as never },
      {
        *iteration() {
          yield* send(raise());
        },
      },
      yielding(value),
      yielding({ kind: 'send', request: value }),
      yielding({ kind: 'think', durationS: value }),
      sending({ ...get, method: value }),
      sending({ ...get, body: { json: { toJSON: raise } } }),
      { iteration: (() => ({ next: raise })) as never },
      { iteration: (() => ({ next: () => value })) as never },
    ];
    for (const [index, scenario] of scenarios.entries()) {
      const error = thrownBy(scenario);
      expect(error, String(index)).toBeInstanceOf(TierbenchError);
      expect(codes).toContain((error as TierbenchError).code);
      expect((error as TierbenchError).message.length).toBeLessThan(2000);
    }
    const runner = runnerFor(sending({ ...get, check: raise }));
    runner.startIteration();
    expect(runner.answer(answered(200)).ended).toMatchObject({ outcome: 'wrong-answer' });
  });
});

function yielding(value: unknown): Partial<Scenario> {
  return {
    *iteration() {
      yield value as never;
    },
  };
}

function endless(action: Generator): Partial<Scenario> {
  const [value] = action;
  return {
    *iteration() {
      for (;;) yield value as never;
    },
  };
}

function throwing(): Partial<Scenario> {
  return {
    // biome-ignore lint/correctness/useYield: it throws before it could.
    *iteration() {
      throw new Error('oops');
    },
  };
}
