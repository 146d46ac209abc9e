import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { programContract } from '../../contracts/engines/engine-contract.ts';
import { arrivalsContract } from '../../contracts/engines/open-load-contract.ts';
import conversation from '../../contracts/engines/scenarios/conversation.ts';
import endless from '../../contracts/engines/scenarios/endless.ts';
import oneRequest from '../../contracts/engines/scenarios/one-request.ts';
import { startTestServer } from '../../contracts/engines/server.ts';
import { expectConsistent, expectOnly, openRequestFor, requestFor } from '../../contracts/engines/trial-contract.ts';
import type { Trial } from '../../core/trial.ts';
import { seeProcesses } from '../../orphans/processes.ts';
import { generatorProcesses } from './generator-processes.ts';
import { openLoopEngine } from './open-loop.ts';

const two = generatorProcesses({ count: 2 });
afterAll(() => two[Symbol.asyncDispose]());
// How responses are read does not depend on the number of processes: open-loop.integration.test.ts.
const name = 'open-loop in 2 processes';
arrivalsContract(name, () => openLoopEngine({ processes: two }));
programContract(name, () => openLoopEngine({ processes: two }));

const never = new AbortController().signal;

test('each user sends the same requests whatever the number of processes', async () => {
  const sentWith = async (count: number): Promise<string[][]> => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const load = { arrivalRatePerS: 60, users: 6 };
    const request = openRequestFor(conversation, server.baseUrl, load, { durationS: 1, seed: 7 });
    await using processes = generatorProcesses({ count });
    expectConsistent(await openLoopEngine({ processes }).run(request, never));
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
  const trial = await openLoopEngine({ processes }).run(
    requestFor(oneRequest, server.baseUrl, 3, { durationS: 1 }),
    never,
  );
  expectConsistent(trial);
  expect(expectOnly('ok', trial)).toBeGreaterThan(3);
  expect([...new Set(server.seen.map((seen) => seen.headers['x-user']))].toSorted()).toEqual(['0', '1', '2']);
});

test('a scenario that is in no file cannot be loaded by another process', async () => {
  const { scenarioFile: _, ...request } = requestFor(oneRequest, 'http://127.0.0.1:1', 2, {});
  await expect(openLoopEngine({ processes: two }).run(request, never)).rejects.toMatchObject({
    code: 'SCENARIO_NOT_FOUND',
    nextStep: expect.stringContaining('by its path'),
  });
});

describe('a process of the engine', () => {
  const plan = { durationS: 20 };
  const load = { arrivalRatePerS: 50, users: 5 };

  test('is kept for the next trial, and gone when it is no longer wanted', async () => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const before = childProcesses();
    const processes = generatorProcesses({ count: 1 });
    const engine = openLoopEngine({ processes });
    const seen: number[][] = [];
    for (const _ of [1, 2]) {
      const interrupt = new AbortController();
      const trial = engine.run(openRequestFor(oneRequest, server.baseUrl, load, plan), interrupt.signal);
      const sent = server.seen.length;
      await expect.poll(() => server.seen.length - sent, { timeout: 10_000 }).toBeGreaterThan(5);
      interrupt.abort();
      const stopped = await trial;
      expect(stopped.stopped).toBe(true);
      expectConsistent(stopped);
      seen.push(childProcesses().filter((id) => !before.includes(id)));
    }
    expect(seen[0]).toHaveLength(1);
    expect(seen[1]).toEqual(seen[0]);
    await processes[Symbol.asyncDispose]();
    expect(childProcesses()).toEqual(before);
  });

  test('that is ended by the system fails its trial, and the next one has another', async () => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    await using processes = generatorProcesses({ count: 2 });
    const engine = openLoopEngine({ processes });
    const before = childProcesses();
    const failing = engine.run(openRequestFor(oneRequest, server.baseUrl, load, plan), never);
    const failed = expect(failing).rejects.toMatchObject({
      code: 'GENERATOR_ENDED',
      message: expect.stringContaining('SIGKILL'),
    });
    await expect.poll(() => server.seen.length, { timeout: 10_000 }).toBeGreaterThan(5);
    const [processId] = childProcesses().filter((id) => !before.includes(id));
    process.kill(processId as number, 'SIGKILL');
    await failed;
    // The other one would go on with a trial nobody waits for.
    expect(childProcesses()).toEqual(before);
    const trial = await engine.run(openRequestFor(oneRequest, server.baseUrl, load, { durationS: 1 }), never);
    expect(expectOnly('ok', trial)).toBeGreaterThan(20);
  });
});

function childProcesses(): number[] {
  return seeProcesses().flatMap(({ processId, parentId }) => (parentId === process.pid ? [processId] : []));
}

describe('a scenario that keeps its thread', () => {
  test('ends with an error after seconds, and so does its process', async () => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const before = childProcesses();
    await using processes = generatorProcesses({ count: 1 });
    const request = requestFor(endless, server.baseUrl, 1, { durationS: 60, timeoutS: 1 });
    await expect(openLoopEngine({ processes }).run(request, never)).rejects.toMatchObject({ code: 'SCENARIO_HANGS' });
    expect(childProcesses().filter((each) => !before.includes(each))).toEqual([]);
  }, 30_000);

  test('is ended seconds after a stop', async () => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const before = childProcesses();
    await using processes = generatorProcesses({ count: 1 });
    const request = requestFor(endless, server.baseUrl, 1, { durationS: 60, timeoutS: 1 });
    const stop = new AbortController();
    const running = openLoopEngine({ processes }).run(request, stop.signal);
    await expect.poll(() => server.seen.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const stoppedMs = performance.now();
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: 'SCENARIO_HANGS' });
    expect(performance.now() - stoppedMs).toBeLessThan(9000);
    expect(childProcesses().filter((each) => !before.includes(each))).toEqual([]);
  }, 30_000);
});

test('file descriptors that run out are a limit of the generator, not failures of the server', async () => {
  await using server = await startTestServer((_seen, _request, response) => setTimeout(() => response.end('{}'), 20));
  // Its limit is that of the shell that starts it.
  const request = requestFor(oneRequest, server.baseUrl, 100, { durationS: 2 });
  const { scenario: _, ...plain } = request;
  const program = `
    import { openLoopEngine } from ${JSON.stringify(new URL('./open-loop.ts', import.meta.url).href)};
    import scenario from ${JSON.stringify(new URL('../../contracts/engines/scenarios/one-request.ts', import.meta.url).href)};
    const request = { ...JSON.parse(process.argv[1]), scenario };
    const trial = await openLoopEngine().run(request, new AbortController().signal);
    console.log(JSON.stringify(trial));
  `;
  const shell = `ulimit -n 60; exec "$0" --input-type=module -e "$1" "$2"`;
  const { stdout } = await promisify(execFile)('sh', ['-c', shell, process.execPath, program, JSON.stringify(plain)], {
    maxBuffer: 2 ** 26,
  });
  const trial: Trial = JSON.parse(stdout);
  const outcomes = trial.steps[0]?.outcomes;
  expect(outcomes?.['generator-limit']).toBeGreaterThan(0);
  expect(outcomes?.refused).toBe(0);
  expect(trial.failureExamples).toMatchObject([{ outcome: 'generator-limit', resource: 'files' }]);
}, 30_000);
