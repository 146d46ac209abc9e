import { describe, expect, it, test } from 'vitest';
import type { Demands } from './demands.ts';
import { type ComparedTier, tierDifferences } from './tier-differences.ts';

/** CPU of one request in milliseconds, each with an interval of 3 % either way. */
function demandsOf(cpuMs: Readonly<Record<string, number>>, more: Partial<Demands> = {}): Demands {
  return {
    takenAtPerS: [90, 100],
    trials: 4,
    requestsPerIteration: 1,
    services: Object.entries(cpuMs).map(([service, ms]) => ({
      service,
      cpuS: ms / 1000,
      interval: { lowS: (ms * 0.97) / 1000, highS: (ms * 1.03) / 1000 },
      backgroundCpus: 0,
      mainThread: null,
    })),
    amounts: [{ service: 'database', metric: 'rows-read', perRequest: 3 }],
    hitRatios: [],
    connections: [],
    rowsReadAtReplicasRatio: null,
    responseBytes: null,
    expected: { here: [], atTierSizes: [] },
    ...more,
  };
}

const rate = (valuePerS: number) => {
  return { valuePerS, lowPerS: valuePerS * 0.98, highPerS: valuePerS * 1.02, end: 'precise' } as const;
};
const tier = (name: string, more: Partial<ComparedTier>): ComparedTier => {
  return { tier: name, rate: null, limit: null, demands: null, notes: [], ...more };
};
const single = tier('single', { rate: rate(200), demands: demandsOf({ api: 1, database: 0.15 }) });

function cpuOf(service: string | null, from: ComparedTier, to: ComparedTier) {
  const found = tierDifferences('crud', [from, to]).find(
    ({ quantity }) => quantity.code === 'cpu-per-request' && quantity.service === service,
  );
  return found;
}

describe('from one tier to the next', () => {
  it('the rate it sustains and the CPU of a request, of each service that both have and of all', () => {
    const cached = tier('cached', { rate: rate(300), demands: demandsOf({ api: 1.01, database: 0.05, cache: 0.02 }) });
    const found = tierDifferences('crud', [single, cached]);
    expect(found.map(({ quantity, verdict }) => [quantity, verdict])).toEqual([
      [{ code: 'sustained-rate' }, 'different'],
      [{ code: 'cpu-per-request', service: null }, 'open'],
      [{ code: 'cpu-per-request', service: 'api' }, 'no-difference'],
      [{ code: 'cpu-per-request', service: 'database' }, 'different'],
    ]);
    expect(found[0]).toMatchObject({
      before: 'single',
      tier: 'cached',
      ratio: { value: 1.5, low: expect.closeTo((1.5 * 0.98) / 1.02, 6), high: expect.closeTo((1.5 * 1.02) / 0.98, 6) },
      valueBefore: 200,
      valueAfter: 300,
    });
    expect(found[1]).toMatchObject({ why: { code: 'interval-too-wide' } });
  });

  it('is open where an interval is missing, with the tier that lacks it', () => {
    const endless = tier('pooled', {
      rate: { valuePerS: null, lowPerS: 400, highPerS: null, end: 'generator-limit' },
      demands: demandsOf({ api: 1 }, { services: [{ ...single.demands?.services[0], interval: null }] as never }),
    });
    expect(tierDifferences('crud', [single, endless])).toMatchObject([
      { verdict: 'open', why: { code: 'no-interval-of-rate', tier: 'pooled', end: 'generator-limit' } },
      { verdict: 'open', why: { code: 'too-few-trials', tier: 'pooled' } },
      { verdict: 'open', why: { code: 'too-few-trials', tier: 'pooled' } },
    ]);
    expect(tierDifferences('crud', [single, tier('pooled', {})])).toEqual([]);
  });
});

describe('its cause', () => {
  test('a pooler that keeps no prepared statements', () => {
    const notes = [{ code: 'prepared-statements-off', service: 'pooler', version: '1.18.0' }] as const;
    const pooled = tier('pooled', { notes, demands: demandsOf({ api: 1, database: 0.49 }) });
    expect(cpuOf('database', single, pooled)).toMatchObject({
      ratio: { value: expect.closeTo(0.49 / 0.15, 6) },
      causes: [{ code: 'prepared-statements', kept: false, pooler: 'pooler' }],
    });
    expect(cpuOf('database', pooled, single)).toMatchObject({
      causes: [{ code: 'prepared-statements', kept: true, pooler: 'pooler' }],
    });
  });

  test('a cache that has nothing, as each read follows a write, and one that has most', () => {
    const amounts = (writes: number) =>
      [
        { service: 'database', metric: 'rows-read', perRequest: 3 },
        { service: 'database', metric: 'rows-written', perRequest: writes },
        { service: 'api', metric: 'cache-misses', perRequest: 0.4 },
      ] as const;
    const cached = (ratio: number, writes: number) =>
      tier('cached', {
        demands: demandsOf(
          { api: ratio === 0 ? 1.4 : 0.7, database: 0.08 },
          { amounts: amounts(writes), hitRatios: [{ service: 'api', metric: 'cache-hits', ratio }] },
        ),
      });
    expect(cpuOf('api', single, cached(0, 0.5))).toMatchObject({
      causes: [{ code: 'few-cache-hits', hitRatio: 0, readsFollowWrites: true }],
    });
    expect(cpuOf('api', single, cached(0, 0.1))).toMatchObject({ causes: [{ readsFollowWrites: false }] });
    expect(cpuOf('database', single, cached(0.9, 0.1))).toMatchObject({
      causes: [{ code: 'cache-hits', hitRatio: 0.9 }],
    });
  });

  test('reads at the replica, and less work', () => {
    const statements = (perRequest: number) =>
      [
        { service: 'database', metric: 'rows-read', perRequest: 3 },
        { service: 'database', metric: 'statements', perRequest },
      ] as const;
    const pooled = tier('pooled', { demands: demandsOf({ api: 1, database: 0.3 }, { amounts: statements(4) }) });
    const replicated = tier('replicated', {
      demands: demandsOf({ api: 1, database: 0.15 }, { amounts: statements(2), rowsReadAtReplicasRatio: 0.6 }),
    });
    expect(cpuOf('database', pooled, replicated)).toMatchObject({
      causes: [
        { code: 'reads-at-replica', rowsRatio: 0.6 },
        { code: 'other-work', metric: 'statements', before: 4, after: 2 },
      ],
    });
  });

  test('of a rate what limits each tier, such as a rate limiter', () => {
    const use = {
      kind: 'queue',
      source: 'api/1',
      metric: 'refused-429',
      resource: 'rate-limit',
      waiting: 0.2,
    } as const;
    const limit = { first: use, next: null, because: [], cpuShares: [], utilizations: [], queues: [use] };
    const limited = tier('cached', { rate: rate(50), limit });
    expect(tierDifferences('crud', [single, limited])).toMatchObject([
      { verdict: 'different', causes: [{ code: 'limited-by', tier: 'cached', use }] },
    ]);
  });
});
