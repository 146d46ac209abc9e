import { expect, test } from 'vitest';
import type { TierDifference } from '../../harness/judging/tier-differences.ts';
import { differenceBlocks } from './run-differences.ts';

const about = { scenario: 'crud', before: 'single', tier: 'pooled' } as const;
const cpuOf = (service: string) => ({ code: 'cpu-per-request', service }) as const;

test('a sentence for each difference and for each pair without one, and a table with reasons of the rest', () => {
  const differences: TierDifference[] = [
    {
      ...about,
      quantity: cpuOf('database'),
      verdict: 'different',
      ratio: { value: 3.3, low: 2.9, high: 3.6 },
      valueBefore: 0.00015,
      valueAfter: 0.00049,
      causes: [{ code: 'prepared-statements', kept: false, pooler: 'pooler' }],
    },
    {
      ...about,
      quantity: cpuOf('api'),
      verdict: 'no-difference',
      ratio: { value: 1, low: 0.97, high: 1.04 },
      valueBefore: 0.001,
      valueAfter: 0.001,
    },
    {
      ...about,
      quantity: { code: 'sustained-rate' },
      verdict: 'open',
      ratio: null,
      why: { code: 'no-interval-of-rate', tier: 'pooled', end: 'generator-limit' },
    },
  ];
  const [heading, sentences, table] = differenceBlocks(differences);
  expect(heading).toMatchObject({ text: 'What changes from tier to tier' });
  expect(sentences).toEqual({
    kind: 'list',
    items: [
      'crud: a request takes 3.3 times the CPU of database on pooled as on single (2.9 to 3.6): 490 µs instead of 150 µs, because pooler keeps no prepared statements, so that each is parsed and planned again.',
      'crud: no difference of 10 % or more between single and pooled in the CPU of api (0.97 to 1.04 times).',
    ],
  });
  expect(table).toMatchObject({
    table: {
      rows: [[{ text: 'crud' }, { text: 'single' }, { text: 'pooled' }, { text: 'sustained rate' }, { reasons: [1] }]],
      reasons: ['the sustained rate of pooled has no interval: the load generator was at its limit'],
    },
  });
});

test('nothing where nothing can be compared', () => {
  expect(differenceBlocks([])).toEqual([]);
});
