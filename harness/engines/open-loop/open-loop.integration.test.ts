import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { defineScenario, send } from '../../../scenarios/kit.ts';
import { engineContract } from '../../contracts/engines/engine-contract.ts';
import oneRequest from '../../contracts/engines/scenarios/one-request.ts';
import { startRawServer, startTestServer } from '../../contracts/engines/server.ts';
import {
  expectConsistent,
  expectOnly,
  latencyOf,
  openRequestFor,
  ownLagS,
  requestFor,
} from '../../contracts/engines/trial-contract.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import type { NodeEngineOptions } from '../shared/node-engine.ts';
import { openLoopEngine } from './open-loop.ts';

engineContract('open-loop', () => openLoopEngine(), {
  offers: { supports: ['closed', 'open'], arrivals: ['constant', 'poisson'] },
});

const never = new AbortController().signal;
const run = (request: Parameters<ReturnType<typeof openLoopEngine>['run']>[0], options?: NodeEngineOptions) =>
  openLoopEngine(options).run(request, never);

describe('transport', () => {
  test('connections are kept, and few are used when few are needed', async () => {
    const sockets = new Set<Socket>();
    await using server = await startTestServer((_seen, { socket }, response) => {
      sockets.add(socket);
      response.end('{}');
    });
    const request = openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 100 }, { durationS: 2 });
    const trial = await run(request);
    expectOnly('ok', trial);
    // One is enough, but where the machine was late several requests start at once.
    expect(sockets.size).toBeLessThanOrEqual(Math.max(3, Math.ceil(100 * 10 * ownLagS(trial))));
    expect(new Set(server.seen.map((seen) => seen.headers['x-user'])).size).toBe(server.seen.length);
  });

  test('no request is sent at the moment at which the server said that it would close the connection', async () => {
    const sockets = new Set<Socket>();
    await using server = await startTestServer((_seen, { socket }, response) => {
      sockets.add(socket);
      response.setHeader('keep-alive', 'timeout=2');
      response.end('{}');
    });
    const load = { arrivalRatePerS: 0.7, users: 10 };
    const trial = await run(openRequestFor(oneRequest, server.baseUrl, load, { durationS: 3.5 }));
    expect(expectOnly('ok', trial)).toBe(3);
    expect(sockets.size).toBe(3);
  });
});

describe('bounds', () => {
  test('a timeout says how far the request came', async () => {
    await using server = await startRawServer((path, socket) => {
      if (path === '/trickle') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nslow');
    });
    const scenario = defineScenario({
      name: 'phases',
      description: '',
      *iteration() {
        yield* send({ name: 'silence', method: 'GET', path: '/silence' });
        yield* send({ name: 'trickle', method: 'GET', path: '/trickle' });
      },
    });
    const trial = await run(requestFor(scenario, server.baseUrl, 1, { durationS: 1.2, timeoutS: 0.3 }));
    const messages = Object.fromEntries(trial.failureExamples.map(({ step, message }) => [step, message]));
    expect(messages).toEqual({
      silence: 'no first byte of an answer within 0.3 s',
      trickle: 'no complete answer within 0.3 s',
    });
    // TLS to a server that says nothing never gets as far as a connection.
    const baseUrl = server.baseUrl.replace('http:', 'https:');
    const unconnected = await run(requestFor(oneRequest, baseUrl, 2, { durationS: 0.5, timeoutS: 0.2 }));
    expect(expectOnly('timeout', unconnected)).toBeGreaterThanOrEqual(2);
    expect(unconnected.failureExamples[0]?.message).toBe('not connected within 0.2 s');
  });

  test('what finds no free connection is dropped', async () => {
    await using server = await startTestServer(() => {});
    const request = openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 100 }, { durationS: 1 });
    const trial = await run(request, { mostConnections: 7 });
    expectConsistent(trial);
    expect(trial.iterations.intended - trial.iterations.dropped).toBe(7);
    expect(server.seen.length).toBe(7);
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
  // 30 of 200 had their scheduled start while the thread was busy: the last tenth of them waited more than 200 ms.
  expect(latency.quantileS(0.97)).toBeGreaterThan(0.15);
  expect(latency.quantileS(0.97)).toBeGreaterThan(serviceTime.quantileS(0.97));
  // And the engine says that it was late.
  expect(trial.generator.sendLagP99S).toBeGreaterThan(0.15);
});
