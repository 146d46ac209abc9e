import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpRun, madeUpTier, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { RunResult } from '../core/run.ts';
import type { SubjectFacts } from '../core/study-record.ts';
import { compareTiers, type TierComparison, type TierRow } from './compare-tiers.ts';
import { judgeTrials } from './judge-trial.ts';

/** A run of tiers by name, each with its trials and what is special about it. */
interface MadeUpTiers {
  readonly [tier: string]: { readonly trials?: readonly MadeUpTrial[]; readonly facts?: Partial<SubjectFacts> };
}

function runOf(tiers: MadeUpTiers, status: RunResult['status']['state'] = 'finished'): RunResult {
  const trials = Object.entries(tiers).flatMap(([tier, { trials: own = [] }]) =>
    own.map((choice) => ({ ...madeUpTrial(choice), subject: tier })),
  );
  const run = madeUpRun(trials, []);
  const [facts] = run.subjects;
  if (facts === undefined) throw new Error('a made-up run has a tier');
  return {
    ...run,
    status: status === 'running' ? { state: 'running' } : run.status,
    subjects: Object.entries(tiers).map(([name, { facts: changes }]) => ({
      ...facts,
      id: name,
      tier: { ...madeUpTier, name },
      ...changes,
    })),
  };
}

function compare(tiers: MadeUpTiers, status?: RunResult['status']['state']): TierComparison {
  const result = runOf(tiers, status);
  const comparison = compareTiers(result, judgeTrials(result));
  if (comparison === null) throw new Error('there is more than one tier');
  return comparison;
}

function rowsOf(tiers: MadeUpTiers, status?: RunResult['status']['state']): readonly TierRow[] {
  return compare(tiers, status).scenarios[0]?.loads[0]?.rows ?? [];
}

/** A second is up to 3 % faster or slower; p95 is 5 % above the usual latency. */
function trial(okPerS: number, latencyS: number, changes: MadeUpTrial = {}): MadeUpTrial {
  const wobble = (second: number) => 1 + 0.03 * Math.sin(second * 2.4);
  return {
    okPerS: (second) => Math.round(okPerS * wobble(second)),
    latencyS: (request, second) => (latencyS * (1 + 0.05 * ((request % 20) / 19))) / wobble(second),
    ...changes,
  };
}

describe('tiers side by side', () => {
  it('a change has its size and its interval, and one within noise is none', () => {
    const [first, second] = rowsOf({
      single: { trials: [trial(200, 0.05)] },
      pooled: { trials: [trial(260, 0.0502)] },
    });
    expect(first).toMatchObject({ tier: 'single', before: null, throughput: null, p95: null });
    expect(second).toMatchObject({ before: 'single', throughput: { kind: 'changed' }, p95: { kind: 'unclear' } });
    if (second?.throughput?.kind !== 'changed') throw new Error('it changed');
    const { value, low, high } = second.throughput.ratio;
    expect(value).toBeCloseTo(1.3, 2);
    expect(low).toBeGreaterThan(1.2);
    expect(high).toBeLessThan(1.4);
  });

  it('less than what two starts of one tier may differ by is no change, however sure the seconds are', () => {
    const exact = (okPerS: number) => ({ trials: [{ okPerS, latencyS: 0.05 }] });
    expect(rowsOf({ single: exact(200), pooled: exact(208) })[1]?.throughput?.kind).toBe('unclear');
    expect(rowsOf({ single: exact(200), pooled: exact(212) })[1]?.throughput?.kind).toBe('changed');
  });

  it('each tier is held against the one before it in the run, at the same load of the same scenario', () => {
    const both = (okPerS: number) => [
      trial(okPerS, 0.05, { concurrency: 10 }),
      trial(2 * okPerS, 0.05, { concurrency: 50 }),
      trial(okPerS, 0.05, { concurrency: 10, scenario: 'browse' }),
    ];
    const { scenarios, comparisons } = compare({
      single: { trials: both(100) },
      pooled: { trials: both(150) },
      cached: { trials: both(75) },
    });
    expect(scenarios.map(({ scenario, loads }) => [scenario, loads.length])).toEqual([
      ['crud', 2],
      ['browse', 1],
    ]);
    expect(comparisons).toBe(3 * 2 * 2);
    for (const { rows } of scenarios.flatMap(({ loads }) => loads)) {
      const ratios = rows.flatMap(({ throughput }) =>
        throughput === null || throughput.kind === 'unknown' ? [] : [throughput.ratio.value],
      );
      expect(ratios[0]).toBeCloseTo(1.5, 1);
      expect(ratios[1]).toBeCloseTo(0.5, 1);
      expect(rows.map(({ before }) => before)).toEqual([null, 'single', 'pooled']);
    }
  });

  it('many comparisons take more to call one a change', () => {
    const noisy = (okPerS: number) => ({
      okPerS: (second: number) => Math.round(okPerS * (1 + 0.09 * Math.sin(second * 2.4))),
      latencyS: 0.05,
    });
    const few = rowsOf({ single: { trials: [noisy(200)] }, pooled: { trials: [noisy(218)] } });
    expect(few[1]?.throughput?.kind).toBe('changed');
    const loads = Array.from({ length: 12 }, (_, index) => index + 1);
    const many = compare({
      single: { trials: loads.map((concurrency) => ({ ...noisy(200), concurrency })) },
      pooled: { trials: loads.map((concurrency) => ({ ...noisy(concurrency === 5 ? 218 : 200), concurrency })) },
    });
    expect(many.scenarios[0]?.loads[4]?.rows[1]?.throughput?.kind).toBe('unclear');
  });
});

describe('tiers with loads of their own', () => {
  const rate = (arrivalRatePerS: number, model: 'poisson' | 'constant' = 'poisson'): MadeUpTrial =>
    trial(arrivalRatePerS, 0.05, { load: { model: 'open', arrivalRatePerS, arrivals: model } });
  const probed = { arrivalRatesPerS: null, concurrencies: null } as const;
  const planned = (...loads: readonly MadeUpTrial[]) => ({
    planned: loads.flatMap(({ load }) => (load === undefined ? [] : [{ scenario: 'crud', load }])),
  });

  function comparisonOf(tiers: MadeUpTiers, question: Partial<RunResult['question']> = probed) {
    const run = runOf(tiers);
    const result = { ...run, question: { ...run.question, ...question } };
    const comparison = compareTiers(result, judgeTrials(result));
    const [crud] = comparison?.scenarios ?? [];
    if (crud === undefined) throw new Error('crud was run on two tiers');
    return {
      loads: crud.loads.map(({ load }) => load),
      unpaired: crud.unpaired,
      rows: crud.loads.map(({ rows }) => rows),
    };
  }

  it('are compared at the loads they share, and not at the others', () => {
    const { loads, unpaired } = comparisonOf({
      single: { trials: [rate(100), { concurrency: 50 }, rate(140)] },
      pooled: { trials: [rate(230), rate(100), { concurrency: 50 }] },
    });
    expect(loads).toEqual([rate(100).load, { model: 'closed', concurrency: 50 }]);
    expect(unpaired).toEqual([
      { tier: 'single', loads: [rate(140).load] },
      { tier: 'pooled', loads: [rate(230).load] },
    ]);
  });

  it('the same rate in another order of arrivals is another load', () => {
    expect(
      comparisonOf({ single: { trials: [rate(100)] }, pooled: { trials: [rate(100, 'constant')] } }),
    ).toMatchObject({
      loads: [],
      unpaired: [{ tier: 'single' }, { tier: 'pooled' }],
    });
  });

  it('a tier that a load was not planned for is passed over there', () => {
    const { rows } = comparisonOf({
      single: { trials: [rate(100), rate(300)], facts: planned(rate(100), rate(300)) },
      pooled: { trials: [rate(100)], facts: planned(rate(100)) },
      cached: { trials: [rate(100), rate(300)], facts: planned(rate(100), rate(300)) },
    });
    expect(rows[1]?.map(({ before, why }) => [before, why])).toEqual([
      [null, null],
      [null, { code: 'not-planned' }],
      ['single', null],
    ]);
    expect(rows[1]?.[1]).toMatchObject({ throughput: null, p95: null });
    expect(rows[0]?.map(({ before }) => before)).toEqual([null, 'single', 'pooled']);
  });

  it('a load that was planned for another tier has a row for both', () => {
    const single = { trials: [rate(100), rate(140)] };
    const early = {
      facts: { endedEarly: { errorCode: 'SERVICE_ENDED', detail: 'api/1 crashed' }, ...planned(rate(100)) },
    };
    const { loads, rows } = comparisonOf({ single, pooled: early });
    expect(loads).toEqual([rate(100).load]);
    expect(rows[0]?.[1]).toMatchObject({
      trial: null,
      why: { code: 'tier-ended-early', errorCode: 'SERVICE_ENDED', detail: 'api/1 crashed' },
    });
    expect(comparisonOf({ single, pooled: {} }, { arrivalRatesPerS: [100, 140] }).loads).toHaveLength(2);
  });
});

describe('what cannot be compared says why', () => {
  const valid = { trials: [trial(200, 0.05)] };
  it.each<{ what: string; tiers: MadeUpTiers; status?: 'running'; tier: string; why: object }>([
    {
      what: 'an invalid trial',
      tiers: { single: { trials: [trial(200, 0.05, { generator: { utilizationRatio: 0.95 } })] }, pooled: valid },
      tier: 'single',
      why: { code: 'invalid', reason: { code: 'generator-busy', utilizationRatio: 0.95 } },
    },
    {
      what: 'a tier that ended early',
      tiers: {
        single: valid,
        pooled: { facts: { endedEarly: { errorCode: 'SERVICE_ENDED', detail: 'api/1 crashed' } } },
      },
      tier: 'pooled',
      why: { code: 'tier-ended-early', errorCode: 'SERVICE_ENDED', detail: 'api/1 crashed' },
    },
    {
      what: 'a run that ended',
      tiers: { single: valid, pooled: {} },
      status: 'running',
      tier: 'pooled',
      why: { code: 'not-measured', runEnded: true },
    },
    {
      what: 'too few answers',
      tiers: { single: valid, pooled: { trials: [trial(200, 0.05, { okPerS: 0, failedPerS: 9 })] } },
      tier: 'pooled',
      why: { code: 'too-few-answers' },
    },
  ])('$what', ({ tiers, status, tier, why }) => {
    const [, row] = rowsOf(tiers, status);
    expect(row?.throughput).toMatchObject({ kind: 'unknown', tier, why });
  });

  it('p95 of those that were answered, where many were not', () => {
    const [, row] = rowsOf({ single: valid, pooled: { trials: [trial(200, 0.05, { failedPerS: 20 })] } });
    expect(row?.p95).toEqual({
      kind: 'unknown',
      tier: 'pooled',
      why: { code: 'too-many-failed', errorRatio: expect.closeTo(0.091, 2) },
    });
    expect(row?.throughput?.kind).toBe('unclear');
  });

  it('a tier that was not run has its row, and the next one is held against the one before it', () => {
    const rows = rowsOf({
      single: valid,
      pooled: { facts: { notRun: [{ code: 'no-container-engine' }] } },
      cached: { trials: [trial(300, 0.05)] },
    });
    expect(rows[1]).toEqual({
      tier: 'pooled',
      trial: null,
      why: { code: 'tier-not-run', obstacles: [{ code: 'no-container-engine' }] },
      before: null,
      throughput: null,
      p95: null,
      verdicts: { throughput: [], p95: [] },
    });
    expect(rows[2]).toMatchObject({ before: 'single', throughput: { kind: 'changed' } });
  });

  it('one tier has nothing to be compared with, and faults are no measurements', () => {
    const one = runOf({ single: valid });
    expect(compareTiers(one, judgeTrials(one))).toBeNull();
    const { scenarios, comparisons } = compare({
      single: { trials: [trial(200, 0.05, { purpose: 'fault' })] },
      pooled: { trials: [trial(200, 0.05, { purpose: 'fault' })] },
    });
    expect(comparisons).toBe(0);
    expect(scenarios.flatMap(({ loads }) => loads)).toEqual([]);
  });
});
