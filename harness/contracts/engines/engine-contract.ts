import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ArrivalProcess } from '../../core/load.ts';
import { type Interval, type OutcomeCounts, requestOutcomes } from '../../core/trial.ts';
import type { LoadEngine, TrialRequest } from '../../engines/engine.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { answersContract } from './answers-contract.ts';
import { closedLoadContract } from './closed-load-contract.ts';
import { arrivalsContract, type OpenLoadSettings, openLoadContract, queuesContract } from './open-load-contract.ts';
import bodiesScenario, { bodies } from './scenarios/bodies.ts';
import broken from './scenarios/broken.ts';
import conversation from './scenarios/conversation.ts';
import namedById from './scenarios/named-by-id.ts';
import oneRequest from './scenarios/one-request.ts';
import outcomes from './scenarios/outcomes.ts';
import sizes from './scenarios/sizes.ts';
import withBegin from './scenarios/with-begin.ts';
import { closedPort, type SeenRequest, startTestServer } from './server.ts';
import { expectConsistent, expectOnly, openRequestFor, outcomesOf, requestFor, statusesOf } from './trial-contract.ts';

/** What an engine can do, named by its test: one that lost it would only run fewer tests of the contract. */
interface Offers {
  readonly supports: readonly ('closed' | 'open')[];
  readonly arrivals: readonly ArrivalProcess[];
}

/** All that an engine must keep but for what is held against the clock: how it reads answers, counts arrivals, and stops. */
export function engineContract(
  name: string,
  makeEngine: () => LoadEngine,
  { offers }: { readonly offers: Offers },
): void {
  test(`${name} offers what it is expected to offer`, () => {
    const { supports, arrivals } = makeEngine();
    expect({ supports: [...supports].toSorted(), arrivals: [...arrivals].toSorted() }).toEqual(offers);
  });
  answersContract(name, makeEngine);
  if (offers.supports.includes('open')) arrivalsContract(name, makeEngine);
  programContract(name, makeEngine);
}

/** What an engine must keep on a machine that does nothing else: latencies and rates, of every load it offers. */
export function timingContract(name: string, makeEngine: () => LoadEngine, settings: OpenLoadSettings = {}): void {
  closedLoadContract(name, makeEngine, settings);
  if (!makeEngine().supports.has('open')) return;
  openLoadContract(name, makeEngine, settings);
  queuesContract(name, makeEngine, settings);
}

/** What every version of an engine must do: how it sends, receives, counts and stops. */
export function programContract(name: string, makeEngine: () => LoadEngine): void {
  const run = (request: TrialRequest, signal = new AbortController().signal, seen?: (interval: Interval) => void) =>
    makeEngine().run(request, signal, seen);

  describe(`${name} keeps the engine contract`, () => {
    test('sends what the scenario says, in order, and shows it what came back', async () => {
      await using server = await startTestServer((seen, _request, response) => {
        if (seen.path.startsWith('/base/open')) {
          response.setHeader('set-cookie', ['a=1; Path=/; HttpOnly', 'b=x=y; Secure']);
          response.setHeader('x-answer', 'yes');
          response.statusCode = 201;
        }
        // In two pieces, cut inside a letter.
        const body = Buffer.from(JSON.stringify({ said: 'déjà 世界' }));
        response.write(body.subarray(0, 12));
        setImmediate(() => response.end(body.subarray(12)));
      });
      const trial = await run(requestFor(conversation, `${server.baseUrl}/base/`, 1, { durationS: 1 }));
      expect(server.seen.length).toBeGreaterThan(3);
      for (const [index, seen] of server.seen.entries()) {
        const expected = ['POST /base/open?a=1&b=%C3%A9', 'PUT /base/tell', 'DELETE /base/close'][index % 3];
        expect(`${seen.method} ${seen.path}`).toBe(expected);
        expect(seen.headers['x-user']).toBe('0');
      }
      const [open, tell, close] = server.seen;
      expect(open?.headers['content-type']).toBe('application/json');
      expect(open?.headers.cookie).toBeUndefined();
      expect(JSON.parse(open?.body ?? '')).toMatchObject({ text: 'Grüße, 世界' });
      expect(tell?.headers.cookie).toBe('a=1; b=x=y');
      expect(JSON.parse(tell?.body ?? '')).toEqual({
        status: 201,
        ok: true,
        header: 'yes',
        body: { said: 'déjà 世界' },
      });
      expect(close?.body).toBe('');
      expectConsistent(trial);
      expect(trial.steps.map((step) => step.name)).toEqual(['open', 'tell', 'close']);
      expect(statusesOf(trial, 'open')).toEqual({ 201: outcomesOf(trial, 'open').ok });
      expect(trial.failureExamples).toEqual([]);
    });

    test('sends every kind of body, HEAD and OPTIONS, and requests to another base URL', async () => {
      const answer: Parameters<typeof startTestServer>[0] = ({ method }, _request, response) => {
        // A client that took this length for that of a body would wait for it.
        if (method === 'HEAD') response.writeHead(200, { 'content-length': '5', 'x-answer': 'yes' }).end();
        else if (method === 'OPTIONS') response.writeHead(204).end();
        else response.end('{}');
      };
      await using main = await startTestServer(answer);
      await using other = await startTestServer(answer);
      const request = requestFor(bodiesScenario, main.baseUrl, 1, { durationS: 1 });
      const trial = await run({
        ...request,
        plan: { ...request.plan, baseUrls: { other: `${other.baseUrl}/prefix/` } },
      });
      expectConsistent(trial);
      expect(trial.failureExamples).toEqual([]);
      const seen = new Map(main.seen.map((one) => [decodeURIComponent(one.path.slice(1)), one]));
      for (const [name, { type, sent }] of Object.entries(bodies)) {
        const { headers, bytes } = seen.get(name) ?? { headers: {}, bytes: Buffer.from('nothing came') };
        const came = [name, headers['content-type'], headers['content-length'], bytes.toString('latin1')];
        expect(came).toEqual([name, type, String(sent.length), sent]);
      }
      expect(seen.get('head')).toMatchObject({ method: 'HEAD', body: '' });
      expect(seen.get('options')).toMatchObject({ method: 'OPTIONS', body: '' });
      expect([...seen.keys()]).not.toContain('elsewhere');
      expect(new Set(other.seen.map(({ path }) => path))).toEqual(new Set(['/prefix/elsewhere']));
      expect(expectOnly('ok', trial, 'elsewhere')).toBeGreaterThanOrEqual(1);
      expect(expectOnly('ok', trial, 'back')).toBeGreaterThanOrEqual(1);
    });

    test('counts the bytes of bodies as they were sent', async () => {
      const text = 'déjà 世界 '.repeat(20);
      const bodies: Readonly<Record<string, Buffer>> = {
        length: Buffer.from(text),
        chunks: Buffer.from(text),
        gzip: gzipSync(text),
        large: Buffer.alloc(200_000, 'x'),
        error: Buffer.from('no'),
      };
      await using server = await startTestServer(({ method, path }, _request, response) => {
        const name = path.slice(1);
        const body = bodies[name] ?? Buffer.alloc(0);
        if (name === 'gzip') response.setHeader('content-encoding', 'gzip');
        if (name === 'error') response.statusCode = 500;
        if (name === 'empty') response.writeHead(204).end();
        else if (name === 'chunks') {
          response.write(body.subarray(0, 12));
          response.end(body.subarray(12));
        } else response.setHeader('content-length', body.length).end(method === 'HEAD' ? undefined : body);
      });
      const trial = await run(requestFor(sizes, server.baseUrl, 1, { durationS: 1 }));
      expectConsistent(trial);
      expect(trial.failureExamples).toEqual([]);
      const bytes = trial.steps.map(({ name, outcomes: { ok }, responseBytes = 0 }) => [name, responseBytes / ok]);
      const sent = Object.entries(bodies).map(([name, body]) => [name, body.length]);
      expect(bytes).toEqual([...sent, ['head', 0], ['empty', 0]]);
    });

    test('counts each way a request can end', async () => {
      await using server = await startTestServer((seen, request, response) => {
        const { socket } = request;
        if (seen.path === '/ok') response.end('fine');
        else if (seen.path === '/error') response.writeHead(500).end('no');
        else if (seen.path === '/reset') socket.resetAndDestroy();
        else if (seen.path === '/close') socket.end();
        else if (seen.path === '/cut-short') socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort');
        else if (seen.path === '/malformed') socket.write('this is not HTTP\r\n\r\n');
        else if (seen.path === '/trickle') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nslow');
      });
      const trial = await run(requestFor(outcomes, server.baseUrl, 5, { durationS: 4, timeoutS: 1 }));
      const expected: Record<string, keyof OutcomeCounts> = {
        ok: 'ok',
        'wrong-answer': 'wrong-answer',
        'http-error': 'http-error',
        'expected error': 'ok',
        reset: 'reset',
        closed: 'reset',
        'cut short': 'reset',
        malformed: 'malformed',
        timeout: 'timeout',
        'too slow': 'timeout',
      };
      expectConsistent(trial);
      expect(trial.steps.map((step) => step.name)).toEqual(Object.keys(expected));
      for (const [step, outcome] of Object.entries(expected)) {
        const counts = outcomesOf(trial, step);
        const others = requestOutcomes.filter((other) => other !== outcome).map((other) => counts[other]);
        expect([step, ...others]).toEqual([step, ...others.map(() => 0)]);
        expect(counts[outcome]).toBeGreaterThanOrEqual(5);
      }
      expect(trial.iterations.failed).toBe(trial.iterations.completed);
      const failing = Object.entries(expected).filter(([, outcome]) => outcome !== 'ok');
      const reported = trial.failureExamples.map((example) => [example.step, example.outcome]);
      expect(reported.toSorted()).toEqual(failing.toSorted());
      for (const example of trial.failureExamples) expect(example.message).not.toBe('');
      // Each request was sent once: none again after its connection broke.
      const sent = Map.groupBy(server.seen, (seen) => seen.path);
      const closed = sent.get('/close')?.length ?? 0;
      expect(closed - (sent.get('/cut-short')?.length ?? 0)).toBeLessThanOrEqual(5);
      expect(closed - outcomesOf(trial, 'closed').reset).toBeLessThanOrEqual(5);
    });

    test('nobody there: refused, and it ends in time', async () => {
      const trial = await run(
        requestFor(oneRequest, `http://127.0.0.1:${await closedPort()}`, 3, { durationS: 1, warmUpS: 0.2 }),
      );
      expectConsistent(trial);
      expect(trial.stopped).toBe(false);
      const refused = expectOnly('refused', trial);
      expect(refused).toBeGreaterThan(0);
      // It does not hammer: a system that is down would be measured as one that fails a million times a minute.
      expect(refused).toBeLessThan(3 * 500);
      expect(trial.iterations.failed).toBe(trial.iterations.completed);
    });

    test('the same seed sends the same requests, another seed others', async () => {
      const sentWith = async (seed: number): Promise<readonly (readonly string[])[]> => {
        const sent: [string[], string[]] = [[], []];
        const stop = new AbortController();
        await using server = await startTestServer((seen, _request, response) => {
          sent[Number(seen.headers['x-user'])]?.push(`${seen.method} ${seen.path} ${seen.body}`);
          if (sent.every((requests) => requests.length >= 9)) stop.abort();
          response.end('{}');
        });
        await run(requestFor(conversation, server.baseUrl, 2, { durationS: 60, seed }), stop.signal);
        return sent.map((requests) => requests.slice(0, 9));
      };
      const [first, again, other] = [await sentWith(7), await sentWith(7), await sentWith(8)];
      expect(first.map((requests) => requests.length)).toEqual([9, 9]);
      expect(again).toEqual(first);
      expect(other).not.toEqual(first);
      expect(first[0]).not.toEqual(first[1]);
    });

    test('stops soon after the signal aborts, and keeps what it measured', async () => {
      const users = 4;
      await using server = await startTestServer((_seen, _request, response) => {
        setTimeout(() => response.end('{}'), 20);
      });
      const stop = new AbortController();
      const intervals: Interval[] = [];
      let atAbort = { atMs: 0, sent: 0 };
      const request = requestFor(oneRequest, server.baseUrl, users, { warmUpS: 0.5, durationS: 600, timeoutS: 5 });
      const trial = await run(request, stop.signal, (interval) => {
        intervals.push(interval);
        if (interval.startS < 1 || stop.signal.aborted) return;
        atAbort = { atMs: performance.now(), sent: server.seen.length };
        stop.abort();
      });
      // No request was waited for any longer than its timeout.
      expect(performance.now() - atAbort.atMs).toBeLessThan(5000);
      expect(trial.stopped).toBe(true);
      expect(trial.measuredS).toBeGreaterThanOrEqual(2);
      expect(trial.measuredS).toBeLessThan(600);
      expectConsistent(trial);
      expect(intervals.slice(0, 3)).toEqual(trial.intervals.slice(0, 3));
      expect(intervals.map((interval) => interval.startS)).toEqual(trial.intervals.map((interval) => interval.startS));
      // What was answered by then is in a second of the trial, warming up or measured.
      const counted = intervals.flatMap(({ steps }) => steps).reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
      expect(counted).toBeGreaterThanOrEqual(atAbort.sent - users);
      expect(counted).toBeLessThanOrEqual(server.seen.length);
      expectOnly('ok', trial);
    });

    test('a server that never answers leaves nothing but requests that wait', async () => {
      await using server = await startTestServer(() => {});
      const trial = await run(requestFor(oneRequest, server.baseUrl, 3, { warmUpS: 1, durationS: 1 }));
      expectConsistent(trial);
      expect([trial.stopped, trial.measuredS, trial.steps]).toEqual([false, 1, []]);
      const waiting = LatencyHistogram.decode(trial.inFlightAtEnd);
      expect(waiting.count).toBe(3);
      // Sent when the warm-up began; it may have begun a little late.
      expect(waiting.quantileS(0)).toBeGreaterThan(1);
      expect(waiting.maxS).toBeLessThan(2.01);
    });

    test('stopped before it starts, or while the server says nothing', async () => {
      await using server = await startTestServer(() => {});
      const early = await run(requestFor(oneRequest, server.baseUrl, 1, { durationS: 600 }), AbortSignal.abort());
      expect([early.stopped, early.measuredS, early.steps]).toEqual([true, 0, []]);
      const stop = new AbortController();
      const silent = run(requestFor(withBegin, server.baseUrl, 2, { durationS: 600 }), stop.signal);
      await expect.poll(() => server.seen.length).toBe(2);
      stop.abort();
      const stopped = await silent;
      expect(stopped).toMatchObject({ stopped: true, measuredS: 0, steps: [] });
      // Nothing waits in a window that never opened.
      expect(LatencyHistogram.decode(stopped.inFlightAtEnd).count).toBe(0);
    });

    test('begins once for each virtual user, before the window and outside of the figures', async () => {
      await using server = await startTestServer((seen, _request, response) => {
        setTimeout(() => response.end(seen.path === '/begin' ? `token-${seen.body}` : '{}'), 5);
      });
      const trial = await run(requestFor(withBegin, server.baseUrl, 25, { durationS: 1 }));
      expectConsistent(trial);
      const begins = server.seen.filter((seen) => seen.path === '/begin');
      expect(begins.map((seen) => JSON.parse(seen.body).user).toSorted((a, b) => a - b)).toEqual(upTo(25));
      expect(server.seen.slice(0, 25).every((seen) => seen.path === '/begin')).toBe(true);
      for (const seen of server.seen.slice(25)) {
        expect(seen.headers.authorization).toBe(`token-{"user":${seen.headers['x-user']}}`);
      }
      expect(trial.steps.map((step) => step.name)).toEqual(['request']);
      expect(trial.intervals.flatMap((interval) => interval.steps.map((step) => step.name))).not.toContain('begin');
    });

    test('no two virtual users share a user', async () => {
      const inFlight = new Set<string>();
      const shared: SeenRequest[] = [];
      await using server = await startTestServer((seen, _request, response) => {
        const user = String(seen.headers['x-user']);
        if (inFlight.has(user)) shared.push(seen);
        inFlight.add(user);
        setTimeout(() => {
          inFlight.delete(user);
          response.end('{}');
        }, 2);
      });
      await run(requestFor(oneRequest, server.baseUrl, 20, { durationS: 1 }));
      expect(shared).toEqual([]);
      const users = new Set(server.seen.map((seen) => Number(seen.headers['x-user'])));
      expect([...users].toSorted((a, b) => a - b)).toEqual(upTo(20));
    });

    test('refuses what it cannot run, before anything is sent', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const request = requestFor(oneRequest, server.baseUrl, 5, {});
      await expect(run({ ...request, users: request.users.slice(0, 4) })).rejects.toMatchObject({
        name: 'TierbenchError',
        code: 'TOO_FEW_USERS',
      });
      // An address with a secret in it would be kept with the results.
      for (const baseUrl of [
        'ftp://127.0.0.1',
        'nonsense',
        'http://user:secret@127.0.0.1:1',
        'http://[::1]/?key=secret',
      ]) {
        await expect(run(requestFor(oneRequest, baseUrl, 1, {}))).rejects.toMatchObject({
          code: 'INVALID_BASE_URL',
          message: expect.not.stringContaining('secret'),
        });
      }
      for (const concurrency of [0, 1.5]) {
        const { plan } = request;
        await expect(
          run({ ...request, plan: { ...plan, load: { model: 'closed', concurrency } } }),
        ).rejects.toMatchObject({ code: 'INVALID_LOAD' });
      }
      if (!makeEngine().supports.has('open')) {
        await expect(run(openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 5 }, {}))).rejects.toMatchObject(
          {
            code: 'LOAD_MODEL_NOT_SUPPORTED',
            nextStep: expect.stringContaining('concurrency'),
          },
        );
      }
      expect(server.seen).toEqual([]);
    });

    test('a scenario that is broken ends the trial with an error, not with figures', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      await expect(run(requestFor(broken, server.baseUrl, 2, { durationS: 600 }))).rejects.toMatchObject({
        name: 'TierbenchError',
        code: 'SCENARIO_THREW',
        message: expect.stringContaining('oops'),
      });
    });

    test('a step name for each id ends the trial, naming some, before the generator is busy with nothing else', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      await expect(run(requestFor(namedById, server.baseUrl, 5, { durationS: 600 }))).rejects.toMatchObject({
        code: 'SCENARIO_TOO_MANY_STEPS',
        message: expect.stringMatching(/'read \d+' and 'read \d+'/),
      });
    });
  });
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
