import { describe, expect, test } from 'vitest';
import type { LoadEngine, TrialRequest } from '../../engines/engine.ts';
import type { OpenLoadSettings } from './open-load-contract.ts';
import { startQueueServer } from './queue-server.ts';
import oneRequest from './scenarios/one-request.ts';
import thoughtful from './scenarios/thoughtful.ts';
import { startConstantDelayServer, startTestServer } from './server.ts';
import {
  expectConsistent,
  expectFigures,
  expectOnly,
  latencyOf,
  outcomesOf,
  ownLagS,
  requestFor,
} from './trial-contract.ts';
import { startWitness } from './witness.ts';

/** The witness asks every 5 ms, and its timer is a little late: what it waited beyond that was a pause of the machine. */
const pauseIn = (waitS: number): number => Math.max(0, waitS - 0.006);

/** Virtual users who wait for their answers, against servers whose truth is known. */
export function closedLoadContract(
  name: string,
  makeEngine: () => LoadEngine,
  { isElsewhere = false }: OpenLoadSettings = {},
): void {
  // This share of the answers may be read late without the witness.
  const unseenRatio = isElsewhere ? 0.02 : 0;
  const run = (request: TrialRequest) => makeEngine().run(request, new AbortController().signal);

  describe(`${name} keeps the contract for closed loads`, () => {
    test.each([1, 100])('a server that always takes 100 ms reads 100 to 110 ms at concurrency %i', async (users) => {
      await using server = await startConstantDelayServer(100);
      const witness = await startWitness(server.baseUrl);
      const trial = await run(requestFor(oneRequest, server.baseUrl, users, { warmUpS: 0.5, durationS: 1.5 }));
      const waits = await witness.stop();
      expectConsistent(trial);
      expect(await server.takeMostInFlight()).toBe(users);
      const latency = latencyOf(trial, 'request');
      expect(latency.count).toBeGreaterThanOrEqual(users * (ownLagS(trial) < 0.1 ? 7 : 1));
      expect(latency.count).toBeLessThanOrEqual(users * 16);
      // On a machine that is busy with other things the truth is more than 110 ms: then the witness sees it too. All
      // users may wait in step, so that p95 is what one bad moment in twenty made of it; half of them had no bad moment.
      for (const [ratio, pauseS] of [
        [0.5, pauseIn(waits.quantileS(0.9))],
        [0.95, pauseIn(waits.maxS)],
      ] as const) {
        expect(latency.quantileS(ratio)).toBeGreaterThanOrEqual(0.1);
        const mostS = 0.11 + ownLagS(trial) + 2 * pauseS;
        expectFigures(trial, () => {
          expect(latency.quantileS(ratio - unseenRatio), `p${100 * ratio}`).toBeLessThanOrEqual(mostS);
        });
      }
      expect(expectOnly('ok', trial)).toBe(latency.count);
      expect(trial.generator.utilizationRatio).toBeGreaterThan(0);
      expect(trial.generator.utilizationRatio).toBeLessThanOrEqual(1);
      expect(trial.generator.sendLagP99S).toBeNull();
    });

    // Each user waits for the stall once and asks no more meanwhile, so of thousands of requests only so many see it.
    test('a stall of 0.5 s in 2 s is seen once by each user, and by no percentile', async () => {
      const users = 10;
      const [serviceS, stallS] = [0.01, 0.5];
      await using server = await startQueueServer({
        queue: 'unlimited',
        serviceTimesS: [serviceS],
        stall: { fromS: 0.7, toS: 0.7 + stallS },
      });
      const witness = await startWitness(server.baseUrl);
      const trial = await run(requestFor(oneRequest, server.baseUrl, users, { durationS: 2 }));
      const waits = await witness.stop();
      const slackS = ownLagS(trial) + 2 * pauseIn(waits.maxS);
      expectConsistent(trial);
      const latency = latencyOf(trial, 'request');
      expect(expectOnly('ok', trial)).toBe(latency.count);
      const slowestS = Array.from({ length: users }, (_, index) => latency.valueAtRankS(latency.count - index));
      expect(latency.quantileS(0.95)).toBeGreaterThanOrEqual(serviceS);
      expectFigures(trial, () => {
        for (const latencyS of slowestS) {
          // It found the user at the worst at the very end of a request of `serviceS`.
          expect(latencyS).toBeGreaterThan(stallS - serviceS - 0.02 - slackS);
          expect(latencyS).toBeLessThan(stallS + serviceS + 0.02 + slackS);
        }
        expect(latency.quantileS(0.95 - unseenRatio)).toBeLessThan(serviceS + 0.02 + slackS);
      });
    });

    test('a token bucket: throughput is its rate, what is beyond it is counted as errors', async () => {
      const users = 10;
      const tokens = { ratePerS: 100, burst: 10 };
      await using server = await startQueueServer({ queue: 'unlimited', serviceTimesS: [0], tokens });
      const trial = await run(requestFor(oneRequest, server.baseUrl, users, { durationS: 2 }));
      expectConsistent(trial);
      const { ok, 'http-error': beyond, ...others } = outcomesOf(trial, 'request');
      expect(Object.values(others).every((count) => count === 0)).toBe(true);
      expect(ok).toBeLessThanOrEqual(2 * tokens.ratePerS + tokens.burst + 1);
      // A pause of the machine that is longer than the bucket takes to fill spills tokens.
      const paused = isElsewhere || ownLagS(trial) >= 0.02;
      expect(ok).toBeGreaterThanOrEqual(2 * tokens.ratePerS * (paused ? 0.6 : 0.95));
      // As the server counts them, but for those whose answer was not read in time.
      const { served, refused } = await server.tell();
      expect(served.count - ok).toBeGreaterThanOrEqual(0);
      expect(refused - beyond).toBeGreaterThanOrEqual(0);
      expect(served.count + refused - ok - beyond).toBeLessThanOrEqual(users);
      expect(trial.iterations.failed).toBe(beyond);
      expect(trial.steps[0]?.statuses).toEqual({ 200: ok, 429: beyond });
    });

    test('think times pass, and are in no latency', async () => {
      const users = 10;
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const trial = await run(requestFor(thoughtful, server.baseUrl, users, { durationS: 1.3 }));
      expectConsistent(trial);
      expectFigures(trial, () => {
        for (const step of ['before', 'after']) {
          expect(latencyOf(trial, step).quantileS(0.5)).toBeLessThan(0.15 + ownLagS(trial));
        }
      });
      // One iteration takes 400 ms: the fourth has begun, the third has ended.
      expect(expectOnly('ok', trial, 'before')).toBeLessThanOrEqual(4 * users);
      expect(expectOnly('ok', trial, 'before')).toBeGreaterThanOrEqual(2 * users);
      expect(trial.iterations.completed).toBeLessThanOrEqual(3 * users);
    });

    test('think times are left out when that is asked for', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const request = requestFor(thoughtful, server.baseUrl, 2, { durationS: 0.5 });
      const trial = await run({ ...request, skipThinkTimes: true });
      expectConsistent(trial);
      // With them each user would have sent three.
      expect(expectOnly('ok', trial, 'before') + expectOnly('ok', trial, 'after')).toBeGreaterThan(8);
    });
  });
}
