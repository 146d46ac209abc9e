import { describe, expect, test } from 'vitest';
import { randomStream } from '../../scenarios/kit.ts';
import type { Interval, Trial } from '../core/trial.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { startQueueServer } from './contract-queue-server.ts';
import conversation from './contract-scenarios/conversation.ts';
import oneRequest from './contract-scenarios/one-request.ts';
import thoughtful from './contract-scenarios/thoughtful.ts';
import withBegin from './contract-scenarios/with-begin.ts';
import { closedPort, startConstantDelayServer, startTestServer } from './contract-server.ts';
import type { LoadEngine, TrialRequest } from './engine.ts';
import { expectConsistent, latencyOf, openRequestFor, outcomesOf, ownLagS, requestFor } from './trial-contract.ts';

/** What an engine that offers arrival rates must do on top: work comes when it is due, whatever the system does. */
export function openLoadContract(name: string, makeEngine: () => LoadEngine): void {
  const run = (request: TrialRequest, signal = new AbortController().signal, seen?: (interval: Interval) => void) =>
    makeEngine().run(request, signal, seen);

  describe(`${name} keeps the contract for open loads`, () => {
    test.each([50, 1000])('constant arrivals: %i/s are offered, or it is told that they were not', async (rate) => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const request = openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: rate }, { durationS: 2 });
      const trial = await run(request);
      expectConsistent(trial);
      expect(Math.abs(trial.iterations.intended - 2 * rate)).toBeLessThanOrEqual(0.01 * 2 * rate);
      const started = trial.iterations.intended - trial.iterations.dropped;
      expect(started).toBe(trial.iterations.completed + unfinishedOf(trial));
      expect(server.seen.length).toBeGreaterThanOrEqual(trial.iterations.completed);
      expect(trial.generator.sendLagP99S).toBeGreaterThan(0);
    });

    test('Poisson arrivals: as many as chance allows, and unevenly', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const load = { arrivalRatePerS: 500, arrivals: 'poisson' } as const;
      const trial = await run(openRequestFor(oneRequest, server.baseUrl, load, { durationS: 3 }));
      expectConsistent(trial);
      expect(Math.abs(trial.iterations.intended - 1500)).toBeLessThan(4 * Math.sqrt(1500));
      expect(new Set(trial.intervals.map(({ iterations }) => iterations.intended)).size).toBeGreaterThan(1);
    });

    test.each([20, 200, 800])('a server that always takes 100 ms reads 100 to 110 ms at %i/s', async (rate) => {
      await using server = await startConstantDelayServer(100);
      const bare = server.askBarely();
      const load = { arrivalRatePerS: rate, arrivals: 'poisson' } as const;
      const trial = await run(openRequestFor(oneRequest, server.baseUrl, load, { warmUpS: 0.5, durationS: 2 }));
      const slowestBareS = await bare.stop();
      expectConsistent(trial);
      const latency = latencyOf(trial, 'request');
      expect(latency.count).toBeGreaterThan(rate);
      for (const ratio of [0.5, 0.95]) {
        expect(latency.quantileS(ratio)).toBeGreaterThanOrEqual(0.1);
        expect(latency.quantileS(ratio)).toBeLessThanOrEqual(Math.max(0.11, 1.1 * slowestBareS) + ownLagS(trial));
      }
    });

    // With a constant rate for T seconds, a stall of S and service time s the p-quantile is max(s, S + s - (1 - p) T), and with
    // one server of utilization u, which has a queue to work off, max(s, S + s - (1 - p) (1 - u) T).
    test.each([
      { queue: 'unlimited', p95S: 0.0025, p99S: 0.2425 },
      { queue: 'fifo', p95S: 0.1525, p99S: 0.2725 },
    ] as const)('a stall of 0.3 s in 6 s is seen by all who came meanwhile ($queue)', async ({ queue, p95S, p99S }) => {
      await using server = await startQueueServer({
        queue,
        serviceTimesS: [0.0025],
        stall: { fromS: 2, toS: 2.3 },
      });
      const trial = await run(openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 200 }, { durationS: 6 }));
      expectConsistent(trial);
      const { latenessP99S } = await server.tell();
      const latency = latencyOf(trial, 'request');
      const slackS = ownLagS(trial) + latenessP99S;
      expect(Math.abs(latency.quantileS(0.95) - p95S)).toBeLessThan(Math.max(0.05 * p95S, 0.02) + slackS);
      expect(Math.abs(latency.quantileS(0.99) - p99S)).toBeLessThan(Math.max(0.05 * p99S, 0.02) + slackS);
    });

    test.each([
      { what: 'M/M/1', utilization: 0.5 },
      { what: 'M/M/1', utilization: 0.8 },
      { what: 'M/D/1', utilization: 0.5 },
      { what: 'M/D/1', utilization: 0.8 },
    ])(
      'a queue is read as the server itself sees it: $what at utilization $utilization',
      async ({ what, utilization }) => {
        const random = randomStream(3, 0, 0);
        const serviceTimesS = Array.from({ length: 5000 }, () =>
          what === 'M/D/1' ? 0.01 : -0.01 * Math.log(1 - random()),
        );
        await using server = await startQueueServer({ queue: 'fifo', serviceTimesS });
        const load = { arrivalRatePerS: utilization * 100, arrivals: 'poisson' } as const;
        const trial = await run(openRequestFor(oneRequest, server.baseUrl, load, { durationS: 5 }));
        expectConsistent(trial);
        const { served } = await server.tell();
        const latency = latencyOf(trial, 'request');
        // The last ones were served, but not in the window any more.
        expect(served.count - latency.count).toBeLessThanOrEqual(unfinishedOf(trial));
        for (const [read, truth] of [
          [latency.meanS, served.meanS],
          [latency.quantileS(0.95), served.quantileS(0.95)],
        ] as const) {
          expect(Math.abs(read - truth)).toBeLessThan(0.05 * truth + 0.002 + ownLagS(trial));
        }
      },
    );

    test('a token bucket: throughput is its rate, what is beyond it is counted as errors', async () => {
      await using server = await startQueueServer({
        queue: 'unlimited',
        serviceTimesS: [0],
        tokens: { ratePerS: 100, burst: 10 },
      });
      const trial = await run(openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 250 }, { durationS: 3 }));
      expectConsistent(trial);
      const { ok, 'http-error': refusedByServer, ...others } = outcomesOf(trial, 'request');
      const { served } = await server.tell();
      expect(served.count - ok).toBeLessThanOrEqual(unfinishedOf(trial));
      expect(ok).toBeLessThanOrEqual(311);
      // What is due in a pause of the machine comes at once when it is over, and finds no more tokens than the bucket holds.
      expect(ok).toBeGreaterThanOrEqual(ownLagS(trial) < 0.02 ? 290 : 200);
      expect(Math.abs(ok + refusedByServer - 750)).toBeLessThanOrEqual(8 + Math.ceil(250 * ownLagS(trial)));
      expect(Object.values(others).every((count) => count === 0)).toBe(true);
      expect(trial.iterations.failed).toBe(refusedByServer);
    });

    test('what finds no free user is dropped, counted, and not waited for', async () => {
      await using server = await startTestServer(() => {});
      const load = { arrivalRatePerS: 100, users: 5 };
      const trial = await run(openRequestFor(oneRequest, server.baseUrl, load, { durationS: 1.5 }));
      expectConsistent(trial);
      expect(Math.abs(trial.iterations.intended - 150)).toBeLessThanOrEqual(1);
      expect(trial.iterations.dropped).toBe(trial.iterations.intended - 5);
      expect([server.seen.length, unfinishedOf(trial), trial.steps]).toEqual([5, 5, []]);
    });

    test('nobody there: each arrival is refused at its own time', async () => {
      const baseUrl = `http://127.0.0.1:${await closedPort()}`;
      const trial = await run(openRequestFor(oneRequest, baseUrl, { arrivalRatePerS: 100 }, { durationS: 1 }));
      expectConsistent(trial);
      const { refused, ...others } = outcomesOf(trial, 'request');
      expect(refused).toBe(trial.iterations.completed);
      expect(refused + unfinishedOf(trial)).toBe(trial.iterations.intended - trial.iterations.dropped);
      expect(Object.values(others).every((count) => count === 0)).toBe(true);
    });

    test('the same seed sends each user the same requests as in a closed load', async () => {
      const sentBy = async (request: (baseUrl: string) => TrialRequest): Promise<string[][]> => {
        await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
        await run(request(server.baseUrl));
        return ['0', '1', '2'].map((user) =>
          server.seen
            .filter((seen) => seen.headers['x-user'] === user)
            .slice(0, 9)
            .map((seen) => `${seen.method} ${seen.path} ${seen.body}`),
        );
      };
      const load = { arrivalRatePerS: 60, users: 3 };
      const open = await sentBy((baseUrl) => openRequestFor(conversation, baseUrl, load, { durationS: 1, seed: 7 }));
      const closed = await sentBy((baseUrl) => requestFor(conversation, baseUrl, 3, { durationS: 0.4, seed: 7 }));
      expect(open.map((requests) => requests.length)).toEqual([9, 9, 9]);
      expect(open).toEqual(closed);
    });

    test('users begin before the window, outside of the figures, and no two arrivals share one', async () => {
      const inFlight = new Set<string>();
      const shared: string[] = [];
      await using server = await startTestServer((seen, _request, response) => {
        const user = String(seen.headers['x-user'] ?? `beginning ${seen.body}`);
        if (inFlight.has(user)) shared.push(user);
        inFlight.add(user);
        setTimeout(() => {
          inFlight.delete(user);
          response.end(seen.path === '/begin' ? `token-${seen.body}` : '{}');
        }, 20);
      });
      const load = { arrivalRatePerS: 200, users: 30 };
      const trial = await run(openRequestFor(withBegin, server.baseUrl, load, { durationS: 1 }));
      expectConsistent(trial);
      expect(shared).toEqual([]);
      expect(server.seen.slice(0, 30).every((seen) => seen.path === '/begin')).toBe(true);
      for (const seen of server.seen.slice(30)) {
        expect(seen.headers.authorization).toBe(`token-{"user":${seen.headers['x-user']}}`);
      }
      expect(trial.steps.map((step) => step.name)).toEqual(['request']);
    });

    test('stops when told, and keeps what it measured', async () => {
      await using server = await startConstantDelayServer(20);
      const stop = new AbortController();
      const request = openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 100 }, { durationS: 600 });
      const trial = await run(request, stop.signal, (interval) => {
        if (interval.startS >= 1) stop.abort();
      });
      expect(trial.stopped).toBe(true);
      expect(trial.measuredS).toBeGreaterThanOrEqual(2);
      expect(outcomesOf(trial, 'request').ok).toBeGreaterThan(50);
      expectConsistent(trial);
    });

    test.runIf(makeEngine().canThink)('think times pass, and are in no latency', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const closed = await run(requestFor(thoughtful, server.baseUrl, 10, { durationS: 2.5 }));
      const open = await run(openRequestFor(thoughtful, server.baseUrl, { arrivalRatePerS: 50 }, { durationS: 2 }));
      for (const trial of [closed, open]) {
        expectConsistent(trial);
        for (const step of ['before', 'after']) {
          expect(latencyOf(trial, step).quantileS(0.5)).toBeLessThan(0.15 + ownLagS(trial));
        }
      }
      // Ten users, one iteration in 400 ms: 6 rounds have been begun, of which 5 first requests and more have ended.
      expect(outcomesOf(closed, 'before').ok).toBeLessThanOrEqual(70);
      expect(outcomesOf(closed, 'before').ok).toBeGreaterThanOrEqual(30);
      expect(closed.iterations.completed).toBeLessThanOrEqual(60);
      // What is due does not wait for those who think.
      expect(open.iterations.dropped).toBe(0);
      expect(Math.abs(open.iterations.intended - 100)).toBeLessThanOrEqual(1);
      const skipping = await run({
        ...requestFor(thoughtful, server.baseUrl, 1, { durationS: 0.5 }),
        skipThinkTimes: true,
      });
      expect(skipping.iterations.completed).toBeGreaterThan(5);
    });

    test('refuses rates that mean nothing, and a load without users', async () => {
      for (const arrivalRatePerS of [0, -1, Number.NaN]) {
        const request = openRequestFor(oneRequest, 'http://127.0.0.1:1', { arrivalRatePerS }, {});
        await expect(run(request)).rejects.toMatchObject({ name: 'TierbenchError', code: 'INVALID_LOAD' });
      }
      const nobody = openRequestFor(oneRequest, 'http://127.0.0.1:1', { arrivalRatePerS: 5, users: 0 }, {});
      await expect(run(nobody)).rejects.toMatchObject({ code: 'TOO_FEW_USERS' });
    });
  });
}

function unfinishedOf(trial: Trial): number {
  return LatencyHistogram.decode(trial.unfinished ?? '').count;
}
