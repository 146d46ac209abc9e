import { describe, expect, test } from 'vitest';
import type { FaultRecord } from '../../harness/core/trial.ts';
import { describeRecovery } from '../../harness/judging/recovery.ts';
import { rate } from '../../test-support/made-up-run.ts';
import {
  type MadeUpTrial,
  madeUpRun,
  madeUpTarget,
  madeUpTier,
  madeUpTrial,
} from '../../test-support/made-up-trial.ts';
import { analyse } from '../analysis.ts';
import { recoveryText } from './run-faults.ts';
import { limitSentence, limitTexts } from './run-limits.ts';
import { notJudgedTable, targetsTable } from './run-tables.ts';
import { viewBlocks } from './run-views.ts';

/** A trial of 20 s whose seconds 6 to 9 answer nothing, unless said otherwise. */
function recovery(fault: Partial<FaultRecord>, okPerS = (second: number) => (second >= 6 && second < 10 ? 0 : 100)) {
  const record = madeUpTrial({ purpose: 'fault', measuredS: 20, okPerS });
  return recoveryText(
    describeRecovery({ ...record, fault: { kind: 'kill', instance: 'cache/1', atS: 6, undoneAtS: 10, ...fault } }),
  );
}

describe('when a system served as before', () => {
  test.each([
    ['at once', recovery({}), 'when it was up again'],
    ['after a while', recovery({ undoneAtS: 8 }), '2 s after it was up again'],
    ['all the time', recovery({}, () => 100), 'not affected'],
    [
      'from another instance',
      recovery({ undoneAtS: 16 }, (second) => (second >= 6 && second < 8 ? 0 : 100)),
      '2 s after the fault, while it lasted',
    ],
    ['nothing before', recovery({}, (second) => (second < 6 ? 0 : 100)), 'not known: nothing succeeded before'],
    ['never', recovery({}, (second) => (second < 6 ? 100 : 0)), 'not before the trial ended'],
    ['gone', recovery({ undoneAtS: null }, (second) => (second < 6 ? 100 : 0)), 'never: cache/1 did not come back'],
    ['after a pause', recovery({ kind: 'pause', undoneAtS: 8 }), '2 s after it was resumed'],
  ])('%s', (_, text, expected) => {
    expect(text).toBe(expected);
  });
});

describe('documents that contradict each other about a setting', () => {
  const pool = (id: string, value: number, other: string) =>
    madeUpTarget({
      id,
      title: id,
      source: { document: id, section: 'Pool' },
      comparison: '=',
      value,
      unit: 'connections',
      judged: { by: 'setting', option: 'DATABASE_POOL_MAX' },
      contradictions: [{ target: other, note: '' }],
    });
  const tiersOf = (...followed: readonly number[]) => {
    const { subjects, ...run } = madeUpRun(
      [],
      [
        pool('ten', 10, 'twenty'),
        pool('twenty', 20, 'ten'),
        { ...pool('fifty', 50, 'ten'), contradictions: ['ten', 'twenty'].map((target) => ({ target, note: '' })) },
      ],
    );
    return analyse({
      ...run,
      subjects: subjects.flatMap((subject) =>
        followed.map((connections) => {
          const name = `of ${connections}`;
          const services = madeUpTier.services.map((each) => ({
            ...each,
            settings: { DATABASE_POOL_MAX: connections },
          }));
          return { ...subject, id: name, tier: { ...madeUpTier, name, services } };
        }),
      ),
    }).tiers;
  };

  test('each tier shows the one it follows', () => {
    const tiers = tiersOf(10, 20);
    const rows = targetsTable(tiers, 'setting').rows.map((row) => row.map(({ text }) => text));
    expect(rows.map(([title, , , ...cells]) => [title, ...cells])).toEqual([
      ['ten', 'met', 'follows twenty'],
      ['twenty', 'follows ten', 'met'],
    ]);
    const [reason] = notJudgedTable(tiers).rows.map((row) => row[2]?.text);
    expect(reason).toMatch(/^of 10: .*ten.* of 20: .*twenty/u);
  });

  test('tiers that follow the same one share the reason', () => {
    const rows = notJudgedTable(tiersOf(10, 10)).rows.map((row) => row.map(({ text }) => text));
    expect(rows.map(([title]) => title)).toEqual(['twenty', 'fifty']);
    for (const [, , reason] of rows) expect(reason).not.toContain('of 10');
  });
});

describe('what coordinated omission hides', () => {
  const quick = { latencyS: 0.01, coordinatedS: Array<number>(500).fill(0.01) };
  const hidden = { latencyS: 0.4, coordinatedS: Array<number>(500).fill(0.01) };
  const byRate = (arrivalRatePerS: number, choice: MadeUpTrial): MadeUpTrial => ({
    load: rate(arrivalRatePerS),
    serviceTimeS: 0.01,
    ...choice,
  });
  const textOf = (...trials: readonly MadeUpTrial[]) => {
    const [tier] = analyse(madeUpRun(trials.map(madeUpTrial), [])).tiers;
    const [first] = tier === undefined ? [] : viewBlocks(tier);
    return first?.kind === 'paragraph' ? first.text : null;
  };

  test.each<[string, string | null, RegExp]>([
    [
      'the trial that differs most',
      textOf(byRate(100, quick), byRate(200, hidden)),
      /^In crud at 200\/s, p\d+ is 10 ms .*40 times less/,
    ],
    ['agreement', textOf(byRate(100, quick)), /^The readings agree/],
    [
      'no such percentile',
      textOf(byRate(100, { ...quick, droppedPerS: 0.5, failedPerS: 6 })),
      /dropped or failed, so that there is no p99/,
    ],
    [
      'other trials before a late generator',
      textOf(byRate(100, quick), byRate(200, { ...hidden, generator: { sendLagP99S: 0.3 } })),
      /^The readings of the trials in which the generator kept up agree/,
    ],
    [
      'a late generator',
      textOf(byRate(200, { ...hidden, generator: { sendLagP99S: 0.3 } })),
      /generator of this trial/,
    ],
    ['too few samples', textOf(byRate(1, { okPerS: 1, measuredS: 5, latencyS: 0.01 })), /^No trial has enough samples/],
  ])('%s', (_, text, expected) => {
    expect(text).toMatch(expected);
  });

  test('an engine that reads in one way only says nothing', () => {
    expect(textOf({ load: rate(100) })).toBeNull();
  });
});

test('a limit is named with its source, a saturated second one too', () => {
  const cpu = {
    kind: 'utilization',
    source: 'api/1',
    metric: 'cpu-cores',
    resource: 'cpu',
    used: 1,
    limit: 1,
    ratio: 1,
  } as const;
  const queue = {
    kind: 'queue',
    source: 'api/1',
    metric: 'pool-waiting',
    resource: 'connections',
    waiting: 12,
  } as const;
  const nothing = { utilizations: [], queues: [], because: [], cpuShares: [] };
  expect(limitTexts({ first: cpu, next: queue, ...nothing })).toEqual([
    'api/1: CPU 100 %',
    '12 waiting for a database connection',
  ]);
  expect(limitTexts({ first: cpu, next: { ...cpu, source: 'database/1', ratio: 0.3 }, ...nothing })).toHaveLength(1);
  expect(limitTexts({ first: null, next: { ...cpu, ratio: 0.5 }, ...nothing })[0]).toContain('api/1: CPU 50 %');
  expect(limitTexts({ unknown: 'no-samples' })[0]).toContain('not known');
  expect(limitSentence({ first: cpu, next: queue, ...nothing })).toBe(
    "the api's CPU limits it (100 % of 1 CPU); next would be the api (12 waiting for a database connection)",
  );
  const machine = { ...cpu, source: 'machine', metric: 'machine-utilization' } as const;
  const cpuShares = [
    { name: 'api', ratio: 0.6 },
    { name: 'others', ratio: 0.001 },
  ];
  expect(limitSentence({ ...nothing, first: machine, next: null, cpuShares })).toBe(
    'the CPUs of the machine limit it (100 % of all cores, api 60 %)',
  );
  expect(limitSentence({ ...nothing, first: { ...cpu, source: 'generator' }, next: null })).toContain('generator');
});
