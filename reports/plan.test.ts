import { describe, expect, it, test } from 'vitest';
import { exactly, type Prices, type WorkloadKind } from '../harness/core/plan.ts';
import type { Tier } from '../harness/core/tier.ts';
import { type TypedWorkload, workloadFrom } from '../harness/files/workload-file.ts';
import { fourTiers } from '../test-support/made-up-run.ts';
import { madeUpRun, madeUpTrial } from '../test-support/made-up-trial.ts';
import { analyse } from './analysis.ts';
import { planDocument, planReport } from './documents/plan.ts';
import { type PlanQuestion, planTiers, suffices } from './plan.ts';
import { planCapacity } from './plan-choice.ts';
import { renderTerminal } from './renderers/terminal.ts';

/** A request costs the API 3 ms of CPU and the database 0.5 ms; 300/s are sustained by two instances of the API. */
function runOf(tier: Tier, lowPerS: number | null = 500) {
  const trials = [400, 500, 520, 640].map((arrivalRatePerS, index) =>
    madeUpTrial({
      sequence: index + 1,
      load: { model: 'open', arrivalRatePerS, arrivals: 'poisson' },
      okPerS: arrivalRatePerS,
      latencyS: arrivalRatePerS > 510 ? 0.4 : 0.05,
      samples: [1, 2, 3].flatMap((atS) => [
        { atS, source: 'api/1', metric: 'cpu-cores', value: arrivalRatePerS * 0.0015 } as const,
        { atS, source: 'api/2', metric: 'cpu-cores', value: arrivalRatePerS * 0.0015 } as const,
        { atS, source: 'database/1', metric: 'cpu-cores', value: arrivalRatePerS * 0.0005 } as const,
        { atS, source: 'database/1', metric: 'wal-bytes', value: arrivalRatePerS * 400 } as const,
        { atS, source: 'api/1', metric: 'cache-misses', value: arrivalRatePerS / 4 } as const,
        { atS, source: 'cache/1', metric: 'keys', value: 1000 * atS } as const,
        { atS, source: 'cache/1', metric: 'data-memory', value: 1e6 + 500_000 * atS } as const,
      ]),
    }),
  );
  const sustainedRate = {
    valuePerS: 510,
    lowPerS,
    highPerS: 520,
    end: 'precise',
    binding: 'p95',
    shape: 'smooth',
    monotone: true,
  } as const;
  const ofTier = trials.map((trial) => ({ ...trial, subject: tier.name }));
  const run = madeUpRun(ofTier, [], {
    question: { arrivalRatesPerS: null, concurrencies: null },
    tier: { tier, id: tier.name },
  });
  return analyse({
    ...run,
    answers: [{ subject: tier.name, scenarios: [{ scenario: 'crud', sustainedRate, sustained: [] }] }],
  });
}

const questionOf = (
  kind: WorkloadKind,
  amount: number,
  changes: Partial<Omit<TypedWorkload, 'amount'>> = {},
  prices: Prices | null = null,
): PlanQuestion => ({
  workload: workloadFrom({ largestCpus: 0.5, ...changes, amount: { kind, value: exactly(amount) } }),
  scenario: 'crud',
  prices,
});
const question = questionOf('peak-rate', 600);
const tierOf = (name: string) => fourTiers.find((tier) => tier.name === name) as Tier;

function planned(tier: Tier, asked = question) {
  const [first] = planTiers(runOf(tier), asked);
  if (first?.outcome.kind !== 'planned') throw new Error('no plan');
  return { enough: suffices(first), ...first.outcome };
}

describe('the plan of a tier', () => {
  it('has more instances of what a load balancer spreads over, and one of the others', () => {
    const { plan, enough, withinTargets } = planned(tierOf('pooled'));
    // Two instances of one CPU are used up at 667/s: 500/s is 75 % of it, so that an instance carries 250/s.
    expect(withinTargets).toEqual({ low: expect.closeTo(0.75, 6), high: expect.closeTo(0.78, 6) });
    expect(plan.services).toMatchObject([
      {
        name: 'api',
        scales: true,
        instances: 4,
        cpus: 4,
        carries: true,
        capacityPerS: { low: expect.closeTo(250, 6) },
      },
      { name: 'database', scales: false, instances: 1, cpus: 0.5, utilizationRatio: expect.closeTo(0.8, 6) },
    ]);
    expect(enough).toBe(true);
  });

  it('does not carry what a service of one instance cannot', () => {
    const { plan, enough } = planned(tierOf('pooled'), questionOf('peak-rate', 900));
    expect(enough).toBe(false);
    expect(plan.services[1]).toMatchObject({ carries: false, needsCpus: expect.closeTo(0.75, 6) });
    expect(planned(tierOf('single')).plan.services[0]).toMatchObject({ scales: false, instances: 1, carries: false });
  });

  it('gives what there can be only one of more CPUs, and counts what they cost', () => {
    const asked = questionOf('peak-rate', 900, { largestCpus: 8 }, pricesOfDocument);
    const { plan, planned: tier, enough, cost } = planned(tierOf('pooled'), asked);
    expect(enough).toBe(true);
    expect(plan.services[1]).toMatchObject({ name: 'database', cpusOfOne: 1, carries: true });
    expect(tier.services.find(({ name }) => name === 'database')?.resources.cpus).toBe(1);
    // Twice the size of the one whose price is 450.
    expect(cost?.items.find(({ name }) => name === 'database')?.month).toEqual(exactly(900));
  });

  it('is refused where the connections do not fit, with the sum', () => {
    const { enough, connections, plan } = planned({
      ...tierOf('pooled'),
      services: tierOf('pooled').services.map((service) => {
        if (service.name === 'pooler') return { ...service, settings: { max_client_conn: 30, default_pool_size: 5 } };
        return service.name === 'database' ? { ...service, resources: {} } : service;
      }),
    });
    expect(plan.carries).toBe(true);
    expect(enough).toBe(false);
    expect(connections).toMatchObject([
      { service: 'pooler', limit: 30, total: 45 },
      { service: 'database', total: 9 },
    ]);
  });

  test('users a day and users at once are rates', () => {
    const { load, activeUsers } = planned(tierOf('pooled'), questionOf('daily-users', 1e5));
    expect(load.peakPerS).toBeCloseTo(208.333, 3);
    expect(activeUsers).toBeCloseTo(208.333 * 5.05, 0);
    // N/(D + Z) with 3.5 ms of CPU for a request.
    const atOnce = planned(tierOf('pooled'), questionOf('concurrent-users', 1000));
    expect(atOnce.load.peakPerS).toBeCloseTo(1000 / 5.0035, 3);
    expect(atOnce.meanResponseS).toBeGreaterThan(0.0035);
  });

  it('takes the worse end of a range of CPUs', () => {
    const { plan } = planned(tierOf('pooled'), questionOf('peak-rate', 600, { cpuFactor: { low: 0.5, high: 2 } }));
    expect(plan.services[0]).toMatchObject({ instances: 6, atLeast: 3 });
  });

  it('needs a sustained rate, demands, and a tier that ran', () => {
    const outcomes = [
      planTiers(runOf(tierOf('pooled'), null), question),
      planTiers(runOf(tierOf('pooled')), { ...question, scenario: 'login' }),
    ].map(([first]) => first?.outcome);
    expect(outcomes).toEqual([
      { kind: 'no-plan', why: 'no-sustained-rate' },
      { kind: 'no-plan', why: 'no-demands' },
    ]);
  });
});

test('the document answers first, in two sentences', () => {
  const textOf = (peakPerS: number, prices: Prices | null = null) => {
    const own = questionOf('peak-rate', peakPerS, {}, prices);
    const analysis = runOf(tierOf('pooled'));
    const plan = planCapacity(analysis, own);
    expect(JSON.parse(planReport(plan, analysis, own))).toMatchObject({
      schemaVersion: 2,
      runId: analysis.facts.runId,
    });
    return renderTerminal(planDocument(plan, analysis, own, 'tierbench plan RUN'), null, 400);
  };
  expect(textOf(600)).toMatch(
    /pooled carries 600 requests\/s at the peak \(3,030 users at once\) with 4 instances.* of api\./u,
  );
  expect(textOf(600)).toContain('1.2 times the measured rate');
  expect(textOf(600, pricesOfDocument)).toMatch(/of api, for at least USD 1,100 a month/u);
  expect(textOf(900)).toMatch(
    /No tier that was measured carries 900 requests\/s.*\n.*database would be at 120 % and needs/u,
  );
});

/** Those of the document lsf-auth. */
const pricesOfDocument: Prices = {
  currency: 'USD',
  date: '2026-11-27',
  source: 'lsf-auth',
  cpuHour: null,
  memoryGibHour: null,
  instanceMonth: { api: exactly(100), primary: exactly(450), cache: exactly(200) },
  networkGb: null,
  fixedMonth: { frontend: exactly(100), monitoring: exactly(150) },
};

describe('how to choose among tiers', () => {
  const prices = pricesOfDocument;

  it('knows what a tier costs at other rates, and from which rate on nobody carries the load', () => {
    const plan = planCapacity(runOf(tierOf('pooled')), questionOf('peak-rate', 600, {}, prices));
    expect(plan.first).toMatchObject({ tier: 'pooled', outcome: { cost: { total: exactly(1100) } } });
    expect(plan.first?.outcome.cost?.perMillion.atCapacity.low).toBeCloseTo((1100 / 730 / 3600 / 600) * 1e6, 6);
    // The database is at 80 % with 600/s: it carries no more.
    expect(plan.breakEvens).toEqual([{ peakPerS: expect.any(Number), below: 'pooled', above: null, belowEnds: true }]);
    expect((plan.breakEvens[0]?.peakPerS ?? 0) / 600).toBeCloseTo(1, 2);
    const costs = plan.curves[0]?.points.map(({ cost }) => cost) ?? [];
    expect(costs[0]).toBe(900);
    expect(costs.at(-1)).toBeNull();
  });

  it('has the least regret where the peak may be low or high', () => {
    const question = questionOf('peak-rate', 300, {}, prices);
    const workload = { ...question.workload, amount: { low: 100, high: 500 } };
    const regret = planCapacity(runOf(tierOf('pooled')), { ...question, workload }).regret;
    expect(regret?.peaksPerS).toEqual([expect.closeTo(110, -1), expect.closeTo(300, -1), expect.closeTo(490, -1)]);
    const worst = regret?.choices.map(({ regrets }) => Math.max(...regrets)) ?? [];
    expect(worst).toEqual(worst.toSorted((one, other) => one - other));
    expect(planCapacity(runOf(tierOf('pooled')), question).regret).toBeNull();
  });

  it('needs the memory of a cache that its misses fill, and the log that requests write', () => {
    const { resources } = planned(tierOf('cached'), questionOf('daily-users', 1e5));
    const byCode = Object.fromEntries(resources.map(({ code, estimate }) => [code, estimate.value]));
    // 69.4/s on a day; 400 bytes of log and 1/4 of a miss for a request, an entry of 500 bytes lives 1,950 s.
    expect(byCode['log-day']).toBeCloseTo(1e5 * 60 * 400, -3);
    expect(byCode['cache-entry']).toBeCloseTo(500, 6);
    expect(byCode['cache-memory']).toBeCloseTo(208.333 * 0.25 * 1950 * 500, -4);
  });
});
