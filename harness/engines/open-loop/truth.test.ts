import { describe, expect, test } from 'vitest';
import { meanResponse, queues, responseQuantile, stallQuantileS } from '../../contracts/engines/theory.ts';
import type { OfferedLoad } from '../../core/load.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { createAccounting } from '../shared/accounting.ts';
import { arrivalsOf } from '../shared/arrivals.ts';
import { createClosedLoopUsers } from '../shared/virtual-users.ts';

type OpenLoad = Extract<OfferedLoad, { model: 'open' }>;

interface System {
  readonly queue: 'fifo' | 'unlimited';
  serviceTimeS(): number;
  readonly stall?: { readonly fromS: number; readonly toS: number };
}

/**
 * A trial in virtual time: the arrivals, the closed-loop users, the accounts and the histograms of the engine, with a queue in
 * the place of sockets and clock.
 */
function trialInVirtualTime(load: OpenLoad, system: System, durationS: number) {
  const accounting = createAccounting({ warmUpS: 0, durationS });
  const next = arrivalsOf(load, 11, 0);
  const closedLoopUsers = createClosedLoopUsers(10);
  const inFlight: { readonly scheduledS: number; readonly endS: number; readonly isClosedLoopSample: boolean }[] = [];
  const { stall } = system;
  let first = 0;
  let freeS = 0;

  function endUntil(nowS: number): void {
    for (let head = inFlight[first]; head !== undefined && head.endS <= nowS; head = inFlight[first]) {
      const { scheduledS, endS, isClosedLoopSample } = head;
      first += 1;
      const latencyS = endS - scheduledS;
      const described = { latencyS, serviceTimeS: latencyS, isClosedLoopSample, describe: () => '' };
      accounting.requestEnded(endS, { step: 'request', outcome: 'ok', status: 200, bodyBytes: 0, ...described });
      accounting.iterationEnded(endS, false);
      if (isClosedLoopSample) closedLoopUsers.giveBack();
    }
  }

  for (let scheduledS = next(); scheduledS < durationS; scheduledS = next()) {
    endUntil(scheduledS);
    accounting.iterationStarted(scheduledS);
    let beginS = system.queue === 'fifo' ? Math.max(scheduledS, freeS) : scheduledS;
    if (stall !== undefined && beginS >= stall.fromS && beginS < stall.toS) beginS = stall.toS;
    freeS = beginS + system.serviceTimeS();
    inFlight.push({ scheduledS, endS: freeS, isClosedLoopSample: closedLoopUsers.take() });
  }
  endUntil(durationS);
  const { steps, iterations } = accounting.close(durationS, []);
  const [step] = steps;
  return {
    iterations,
    latency: LatencyHistogram.decode(step?.latency ?? ''),
    closedLoop: LatencyHistogram.decode(step?.closedLoop ?? ''),
  };
}

const off = (read: number, truth: number): number => Math.abs(read / truth - 1);

describe('queues in virtual time are read as theory has them, within 5 %', () => {
  const SERVICE_S = 0.0005;
  const deterministic = { queue: 'fifo', serviceTimeS: () => SERVICE_S } as const;
  const exponential = (): System => {
    const next = arrivalsOf({ model: 'open', arrivals: 'poisson', arrivalRatePerS: 1 / SERVICE_S }, 12, 0);
    let before = 0;
    const serviceTimeS = (): number => {
      const at = next();
      const gap = at - before;
      before = at;
      return gap;
    };
    return { queue: 'fifo', serviceTimeS };
  };

  test('theory is what is known of it', () => {
    expect(meanResponse('M/M/1', 0.8)).toBeCloseTo(5, 9);
    expect(responseQuantile('M/M/1', 0.8, 0.95)).toBeCloseTo(14.978661, 6);
    expect(meanResponse('M/D/1', 0.5)).toBeCloseTo(1.5, 9);
    // P(wait = 0) is 1 - u, and P(wait <= 1) is (1 - u) e^u.
    expect(responseQuantile('M/D/1', 0.5, 0.5 * Math.exp(0.5))).toBeCloseTo(2, 9);
  });

  test.each(queues.flatMap((queue) => [0.5, 0.8].map((utilization) => ({ queue, utilization }))))(
    '$queue at utilization $utilization',
    ({ queue, utilization }) => {
      const load = { model: 'open', arrivals: 'poisson', arrivalRatePerS: utilization / SERVICE_S } as const;
      const { latency } = trialInVirtualTime(load, queue === 'M/D/1' ? deterministic : exponential(), 1000);
      expect(off(latency.count, 1000 * load.arrivalRatePerS)).toBeLessThan(0.01);
      expect(off(latency.meanS, meanResponse(queue, utilization) * SERVICE_S)).toBeLessThan(0.05);
      const p95S = responseQuantile(queue, utilization, 0.95) * SERVICE_S;
      expect(off(latency.quantileS(0.95), p95S)).toBeLessThan(0.05);
    },
  );
});

describe('a stall of 2 s in 60 s at 200/s, in virtual time', () => {
  const load = { model: 'open', arrivals: 'constant', arrivalRatePerS: 200 } as const;
  const stall = { fromS: 20, toS: 22 };
  const serviceTimeS = () => 0.0025;

  test.each([
    { queue: 'unlimited', utilization: 0, p95S: 0.0025, p99S: 1.4025 },
    { queue: 'fifo', utilization: 0.5, p95S: 0.5025, p99S: 1.7025 },
  ] as const)('latency is that of theory ($queue)', ({ queue, utilization, p95S, p99S }) => {
    const { latency, iterations } = trialInVirtualTime(load, { queue, serviceTimeS, stall }, 60);
    expect(iterations.intended).toBe(12_000);
    const system = { durationS: 60, stallS: 2, serviceTimeS: 0.0025, utilization };
    expect([stallQuantileS(system, 0.95), stallQuantileS(system, 0.99)]).toEqual([
      expect.closeTo(p95S, 9),
      expect.closeTo(p99S, 9),
    ]);
    // The arrivals are 5 ms apart.
    expect(Math.abs(latency.quantileS(0.95) - p95S)).toBeLessThan(0.006);
    expect(Math.abs(latency.quantileS(0.99) - p99S)).toBeLessThan(0.006);
  });

  test('ten closed-loop users would not have seen it', () => {
    const { latency, closedLoop } = trialInVirtualTime(load, { queue: 'unlimited', serviceTimeS, stall }, 60);
    // 400 were scheduled in the stall, and one before the first answers after it.
    expect(closedLoop.count).toBe(12_000 - 401 + 10);
    expect(closedLoop.quantileS(0.99)).toBeCloseTo(0.0025, 5);
    // Each of them met it once.
    expect(closedLoop.valueAtRankS(closedLoop.count - 9)).toBeGreaterThan(1.9);
    expect(closedLoop.valueAtRankS(closedLoop.count - 10)).toBeLessThan(0.003);
    expect(latency.quantileS(0.99)).toBeGreaterThan(1.4);
  });
});
