import { describe, expect, test } from 'vitest';
import { randomStream } from '../../../scenarios/kit.ts';
import type { Interval } from '../../core/trial.ts';
import type { LoadEngine, TrialRequest } from '../../engines/engine.ts';
import type { QueueSettings } from './queue-server.ts';
import conversation from './scenarios/conversation.ts';
import oneRequest from './scenarios/one-request.ts';
import thoughtful from './scenarios/thoughtful.ts';
import withBegin from './scenarios/with-begin.ts';
import { closedPort, startConstantDelayServer, startTestServer } from './server.ts';
import { queues, stallQuantileS } from './theory.ts';
import {
  expectConsistent,
  expectFigures,
  expectOnly,
  inFlightOf,
  latencyOf,
  openRequestFor,
  outcomesOf,
  ownLagS,
  requestFor,
  testWhere,
} from './trial-contract.ts';
import { expectAsInTheory, expectReadAsServed, measureTruth, mostLagS } from './truth-contract.ts';
import { pausedS } from './witness.ts';

export interface OpenLoadSettings {
  /** The engine runs on other threads than the test, or in a process of its own: nobody witnesses its pauses. */
  readonly isElsewhere?: boolean;
}

/** What an engine with open-loop load must keep against the clock: iterations start on schedule, whatever the system does. */
export function openLoadContract(
  name: string,
  makeEngine: () => LoadEngine,
  { isElsewhere = false }: OpenLoadSettings = {},
): void {
  const run = (request: TrialRequest) => makeEngine().run(request, new AbortController().signal);
  const measure = measuring(makeEngine, isElsewhere);
  const canBeUneven = makeEngine().arrivals.has('poisson');

  describe(`${name} keeps the contract for open loads`, () => {
    test.each([50, 1000])(
      'constant arrivals: %i/s are offered, and what was not answered is in flight',
      async (rate) => {
        await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
        const request = openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: rate }, { durationS: 1 });
        const trial = await run(request);
        expectConsistent(trial);
        expect(Math.abs(trial.iterations.intended - rate)).toBeLessThanOrEqual(Math.max(1, 0.01 * rate));
        const { intended, dropped, completed } = trial.iterations;
        expect(intended - dropped - completed).toBe(inFlightOf(trial));
        expect(server.seen.length).toBeGreaterThanOrEqual(trial.iterations.completed);
        expect(trial.generator.sendLagP99S).toBeGreaterThan(0);
      },
    );

    testWhere(canBeUneven)('Poisson arrivals: as many as chance allows, and unevenly', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const load = { arrivalRatePerS: 500, arrivals: 'poisson' } as const;
      const trial = await run(openRequestFor(oneRequest, server.baseUrl, load, { durationS: 2 }));
      expectConsistent(trial);
      expect(Math.abs(trial.iterations.intended - 1000)).toBeLessThan(4 * Math.sqrt(1000));
      expect(new Set(trial.intervals.map(({ iterations }) => iterations.intended)).size).toBeGreaterThan(1);
    });

    test.each([20, 800])('a server that always takes 100 ms reads 100 to 110 ms at %i/s', async (rate) => {
      const load = { arrivalRatePerS: rate, arrivals: canBeUneven ? 'poisson' : 'constant' } as const;
      // Virtual users of a program that has just started run their first iterations slowly, and what queues then follows.
      const settings = { warmUpS: isElsewhere ? 2 : 0.5, durationS: 2 };
      const { trial, waits } = await measure({ queue: 'unlimited', serviceTimesS: [0.1] }, load, settings);
      const { completed } = trial.iterations;
      const lagS = mostLagS(trial, waits);
      const latency = latencyOf(trial, 'request');
      expect(latency.count).toBe(completed);
      for (const ratio of [0.5, 0.95]) expect(latency.quantileS(ratio)).toBeGreaterThanOrEqual(0.1);
      expectFigures(trial, () => {
        // On a machine that has no time for so much, less of it is answered.
        expect(completed).toBeGreaterThan(lagS < 0.5 ? rate : 0);
        for (const ratio of [0.5, 0.95]) expect(latency.quantileS(ratio)).toBeLessThanOrEqual(0.11 + lagS);
      });
    });

    test('a token bucket: throughput is its rate, what is beyond it is counted as errors', async () => {
      const tokens = { ratePerS: 100, burst: 10 };
      const system = { queue: 'unlimited', serviceTimesS: [0], tokens } as const;
      const { trial, served, refused, waits } = await measure(system, { arrivalRatePerS: 250 }, { durationS: 2 });
      const { ok, 'http-error': refusedByServer, ...others } = outcomesOf(trial, 'request');
      const inFlightAtEnd = trial.iterations.intended - trial.iterations.dropped - trial.iterations.completed;
      // As the server counts them, but for those whose answer was not read in time.
      expect(served.count - ok).toBeGreaterThanOrEqual(0);
      expect(refused - refusedByServer).toBeGreaterThanOrEqual(0);
      expect(served.count + refused - ok - refusedByServer).toBeLessThanOrEqual(inFlightAtEnd);
      expect(ok + refusedByServer).toBe(trial.iterations.completed);
      expect(Math.abs(trial.iterations.intended - 500)).toBeLessThanOrEqual(1);
      // What the bucket holds, and what flows into it; while everybody pauses it overflows after 0.1 s.
      expect(ok).toBeLessThanOrEqual(211);
      expectFigures(trial, () => {
        expect(ok).toBeGreaterThanOrEqual(190 - 150 * (pausedS(waits, 0.1) + ownLagS(trial)));
      });
      expect(Object.values(others).every((count) => count === 0)).toBe(true);
      expect(trial.iterations.failed).toBe(refusedByServer);
    });

    test('think times pass, and are in no latency', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const trial = await run(openRequestFor(thoughtful, server.baseUrl, { arrivalRatePerS: 50 }, { durationS: 1.5 }));
      expectConsistent(trial);
      expectFigures(trial, () => {
        for (const step of ['before', 'after']) {
          expect(latencyOf(trial, step).quantileS(0.5)).toBeLessThan(0.15 + ownLagS(trial));
        }
      });
      // Arrivals do not wait for users that think.
      expect(trial.iterations.dropped).toBe(0);
      expect(Math.abs(trial.iterations.intended - 75)).toBeLessThanOrEqual(1);
    });
  });
}

/** Stalls and queues are read by an engine with open-loop load as they were served. */
export function queuesContract(
  name: string,
  makeEngine: () => LoadEngine,
  { isElsewhere = false }: OpenLoadSettings = {},
): void {
  const measure = measuring(makeEngine, isElsewhere);

  describe(`${name} reads stalls and queues as they were served`, () => {
    test.each([
      { queue: 'unlimited', utilization: 0 },
      { queue: 'fifo', utilization: 0.5 },
    ] as const)(
      'a stall of 0.2 s in 4 s is seen by all who came meanwhile ($queue)',
      async ({ queue, utilization }) => {
        const stalling = { queue, serviceTimesS: [0.0025], stall: { fromS: 2, toS: 2.2 } };
        const truth = await measure(stalling, { arrivalRatePerS: 200 }, { durationS: 4 });
        expectReadAsServed(truth);
        const system = { durationS: 4, stallS: 0.2, serviceTimeS: 0.0025, utilization };
        expectAsInTheory(truth, (ratio) => stallQuantileS(system, ratio));
      },
    );

    testWhere(makeEngine().arrivals.has('poisson')).each(queues.map((what) => ({ what, utilization: 0.8 })))(
      'a queue is read as the server itself sees it: $what at utilization $utilization',
      async ({ what, utilization }) => {
        const random = randomStream(3, 0, 0);
        const serviceTimesS = Array.from({ length: 5000 }, () =>
          what === 'M/D/1' ? 0.01 : -0.01 * Math.log(1 - random()),
        );
        const load = { arrivalRatePerS: utilization * 100, arrivals: 'poisson' } as const;
        expectReadAsServed(await measure({ queue: 'fifo', serviceTimesS }, load, { durationS: 3 }));
      },
    );
  });
}

function measuring(makeEngine: () => LoadEngine, isElsewhere: boolean) {
  return (
    system: QueueSettings,
    load: Parameters<typeof openRequestFor>[2],
    settings: { readonly warmUpS?: number; readonly durationS: number },
  ) => measureTruth(makeEngine(), system, load, settings, isElsewhere ? 0.02 : 0);
}

/** What an engine with open-loop load must do in addition, whatever else the machine does. */
export function arrivalsContract(name: string, makeEngine: () => LoadEngine): void {
  const run = (request: TrialRequest, signal = new AbortController().signal, seen?: (interval: Interval) => void) =>
    makeEngine().run(request, signal, seen);

  describe(`${name} keeps the contract for arrivals`, () => {
    test('what finds no free user is dropped, counted, and not waited for', async () => {
      await using server = await startTestServer(() => {});
      const load = { arrivalRatePerS: 100, users: 5 };
      const trial = await run(openRequestFor(oneRequest, server.baseUrl, load, { durationS: 1.5 }));
      expectConsistent(trial);
      expect(Math.abs(trial.iterations.intended - 150)).toBeLessThanOrEqual(1);
      // Five wait; where the machine was late, some arrivals at the very end were not processed any more.
      const waiting = inFlightOf(trial);
      expect(trial.iterations.dropped).toBe(trial.iterations.intended - waiting);
      expectFigures(trial, () => expect(waiting - 5).toBeLessThanOrEqual(Math.ceil(300 * ownLagS(trial))));
      expect([server.seen.length, trial.steps]).toEqual([5, []]);
    });

    test('nobody there: each arrival is refused at its own time', async () => {
      const baseUrl = `http://127.0.0.1:${await closedPort()}`;
      const trial = await run(openRequestFor(oneRequest, baseUrl, { arrivalRatePerS: 100 }, { durationS: 1 }));
      expectConsistent(trial);
      const { intended, dropped, completed } = trial.iterations;
      expect(expectOnly('refused', trial)).toBe(completed);
      expect(intended - dropped - completed).toBe(inFlightOf(trial));
    });

    test('the same seed sends each user the same requests as in a closed load', async () => {
      const sentBy = async (request: (baseUrl: string) => TrialRequest): Promise<string[][]> => {
        await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
        await run(request(server.baseUrl));
        return ['0', '1', '2'].map((user) =>
          server.seen
            .filter((seen) => seen.headers['x-user'] === user)
            .map((seen) => `${seen.method} ${seen.path} ${seen.body}`),
        );
      };
      const load = { arrivalRatePerS: 60, users: 3 };
      const open = await sentBy((baseUrl) => openRequestFor(conversation, baseUrl, load, { durationS: 1, seed: 7 }));
      const closed = await sentBy((baseUrl) => requestFor(conversation, baseUrl, 3, { durationS: 0.4, seed: 7 }));
      for (const user of [0, 1, 2]) {
        const count = Math.min(open[user]?.length ?? 0, closed[user]?.length ?? 0);
        expect(count).toBeGreaterThan(3);
        expect(open[user]?.slice(0, count)).toEqual(closed[user]?.slice(0, count));
      }
    });

    test('users begin before the window, outside of the figures, and no two arrivals share one', async () => {
      const inFlight = new Set<string>();
      const shared: string[] = [];
      await using server = await startTestServer((seen, _request, response) => {
        const user = String(seen.headers['x-user'] ?? `session ${seen.body}`);
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

    test('stops when the signal aborts, and keeps what it measured', async () => {
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
