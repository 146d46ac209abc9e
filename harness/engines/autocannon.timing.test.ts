import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { defineScenario, integerBetween, randomStream, send, think } from '../../scenarios/kit.ts';
import { autocannonEngine } from './autocannon.ts';
import { TEST_CERTIFICATE, TEST_KEY } from './contract-certificate.ts';
import oneRequest from './contract-scenarios/one-request.ts';
import { startTestServer } from './contract-server.ts';
import { engineContract } from './engine-contract.ts';
import { expectConsistent, requestFor } from './trial-contract.ts';

engineContract('autocannon', () => autocannonEngine);

const thoughtful = defineScenario({
  name: 'thoughtful',
  description: 'Thinks between its requests.',
  thinks: true,
  *iteration() {
    yield* send({ name: 'request', method: 'GET', path: '/' });
    yield* think(3600);
  },
});

test('offers no arrival rate, and says what to do', async () => {
  const request = requestFor(thoughtful, 'http://127.0.0.1:1', 1, {});
  const open = { model: 'open', arrivalRatePerS: 5, arrivals: 'poisson' } as const;
  await expect(
    autocannonEngine.run({ ...request, plan: { ...request.plan, load: open } }, new AbortController().signal),
  ).rejects.toMatchObject({ code: 'LOAD_MODEL_NOT_SUPPORTED', nextStep: expect.stringContaining('concurrency') });
});

test('cannot think: refuses a scenario that does, unless think times are left out', async () => {
  await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
  const request = requestFor(thoughtful, server.baseUrl, 2, { durationS: 0.3 });
  await expect(autocannonEngine.run(request, new AbortController().signal)).rejects.toMatchObject({
    code: 'ENGINE_CANNOT_THINK',
  });
  const undeclared = { ...request, scenario: { ...thoughtful, thinks: false } };
  await expect(autocannonEngine.run(undeclared, new AbortController().signal)).rejects.toMatchObject({
    code: 'ENGINE_CANNOT_THINK',
  });
  const trial = await autocannonEngine.run({ ...request, skipThinkTimes: true }, new AbortController().signal);
  expectConsistent(trial);
  expect(trial.iterations.completed).toBeGreaterThan(2);
});

const never = new AbortController().signal;

async function listening(server: Server, host: string): Promise<AsyncDisposable & { readonly port: number }> {
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

test('https, with a certificate nobody signed', async () => {
  const server = createHttpsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (_request, response) => response.end());
  await using address = await listening(server, '127.0.0.1');
  const trial = await autocannonEngine.run(
    requestFor(oneRequest, `https://localhost:${address.port}`, 2, { durationS: 0.5 }),
    never,
  );
  expectConsistent(trial);
  expect(trial.steps[0]?.outcomes).toMatchObject({ reset: 0, refused: 0, malformed: 0 });
  expect(trial.steps[0]?.outcomes.ok).toBeGreaterThan(2);
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some((address) => address.address === '::1'),
);

test.skipIf(!hasIpv6)('an IPv6 address (needs ::1)', async () => {
  const hosts = new Set<string | undefined>();
  const server = createHttpServer((request, response) => {
    hosts.add(request.headers.host);
    response.end();
  });
  await using address = await listening(server, '::1');
  const request = requestFor(oneRequest, `http://[::1]:${address.port}`, 1, { durationS: 0.3 });
  const trial = await autocannonEngine.run(request, never);
  expect(trial.steps[0]?.outcomes.ok).toBeGreaterThan(2);
  expect([...hosts]).toEqual([`[::1]:${address.port}`]);
});

test('a base URL with credentials or a query is refused: it is kept with the results', async () => {
  for (const baseUrl of ['http://user:secret@127.0.0.1:1', 'http://127.0.0.1:1/?key=secret', 'nonsense']) {
    await expect(autocannonEngine.run(requestFor(oneRequest, baseUrl, 1, {}), never)).rejects.toMatchObject({
      code: 'INVALID_BASE_URL',
      message: expect.not.stringContaining('secret'),
    });
  }
});

test('a large chunked body comes whole', async () => {
  const large = 'Größe '.repeat(300_000);
  const scenario = defineScenario({
    name: 'large',
    description: 'Reads a large body.',
    *iteration() {
      yield* send({ name: 'large', method: 'GET', path: '/', check: (response) => response.text() === large });
    },
  });
  await using server = await startTestServer((_seen, _request, response) => {
    for (let at = 0; at < large.length; at += 50_001) response.write(large.slice(at, at + 50_001));
    response.end();
  });
  const trial = await autocannonEngine.run(requestFor(scenario, server.baseUrl, 2, { durationS: 1 }), never);
  const { ok = 0, ...others } = trial.steps[0]?.outcomes ?? {};
  expect(ok).toBeGreaterThan(1);
  expect(Object.values(others).every((count) => count === 0)).toBe(true);
});

describe('whatever a server sends, nothing crashes and the trial ends in time', () => {
  async function trialAgainst(answer: () => Buffer | string, concurrency: number) {
    let asked = 0;
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        asked += 1;
        socket.write(answer());
      });
    });
    await using address = await listening(server, '127.0.0.1');
    const request = requestFor(oneRequest, `http://127.0.0.1:${address.port}`, concurrency, {
      durationS: 1.5,
      timeoutS: 0.2,
    });
    const trial = await autocannonEngine.run(request, never);
    expectConsistent(trial);
    expect(trial.stopped).toBe(false);
    const ended = Object.values(trial.steps[0]?.outcomes ?? {}).reduce((sum, count) => sum + count, 0);
    return { asked, ended, outcomes: trial.steps[0]?.outcomes };
  }

  test('two answers to one request', async () => {
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';
    const { asked, ended, outcomes } = await trialAgainst(() => answer + answer, 5);
    expect(outcomes?.ok).toBeGreaterThan(5);
    expect(Math.abs(asked - ended)).toBeLessThanOrEqual(5);
  });

  test('answers with a byte changed, cut or doubled', async () => {
    const random = randomStream(1, 0, 0);
    const answers = [
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n',
    ];
    const { asked, ended } = await trialAgainst(() => {
      const bytes = Buffer.from(answers[integerBetween(random, 0, answers.length - 1)] ?? '');
      const at = integerBetween(random, 0, bytes.length - 1);
      const kind = random();
      if (kind < 0.3) return bytes.subarray(0, at);
      if (kind < 0.5) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at - 1)]);
      bytes[at] = integerBetween(random, 0, 255);
      return bytes;
    }, 50);
    expect(ended).toBeGreaterThan(200);
    expect(Math.abs(asked - ended)).toBeLessThanOrEqual(50);
  });
});
