import { describe, expect, it, test } from 'vitest';
import { exactly, type Prices, type WorkloadKind } from '../harness/core/plan.ts';
import type { Tier } from '../harness/core/tier.ts';
import { type TypedWorkload, workloadFrom } from '../harness/files/workload-file.ts';
import { fourTiers } from '../test-support/made-up-run.ts';
import { madeUpRun, madeUpTrial } from '../test-support/made-up-trial.ts';
import { analyse } from './analysis.ts';
import { planDocument, planReport } from './documents/plan.ts';
import { type PlanQuestion, planTiers, suffices } from './plan.ts';
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
  workload: workloadFrom({ ...changes, amount: { kind, value: exactly(amount) } }),
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
  const textOf = (peakPerS: number) => {
    const own = questionOf('peak-rate', peakPerS);
    const source = { runId: 'r', startedAt: '2026-11-21T08:00:00.000Z' };
    const tiers = planTiers(runOf(tierOf('pooled')), own);
    expect(JSON.parse(planReport(tiers, own, source))).toMatchObject({ schemaVersion: 1, runId: 'r' });
    return renderTerminal(planDocument(tiers, own, source), null, 200);
  };
  expect(textOf(600)).toMatch(
    /pooled carries 600 requests\/s at the peak \(3,030 users at once\) with 4 instances of api\./u,
  );
  expect(textOf(600)).toContain('1.2 times what was measured');
  expect(textOf(900)).toMatch(
    /No tier that was measured carries 900 requests\/s.*\n.*database would be at 120 % and needs/u,
  );
});
