import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import conversation from '../contract-scenarios/conversation.ts';
import oneRequest from '../contract-scenarios/one-request.ts';
import { startTestServer } from '../contract-server.ts';
import { engineContract } from '../engine-contract.ts';
import { expectConsistent, expectOnly, openRequestFor, requestFor } from '../trial-contract.ts';
import { openLoopEngine } from './open-loop.ts';

engineContract('open-loop with 2 workers', () => openLoopEngine({ workers: 2 }), { isElsewhere: true });

const never = new AbortController().signal;

test('each user sends the same requests whatever the number of processes', async () => {
  const sentWith = async (workers: number): Promise<string[][]> => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const load = { arrivalRatePerS: 60, users: 6 };
    const request = openRequestFor(conversation, server.baseUrl, load, { durationS: 1, seed: 7 });
    expectConsistent(await openLoopEngine({ workers }).run(request, never));
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
  const trial = await openLoopEngine({ workers: 8 }).run(
    requestFor(oneRequest, server.baseUrl, 3, { durationS: 1 }),
    never,
  );
  expectConsistent(trial);
  expect(expectOnly('ok', trial)).toBeGreaterThan(3);
  expect([...new Set(server.seen.map((seen) => seen.headers['x-user']))].toSorted()).toEqual(['0', '1', '2']);
});

test('a scenario that is in no file cannot be loaded by another process', async () => {
  const { scenarioFile: _, ...request } = requestFor(oneRequest, 'http://127.0.0.1:1', 2, {});
  await expect(openLoopEngine({ workers: 2 }).run(request, never)).rejects.toMatchObject({
    code: 'SCENARIO_NOT_FOUND',
    nextStep: expect.stringContaining('by its path'),
  });
});

describe('a process of the engine', () => {
  /** A trial of 20 s, once its process has begun to send. */
  async function begun(signal: AbortSignal = never) {
    const server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const before = new Set(childProcesses());
    const trial = openLoopEngine({ workers: 1 }).run(
      openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 50, users: 5 }, { durationS: 20 }),
      signal,
    );
    trial.catch(() => undefined);
    await expect.poll(() => server.seen.length, { timeout: 10_000 }).toBeGreaterThan(5);
    const [processId = 0, ...others] = childProcesses().filter((id) => !before.has(id));
    expect(others).toEqual([]);
    return { server, trial, processId };
  }

  test('that is ended by the system fails the trial', async () => {
    const { server, trial, processId } = await begun();
    await using _ = server;
    process.kill(processId, 'SIGKILL');
    await expect(trial).rejects.toMatchObject({
      code: 'GENERATOR_ENDED',
      message: expect.stringContaining('SIGKILL'),
    });
  });

  test('is gone when its trial was stopped', async () => {
    const interrupt = new AbortController();
    const { server, trial, processId } = await begun(interrupt.signal);
    await using _ = server;
    interrupt.abort();
    expect(await trial).toMatchObject({ stopped: true });
    expect(childProcesses()).not.toContain(processId);
  });
});

/** Of this process, by the system. */
function childProcesses(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((id) => Number.isInteger(id) && parentOf(id) === process.pid);
}

function parentOf(processId: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
