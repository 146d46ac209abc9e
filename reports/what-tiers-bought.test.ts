import { describe, expect, test } from 'vitest';
import type { WhyNot } from '../harness/core/findings.ts';
import type { MetricId } from '../harness/core/metrics.ts';
import type { ProbeSample } from '../harness/core/trial.ts';
import type { LoadComparison, TierChange, TierComparison, TierRow } from '../harness/judging/compare-tiers.ts';
import { judgeTrial } from '../harness/judging/judge-trial.ts';
import { madeUpTrial } from '../test-support/made-up-trial.ts';
import { whatTiersBought } from './what-tiers-bought.ts';

const same: TierChange = { kind: 'unclear', ratio: { value: 1.01, low: 0.95, high: 1.07 } };
const changed = (value: number): TierChange => ({
  kind: 'changed',
  ratio: { value, low: value - 0.08, high: value + 0.08 },
});
const unknown = (tier: string, why: WhyNot): TierChange => ({ kind: 'unknown', tier, why });

/** What a probe read each second: metric, source, value. */
type Seen = readonly (readonly [metric: MetricId, source: string, value: number])[];

interface MadeUpRow {
  readonly tier: string;
  readonly change?: readonly [throughput: TierChange, p95: TierChange];
  readonly seen?: Seen;
  readonly why?: WhyNot;
}

function loadOf(concurrency: number, rows: readonly MadeUpRow[]): LoadComparison {
  let before: string | null = null;
  return {
    load: { model: 'closed', concurrency },
    rows: rows.map(({ tier, change, seen = [], why }): TierRow => {
      const samples = seen.map(([metric, source, value]): ProbeSample => ({ atS: 2, source, metric, value }));
      const record = { ...madeUpTrial({ concurrency, samples, measuredS: 5, okPerS: 20 }), subject: tier };
      const row: TierRow = {
        tier,
        trial: why === undefined ? judgeTrial(record) : null,
        why: why ?? null,
        before: change === undefined ? null : before,
        throughput: change?.[0] ?? null,
        p95: change?.[1] ?? null,
        verdicts: { throughput: [], p95: [] },
      };
      before = tier;
      return row;
    }),
  };
}

function words(scenario: string, loads: readonly LoadComparison[]): string {
  const comparison: TierComparison = { comparisons: 1, scenarios: [{ scenario, loads, unpaired: [] }] };
  return whatTiersBought(comparison, []);
}

describe('what the tiers bought, in plain words', () => {
  test('everything is noise', () => {
    const rows: MadeUpRow[] = [
      { tier: 'single' },
      { tier: 'pooled', change: [same, same] },
      { tier: 'cached', change: [same, same] },
    ];
    expect(words('login', [loadOf(1, rows), loadOf(10, rows)])).toBe(
      'Neither throughput nor p95 of login changed beyond noise from one tier to the next (single, pooled, cached) at concurrency 1 and 10.',
    );
    expect(words('login', [loadOf(1, rows.slice(0, 2))])).toBe(
      'Neither throughput nor p95 of login changed beyond noise from single to pooled at concurrency 1.',
    );
  });

  test('everything that can be compared is noise: nothing is said of what cannot', () => {
    const few = unknown('single', { code: 'too-few-answers' });
    const rows = (p95: TierChange, last: TierChange = same): MadeUpRow[] => [
      { tier: 'single' },
      { tier: 'pooled', change: [same, p95] },
      { tier: 'cached', change: [last, last] },
    ];
    expect(words('login', [loadOf(1, rows(few)), loadOf(10, rows(same))])).toContain(
      [
        'Throughput of login did not change beyond noise from single to pooled at concurrency 1 and 10.',
        'p95 of login did not change beyond noise from single to pooled at concurrency 10.',
        'Neither throughput nor p95 of login changed beyond noise from pooled to cached at concurrency 1 and 10.',
      ].join(' '),
    );
    expect(words('login', [loadOf(1, rows(same, few)), loadOf(10, rows(same))])).toContain(
      'Neither throughput nor p95 of login changed beyond noise from pooled to cached at concurrency 10.',
    );
    const onlyThroughput = words('login', [loadOf(1, rows(few).slice(0, 2))]);
    expect(onlyThroughput).toContain('Throughput of login did not change beyond noise');
    expect(onlyThroughput).not.toContain('p95');
  });

  test('both figures changed at every load: one sentence', () => {
    const rows = (gain: number): MadeUpRow[] => [
      { tier: 'pooled' },
      { tier: 'replicated', change: [changed(gain), changed(0.75)] },
    ];
    expect(words('crud', [loadOf(10, rows(1.3)), loadOf(50, rows(1.18))])).toBe(
      'From pooled to replicated throughput of crud rose by 18 % (10 to 26) and its p95 fell by 25 % (17 to 33) at concurrency 50, and both the same way at concurrency 10.',
    );
  });

  test('rates and numbers of users stand apart', () => {
    const at = (load: LoadComparison['load'], throughput: TierChange): LoadComparison => ({
      ...loadOf(1, [{ tier: 'single' }, { tier: 'pooled', change: [throughput, same] }]),
      load,
    });
    const rate = (arrivalRatePerS: number) => ({ model: 'open', arrivalRatePerS, arrivals: 'poisson' }) as const;
    const users = { model: 'closed', concurrency: 100 } as const;
    expect(words('crud', [at(rate(100), same), at(rate(1500), same), at(users, changed(1.2))])).toBe(
      [
        'Throughput of crud rose by 20 % (12 to 28) from single to pooled at concurrency 100; there was no change beyond noise at 100/s and 1,500/s.',
        'p95 of crud did not change beyond noise from single to pooled at 100/s and 1,500/s and at concurrency 100.',
      ].join(' '),
    );
  });

  test('one figure changed, at some loads, in both directions', () => {
    const at = (concurrency: number, throughput: TierChange) =>
      loadOf(concurrency, [{ tier: 'single' }, { tier: 'pooled', change: [throughput, same] }]);
    expect(words('crud', [at(1, changed(0.8)), at(10, same), at(50, changed(1.18)), at(100, changed(1.2))])).toBe(
      [
        'Throughput of crud rose by 20 % (12 to 28) from single to pooled at concurrency 100; it rose at concurrency 50 too;',
        'it fell at concurrency 1; there was no change beyond noise at concurrency 10.',
        'p95 of crud did not change beyond noise from single to pooled at concurrency 1, 10, 50 and 100.',
      ].join(' '),
    );
  });

  test('a tier that was not run is named with the reason, and what cannot be compared with its own', () => {
    const busy = { code: 'generator-busy', utilizationRatio: 0.97, limitRatio: 0.8 } as const;
    const text = words('crud', [
      loadOf(10, [
        { tier: 'single' },
        { tier: 'pooled', why: { code: 'tier-not-run', obstacles: [{ code: 'inside-container' }] } },
        { tier: 'cached', change: [unknown('cached', { code: 'invalid', reason: busy }), same] },
      ]),
    ]);
    expect(text).toContain('pooled was not run: tierbench runs in a container itself');
    expect(text).toContain('1 of the 2 comparisons cannot be made (cached: invalid: the generator was busy 97 %');
  });

  test('nothing is sound', () => {
    const why = unknown('single', { code: 'invalid', reason: { code: 'stopped', measuredS: 3, plannedS: 5 } });
    expect(words('crud', [loadOf(10, [{ tier: 'single' }, { tier: 'pooled', change: [why, why] }])])).toBe(
      'None of the 2 comparisons can be made (single: invalid: it was stopped after 3 s of 5 s).',
    );
  });

  test('nothing was measured twice', () => {
    const text = 'No two tiers were measured at the same load, so no change can be told.';
    expect(whatTiersBought({ comparisons: 0, scenarios: [] }, [])).toBe(text);
    expect(words('crud', [])).toBe(text);
  });
});

describe('what queued and what was busy meanwhile', () => {
  const tiers = (first: Seen, second: Seen) =>
    loadOf(50, [
      { tier: 'single', seen: first },
      { tier: 'pooled', change: [same, same], seen: second },
    ]);

  test.each<[string, Seen, Seen, string]>([
    [
      'the same queue in every tier, over all instances',
      [['password-hashes-waiting', 'api/1', 46]],
      [
        ['password-hashes-waiting', 'api/1', 20],
        ['password-hashes-waiting', 'api/2', 24],
      ],
      'At concurrency 50 of login the longest queue was 44 to 46 requests waiting for a password hash in every tier.',
    ],
    [
      'different queues',
      [['pool-waiting', 'api/1', 12]],
      [
        ['pool-waiting', 'api/1', 1],
        ['clients-waiting', 'pooler/1', 30],
      ],
      'the longest queue was 12 requests waiting for a database connection in single; 30 requests waiting for a connection of the pooler in pooled.',
    ],
    [
      'a queue in one tier alone',
      [['pool-waiting', 'api/1', 12]],
      [['pool-waiting', 'api/1', 0.1]],
      'waiting for a database connection in single; no queue was seen in pooled.',
    ],
    [
      'a cache that nothing was found in',
      [['machine-utilization', 'machine', 0.4]],
      [['cache-misses', 'api/1', 20]],
      'Of the cached reads of login at concurrency 50 the cache answered 0 % in pooled.',
    ],
    [
      'a machine with little left',
      [['machine-utilization', 'machine', 0.97]],
      [['machine-utilization', 'machine', 0.85]],
      "At these loads 85 to 97 % of the machine's CPU was in use in every tier.",
    ],
    [
      'a machine with little left in one tier',
      [['machine-utilization', 'machine', 0.97]],
      [['machine-utilization', 'machine', 0.4]],
      "At these loads 97 % of the machine's CPU was in use in login on single.",
    ],
  ])('%s', (_, first, second, expected) => {
    expect(words('login', [tiers(first, second)])).toContain(expected);
  });

  test('where no probe looked nothing is said, and a tier without a probe is not counted among all', () => {
    expect(words('login', [tiers([], [])])).not.toMatch(/queue|CPU/);
    expect(words('login', [tiers([['pool-waiting', 'api/1', 12]], [])])).toContain('connection in single.');
  });
});
