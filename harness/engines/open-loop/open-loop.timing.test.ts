import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { defineScenario, integerBetween, randomStream, send } from '../../../scenarios/kit.ts';
import type { OutcomeCounts, Trial } from '../../core/trial.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { TEST_CERTIFICATE, TEST_KEY } from '../contract-certificate.ts';
import oneRequest from '../contract-scenarios/one-request.ts';
import { startTestServer } from '../contract-server.ts';
import { engineContract } from '../engine-contract.ts';
import { expectConsistent, latencyOf, openRequestFor, outcomesOf, ownLagS, requestFor } from '../trial-contract.ts';
import { type OpenLoopOptions, openLoopEngine } from './open-loop.ts';

engineContract('open-loop', () => openLoopEngine());

const never = new AbortController().signal;
const run = (request: Parameters<ReturnType<typeof openLoopEngine>['run']>[0], options?: OpenLoopOptions) =>
  openLoopEngine(options).run(request, never);

async function listening(server: Server, host: string): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function onlyOutcome(trial: Trial, outcome: keyof OutcomeCounts, step = 'request'): number {
  const { [outcome]: count, ...others } = outcomesOf(trial, step);
  expect(others).toEqual(Object.fromEntries(Object.keys(others).map((other) => [other, 0])));
  return count;
}

describe('transport', () => {
  test('https, with a certificate nobody signed', async () => {
    let connections = 0;
    const server = createHttpsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (_request, response) => response.end());
    server.on('secureConnection', () => {
      connections += 1;
    });
    await using address = await listening(server, '127.0.0.1');
    const trial = await run(requestFor(oneRequest, `https://localhost:${address.port}`, 2, { durationS: 0.5 }));
    expectConsistent(trial);
    expect(onlyOutcome(trial, 'ok')).toBeGreaterThan(2);
    expect(connections).toBe(2);
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
    const trial = await run(requestFor(oneRequest, `http://[::1]:${address.port}`, 1, { durationS: 0.3 }));
    expect(onlyOutcome(trial, 'ok')).toBeGreaterThan(2);
    expect([...hosts]).toEqual([`[::1]:${address.port}`]);
  });

  test('connections are kept, and few are used when few are needed', async () => {
    const sockets = new Set<Socket>();
    await using server = await startTestServer((_seen, { socket }, response) => {
      sockets.add(socket);
      response.end('{}');
    });
    const request = openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 100 }, { durationS: 2 });
    const trial = await run(request);
    onlyOutcome(trial, 'ok');
    // One does, but where the machine was late several were due at once.
    expect(sockets.size).toBeLessThanOrEqual(Math.max(3, Math.ceil(100 * 10 * ownLagS(trial))));
    expect(new Set(server.seen.map((seen) => seen.headers['x-user'])).size).toBe(server.seen.length);
  });

  test('a server that says when it will hang up is not asked at that moment', async () => {
    const sockets = new Set<Socket>();
    await using server = await startTestServer((_seen, { socket }, response) => {
      sockets.add(socket);
      response.setHeader('keep-alive', 'timeout=2');
      response.end('{}');
    });
    const load = { arrivalRatePerS: 0.7, users: 10 };
    const trial = await run(openRequestFor(oneRequest, server.baseUrl, load, { durationS: 3.5 }));
    expect(onlyOutcome(trial, 'ok')).toBe(3);
    expect(sockets.size).toBe(3);
  });

  test('a large chunked body comes whole', async () => {
    const large = 'Größe '.repeat(300_000);
    const scenario = defineScenario({
      name: 'large',
      description: 'Reads a large body.',
      *iteration() {
        yield* send({ name: 'request', method: 'GET', path: '/', check: (response) => response.text() === large });
      },
    });
    await using server = await startTestServer((_seen, _request, response) => {
      for (let at = 0; at < large.length; at += 50_001) response.write(large.slice(at, at + 50_001));
      response.end();
    });
    const trial = await run(requestFor(scenario, server.baseUrl, 2, { durationS: 1 }));
    expect(onlyOutcome(trial, 'ok')).toBeGreaterThan(1);
  });
});

describe('bounds', () => {
  test('each phase of a request has its own timeout, and the failure says which', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        if (bytes.includes('/silence')) return;
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nslow');
      });
    });
    await using address = await listening(server, '127.0.0.1');
    const scenario = defineScenario({
      name: 'phases',
      description: '',
      *iteration() {
        yield* send({ name: 'silence', method: 'GET', path: '/silence' });
        yield* send({ name: 'trickle', method: 'GET', path: '/trickle' });
      },
    });
    const request = requestFor(scenario, `http://127.0.0.1:${address.port}`, 1, { durationS: 2, timeoutS: 0.5 });
    const trial = await run(request, { firstByteTimeoutS: 0.2 });
    const messages = Object.fromEntries(trial.failureExamples.map(({ step, message }) => [step, message]));
    expect(messages).toEqual({
      silence: 'no first byte of an answer within 0.2 s',
      trickle: 'no complete answer within 0.5 s',
    });
    expect(onlyOutcome(trial, 'timeout', 'silence')).toBeGreaterThanOrEqual(1);
    expect(onlyOutcome(trial, 'timeout', 'trickle')).toBeGreaterThanOrEqual(1);
  });

  test('connecting has a timeout too', async () => {
    // TLS to a server that says nothing never gets as far as a connection.
    const server = createTcpServer((socket) => socket.on('error', () => {}));
    await using address = await listening(server, '127.0.0.1');
    const request = requestFor(oneRequest, `https://127.0.0.1:${address.port}`, 2, { durationS: 1, timeoutS: 5 });
    const trial = await run(request, { connectTimeoutS: 0.2 });
    expect(onlyOutcome(trial, 'timeout')).toBeGreaterThanOrEqual(2);
    expect(trial.failureExamples[0]?.message).toBe('not connected within 0.2 s');
  });

  test('what finds no free connection is dropped', async () => {
    await using server = await startTestServer(() => {});
    const request = openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 100 }, { durationS: 1 });
    const trial = await run(request, { mostConnections: 7 });
    expectConsistent(trial);
    expect(trial.iterations.intended - trial.iterations.dropped).toBe(7);
    expect(server.seen.length).toBe(7);
  });

  test('headers and bodies beyond their bounds end as malformed, with the kind', async () => {
    const scenario = defineScenario({
      name: 'sizes',
      description: '',
      *iteration() {
        yield* send({ name: 'body', method: 'GET', path: '/body' });
        yield* send({ name: 'head', method: 'GET', path: '/head' });
      },
    });
    await using server = await startTestServer((seen, _request, response) => {
      if (seen.path === '/head') response.setHeader('x-long', 'x'.repeat(3000));
      response.end('x'.repeat(seen.path === '/body' ? 2000 : 1));
    });
    const request = requestFor(scenario, server.baseUrl, 2, { durationS: 0.5 });
    const trial = await run(request, { mostHeadBytes: 1000, mostBodyBytes: 1000 });
    for (const step of ['body', 'head']) expect(onlyOutcome(trial, 'malformed', step)).toBeGreaterThan(1);
    const messages = trial.failureExamples.map(({ message }) => message);
    expect(messages.toSorted()).toEqual([
      'the answer is not HTTP/1.1: body size: more than 1000 bytes',
      'the answer is not HTTP/1.1: header size: more than 1000 bytes',
    ]);
  });
});

test('service time runs from the actual start: requests that queue in the generator show in latency alone', async () => {
  await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
  let stalls = 0;
  const blocking = defineScenario({
    name: 'blocking',
    description: 'Keeps the thread of the generator busy for 300 ms once.',
    *iteration() {
      yield* send({ name: 'request', method: 'GET', path: '/' });
      stalls += 1;
      const untilMs = performance.now() + (stalls === 50 ? 300 : 0);
      while (performance.now() < untilMs);
    },
  });
  const trial = await run(openRequestFor(blocking, server.baseUrl, { arrivalRatePerS: 100 }, { durationS: 2 }));
  expectConsistent(trial);
  const serviceTime = LatencyHistogram.decode(trial.steps[0]?.serviceTime ?? '');
  const latency = latencyOf(trial, 'request');
  expect(serviceTime.count).toBe(latency.count);
  // 30 of 200 were due while the thread was busy: the last tenth of them waited for more than 200 ms.
  expect(latency.quantileS(0.97)).toBeGreaterThan(0.15);
  expect(latency.quantileS(0.97)).toBeGreaterThan(serviceTime.quantileS(0.97));
  // And the engine says that it was late.
  expect(trial.generator.sendLagP99S).toBeGreaterThan(0.15);
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
    const trial = await run(request);
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
      if (kind < 0.5) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 1))]);
      bytes[at] = integerBetween(random, 0, 255);
      return bytes;
    }, 50);
    expect(ended).toBeGreaterThan(200);
    expect(Math.abs(asked - ended)).toBeLessThanOrEqual(50);
  });
});
