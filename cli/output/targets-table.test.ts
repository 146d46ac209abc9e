import { expect, test } from 'vitest';
import type { Target } from '../../harness/core/target.ts';
import { forTerminal } from '../../reports/text.ts';
import { targetsTable } from './targets-table.ts';

const base: Target = {
  id: 'ours-latency',
  title: 'p95 of the login',
  source: { document: 'ours', section: 'Contract' },
  comparison: '<',
  value: 0.2,
  unit: 's',
  appliesTo: { tiers: [], scenarios: ['login', 'crud'], concurrency: 1000 },
  judged: { by: 'measured', metric: 'latency-p95' },
  contradictions: [],
};
const targets: readonly Target[] = [
  base,
  {
    ...base,
    id: 'ours-cost-of-a-name-that-is-longer-than-any-column-should-be',
    title: 'What it may cost',
    comparison: 'between',
    value: [20, 50],
    unit: 'USD/month',
    appliesTo: { tiers: [], scenarios: [] },
    judged: { by: 'model', model: 'cost' },
  },
  {
    ...base,
    id: 'theirs-page',
    title: 'Page load',
    source: { document: 'theirs', section: 'Web' },
    value: 3,
    appliesTo: { tiers: [], scenarios: [] },
    judged: { by: 'not-yet', why: 'No browser loads pages.' },
    contradictions: [{ target: 'ours-latency', note: 'Less.' }],
  },
];

test('targets stand by document, with value, title and how they are judged', () => {
  expect(forTerminal(targetsTable(targets, 90), false)).toBe(`ours (2)
  ours-latency                                  < 200 ms
    p95 of the login; measured as latency-p95 in login and crud at concurrency 1,000
  ours-cost-of-a-name-that-is-longer-than-any-column-should-be  20 to 50 USD/month
    What it may cost; cost model

theirs (1)
  theirs-page  < 3 s
    Page load; not yet judged (No browser loads pages); contradicts ours-latency

3 targets: 1 measured, 0 settings, 1 for a model, 1 not judged yet.`);
});

test.each([60, 80, 120])('no line is wider than %d columns, and nothing is cut off', (width) => {
  const table = forTerminal(targetsTable(targets, width), false);
  expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(Math.max(width, 62));
  for (const { id, title } of targets) {
    expect(table).toContain(id);
    expect(table.replaceAll(/\s+/g, ' ')).toContain(title);
  }
});
