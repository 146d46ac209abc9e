import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { programContract } from '../../contracts/engines/engine-contract.ts';
import { arrivalsContract } from '../../contracts/engines/open-load-contract.ts';
import conversation from '../../contracts/engines/scenarios/conversation.ts';
import endless from '../../contracts/engines/scenarios/endless.ts';
import endlessBegin from '../../contracts/engines/scenarios/endless-begin.ts';
import endlessCheck from '../../contracts/engines/scenarios/endless-check.ts';
import oneRequest from '../../contracts/engines/scenarios/one-request.ts';
import readsBody from '../../contracts/engines/scenarios/reads-body.ts';
import withBegin from '../../contracts/engines/scenarios/with-begin.ts';
import { type RawServer, startRawServer, startTestServer } from '../../contracts/engines/server.ts';
import { expectConsistent, expectOnly, outcomesOf, requestFor } from '../../contracts/engines/trial-contract.ts';
import type { Trial } from '../../core/trial.ts';
import { seeProcesses } from '../../orphans/processes.ts';
import { autocannonEngine } from '../autocannon/autocannon.ts';
import { openLoopEngine } from '../open-loop/open-loop.ts';
import { generatorProcesses } from './generator-processes.ts';

const two = generatorProcesses({ count: 2 });
afterAll(() => two[Symbol.asyncDispose]());
const never = new AbortController().signal;

// How responses are read does not depend on the number of processes: the tests of each engine in one process.
arrivalsContract('open-loop in 2 processes', () => openLoopEngine({ processes: two }));

test('a trial goes on with the sessions of the one before it that had the same key, but for those whose last request failed', async () => {
  let isFailing = false;
  await using server = await startTestServer((seen, _request, response) => {
    if (seen.path !== '/begin' && seen.headers['x-user'] === '3' && isFailing) response.statusCode = 500;
    response.end(seen.path === '/begin' ? `token-${seen.body}` : '{}');
  });
  await using processes = generatorProcesses({ count: 2 });
  const engine = openLoopEngine({ processes });
  const load = { model: 'open', arrivalRatePerS: 50, arrivals: 'constant' } as const;
  async function begins(sessionsKey: string | undefined, users: number): Promise<number[]> {
    const from = server.seen.length;
    const { plan, ...request } = requestFor(withBegin, server.baseUrl, users, { durationS: 1 });
    const key = sessionsKey === undefined ? {} : { sessionsKey };
    const trial = await engine.run({ ...request, ...key, plan: { ...plan, load } }, never);
    expectConsistent(trial);
    expect(trial.steps.map(({ name }) => name)).toEqual(['request']);
    const seen = server.seen.slice(from);
    for (const { path, headers } of seen) {
      if (path !== '/begin') expect(headers.authorization).toBe(`token-{"user":${headers['x-user']}}`);
    }
    const signedIn = seen.filter(({ path }) => path === '/begin').map(({ body }) => Number(JSON.parse(body).user));
    return signedIn.toSorted((one, other) => one - other);
  }
  expect(await begins('a', 4)).toEqual([0, 1, 2, 3]);
  expect(await begins('a', 6)).toEqual([4, 5]);
  expect(await begins('a', 2)).toEqual([]);
  isFailing = true;
  expect(await begins('a', 6)).toEqual([]);
  isFailing = false;
  expect(await begins('a', 6)).toEqual([3]);
  expect(await begins('b', 2)).toEqual([0, 1]);
  expect(await begins(undefined, 2)).toEqual([0, 1]);
});

test('users whose request is in flight when the window ends go on with their sessions in the next trial', async () => {
  let begun = 0;
  await using server = await startTestServer((seen, _request, response) => {
    if (seen.path === '/begin') begun += 1;
    if (seen.path === '/begin') response.end(`token-${seen.body}`);
    else setTimeout(() => response.end('{}'), 1200);
  });
  await using processes = generatorProcesses({ count: 1 });
  const engine = openLoopEngine({ processes });
  const load = { model: 'open', arrivalRatePerS: 50, arrivals: 'constant' } as const;
  const { plan, ...request } = requestFor(withBegin, server.baseUrl, 4, { durationS: 1 });
  for (const _trial of ['first', 'second']) {
    const trial = await engine.run({ ...request, sessionsKey: 'a', plan: { ...plan, load } }, never);
    expect(trial.iterations).toMatchObject({ completed: 0, dropped: 46 });
    expect(begun).toBe(4);
  }
});

describe.each([
  { name: 'open-loop', makeEngine: openLoopEngine, module: '../open-loop/open-loop.ts' },
  { name: 'autocannon', makeEngine: autocannonEngine, module: '../autocannon/autocannon.ts' },
])('$name in processes', ({ name, makeEngine, module }) => {
  programContract(`${name} in 2 processes`, () => makeEngine({ processes: two }));

  test('each user sends the same requests whatever the number of processes', async () => {
    const sentWith = async (count: number): Promise<string[][]> => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const request = requestFor(conversation, server.baseUrl, 6, { durationS: 1, seed: 7 });
      await using processes = generatorProcesses({ count });
      expectConsistent(await makeEngine({ processes }).run(request, never));
      return ['0', '1', '2', '3', '4', '5'].map((user) =>
        server.seen
          .filter((seen) => seen.headers['x-user'] === user)
          .map((seen) => `${seen.method} ${seen.path} ${seen.body}`),
      );
    };
    const [one, three] = [await sentWith(1), await sentWith(3)];
    for (const [user, requests] of one.entries()) {
      const count = Math.min(requests.length, three[user]?.length ?? 0);
      expect(count).toBeGreaterThan(3);
      expect(three[user]?.slice(0, count)).toEqual(requests.slice(0, count));
    }
  });

  test('no process is without a user', async () => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    await using processes = generatorProcesses({ count: 8 });
    const trial = await makeEngine({ processes }).run(
      requestFor(oneRequest, server.baseUrl, 3, { durationS: 1 }),
      never,
    );
    expectConsistent(trial);
    expect(expectOnly('ok', trial)).toBeGreaterThan(3);
    expect([...new Set(server.seen.map((seen) => seen.headers['x-user']))].toSorted()).toEqual(['0', '1', '2']);
  });

  test('a scenario that is in no file cannot be loaded by another process', async () => {
    const { scenarioFile: _, ...request } = requestFor(oneRequest, 'http://127.0.0.1:1', 2, {});
    await expect(makeEngine({ processes: two }).run(request, never)).rejects.toMatchObject({
      code: 'SCENARIO_NOT_FOUND',
    });
  });

  test('a process is kept for the next trial, and gone when it is no longer wanted', async () => {
    await using server = await startTestServer(answerSlowly);
    const before = childProcesses();
    const processes = generatorProcesses({ count: 1 });
    const engine = makeEngine({ processes });
    const seen: number[][] = [];
    for (const _ of [1, 2]) {
      const interrupt = new AbortController();
      const trial = engine.run(requestFor(oneRequest, server.baseUrl, 5, { durationS: 20 }), interrupt.signal);
      const sent = server.seen.length;
      await expect.poll(() => server.seen.length - sent, { timeout: 10_000 }).toBeGreaterThan(5);
      interrupt.abort();
      const stopped = await trial;
      expect(stopped.stopped).toBe(true);
      expectConsistent(stopped);
      seen.push(startedSince(before));
    }
    expect(seen[0]).toHaveLength(1);
    expect(seen[1]).toEqual(seen[0]);
    await processes[Symbol.asyncDispose]();
    expect(startedSince(before)).toEqual([]);
  });

  test('a process that the system ends fails its trial, and the next one has another', async () => {
    await using server = await startTestServer(answerSlowly);
    await using processes = generatorProcesses({ count: 2 });
    const engine = makeEngine({ processes });
    const before = childProcesses();
    const failing = engine.run(requestFor(oneRequest, server.baseUrl, 5, { durationS: 20 }), never);
    const failed = expect(failing).rejects.toMatchObject({
      code: 'GENERATOR_ENDED',
      message: expect.stringContaining('SIGKILL'),
    });
    await expect.poll(() => server.seen.length, { timeout: 10_000 }).toBeGreaterThan(5);
    process.kill(startedSince(before)[0] as number, 'SIGKILL');
    await failed;
    // The other one would go on with a trial nobody waits for.
    expect(startedSince(before)).toEqual([]);
    const trial = await engine.run(requestFor(oneRequest, server.baseUrl, 5, { durationS: 1 }), never);
    expect(expectOnly('ok', trial)).toBeGreaterThan(20);
  });

  test('a scenario that keeps its thread, or never loads, ends with an error after seconds, and so do its processes', async () => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const before = childProcesses();
    const codeOf = async (scenario: typeof endless): Promise<unknown> => {
      await using processes = generatorProcesses({ count: 1 });
      const request = requestFor(scenario, server.baseUrl, 1, { durationS: 60, timeoutS: 1 });
      return await makeEngine({ processes })
        .run(request, never)
        .catch(({ code }) => code);
    };
    const scenarios = [endless, endlessBegin, endlessCheck, { ...oneRequest, name: 'never-loads' }];
    expect(await Promise.all(scenarios.map(codeOf))).toEqual([
      'SCENARIO_HANGS',
      'SCENARIO_HANGS',
      'SCENARIO_HANGS',
      'SCENARIO_INVALID',
    ]);
    expect(startedSince(before)).toEqual([]);
  }, 30_000);

  test('a scenario that keeps its thread is ended seconds after a stop', async () => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const before = childProcesses();
    await using processes = generatorProcesses({ count: 1 });
    const request = requestFor(endless, server.baseUrl, 1, { durationS: 60, timeoutS: 1 });
    const stop = new AbortController();
    const running = makeEngine({ processes }).run(request, stop.signal);
    await expect.poll(() => server.seen.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const stoppedMs = performance.now();
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: 'SCENARIO_HANGS' });
    expect(performance.now() - stoppedMs).toBeLessThan(9000);
    expect(startedSince(before)).toEqual([]);
  }, 30_000);

  describe('bodies together take bounded memory', () => {
    async function peakOf(scenario: typeof oneRequest, server: RawServer, users: number, plan: Plan) {
      const before = childProcesses();
      await using processes = generatorProcesses({ count: 1 });
      const trial = await makeEngine({ processes }).run(requestFor(scenario, server.baseUrl, users, plan), never);
      expectConsistent(trial);
      const [processId] = startedSince(before);
      const status = await readFile(`/proc/${processId}/status`, 'utf8');
      return { trial, peakMiB: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024 };
    }

    test('endless ones end by the timeout, which says what came', async () => {
      await using server = await startRawServer((_path, socket) => sendBody(socket, Number.POSITIVE_INFINITY));
      const { trial, peakMiB } = await peakOf(oneRequest, server, 50, { durationS: 3, timeoutS: 2 });
      expect(expectOnly('timeout', trial)).toBeGreaterThanOrEqual(50);
      expect(trial.failureExamples[0]?.message).toMatch(/within 2 s, though [\d.]+ MiB of its body came/);
      // A process of which nobody asks anything takes 100.
      expect(peakMiB).toBeLessThan(400);
    });

    test('large ones are ok where the scenario reads none, and malformed where it reads one that found no room', async () => {
      await using server = await startRawServer((_path, socket) => sendBody(socket, 20 * 16));
      const unread = await peakOf(oneRequest, server, 50, { durationS: 5, timeoutS: 30 });
      expect(expectOnly('ok', unread.trial)).toBeGreaterThan(10);
      expect(unread.peakMiB).toBeLessThan(400);
      // On a slow machine too, one that found room comes to its end.
      const read = await peakOf(readsBody, server, 45, { durationS: 10, timeoutS: 30 });
      const { ok, malformed, ...others } = outcomesOf(read.trial, 'request');
      expect(ok).toBeGreaterThan(0);
      expect(malformed).toBeGreaterThan(0);
      expect(Object.values(others).every((count) => count === 0)).toBe(true);
      expect(read.trial.iterations.failed).toBe(malformed);
      expect(read.trial.failureExamples).toMatchObject([{ message: expect.stringContaining('was not kept') }]);
      // 900 are on their way.
      expect(read.peakMiB).toBeLessThan(800);
    }, 30_000);
  });

  test('file descriptors that run out are a limit of the generator, not failures of the server', async () => {
    await using server = await startTestServer(answerSlowly);
    // Its limit is that of the shell that starts it.
    const request = requestFor(oneRequest, server.baseUrl, 100, { durationS: 2 });
    const { scenario: _, ...plain } = request;
    const program = `
    import { ${makeEngine.name} } from ${JSON.stringify(new URL(module, import.meta.url).href)};
    import scenario from ${JSON.stringify(new URL('../../contracts/engines/scenarios/one-request.ts', import.meta.url).href)};
    const request = { ...JSON.parse(process.argv[1]), scenario };
    const trial = await ${makeEngine.name}().run(request, new AbortController().signal);
    console.log(JSON.stringify(trial));
  `;
    const shell = `ulimit -n 60; exec "$0" --input-type=module -e "$1" "$2"`;
    const { stdout } = await promisify(execFile)(
      'sh',
      ['-c', shell, process.execPath, program, JSON.stringify(plain)],
      { maxBuffer: 2 ** 26 },
    );
    const trial: Trial = JSON.parse(stdout);
    const outcomes = trial.steps[0]?.outcomes;
    expect(outcomes?.['generator-limit']).toBeGreaterThan(0);
    expect(outcomes?.refused).toBe(0);
    expect(trial.failureExamples).toMatchObject([{ outcome: 'generator-limit', resource: 'files' }]);
  }, 30_000);
});

const answerSlowly: Parameters<typeof startTestServer>[0] = (_seen, _request, response) => {
  setTimeout(() => response.end('{}'), 20);
};

type Plan = Parameters<typeof requestFor>[3];

const piece = Buffer.alloc(64 * 1024, 'x');
const chunk = Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]);

/** A response of so many pieces of 64 KiB; in chunks where it has no end. */
function sendBody(socket: Socket, pieces: number): void {
  const isEndless = pieces === Number.POSITIVE_INFINITY;
  const framing = isEndless ? 'transfer-encoding: chunked' : `content-length: ${pieces * piece.length}`;
  socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
  const sendFrom = (index: number): void => {
    if (index === pieces || socket.destroyed) return;
    // In a turn of the event loop each: what is written at once would keep this process from anything else.
    socket.write(isEndless ? chunk : piece, (error) => {
      if (!error) setImmediate(sendFrom, index + 1);
    });
  };
  sendFrom(0);
}

function childProcesses(): number[] {
  return seeProcesses().flatMap(({ processId, parentId }) => (parentId === process.pid ? [processId] : []));
}

function startedSince(before: readonly number[]): number[] {
  return childProcesses().filter((id) => !before.includes(id));
}
