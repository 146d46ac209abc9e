import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { programContract } from '../../contracts/engines/engine-contract.ts';
import { arrivalsContract } from '../../contracts/engines/open-load-contract.ts';
import conversation from '../../contracts/engines/scenarios/conversation.ts';
import endless from '../../contracts/engines/scenarios/endless.ts';
import endlessBegin from '../../contracts/engines/scenarios/endless-begin.ts';
import endlessCheck from '../../contracts/engines/scenarios/endless-check.ts';
import oneRequest from '../../contracts/engines/scenarios/one-request.ts';
import { startTestServer } from '../../contracts/engines/server.ts';
import { expectConsistent, expectOnly, requestFor } from '../../contracts/engines/trial-contract.ts';
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

function childProcesses(): number[] {
  return seeProcesses().flatMap(({ processId, parentId }) => (parentId === process.pid ? [processId] : []));
}

function startedSince(before: readonly number[]): number[] {
  return childProcesses().filter((id) => !before.includes(id));
}
