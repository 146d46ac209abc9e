import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseTargets, readTargets } from './target-file.ts';

test("a user's own targets are read into SI units", () => {
  const targets = parseTargets(
    `
document: our-promises
targets:
  ours-latency:
    title: p95 of the login
    section: Contract
    comparison: '<='
    value: 250 ms
    appliesTo: { tiers: [single], scenarios: [login], concurrency: 20, arrivalRate: 1k/s, users: 5000, tasks: 100 }
    judged: { measured: latency-p95 }
    contradictions: [{ target: ours-cost, note: Too cheap for it. }]
    note: Signed in spring.
  ours-cost:
    title: What it may cost
    section: Contract
    value: [100 USD/month, 1k USD/month]
    judged: { model: cost }
  ours-pool:
    title: Connections
    section: Runbook
    value: 10 connections
    judged: { setting: DATABASE_POOL_MAX }
  ours-page:
    title: Page load
    section: Contract
    comparison: '<'
    value: 3 s
    judged: { not-yet: No browser. }
`,
    'ours.yaml',
  );
  const everywhere = { tiers: [], scenarios: [] };
  expect(targets).toEqual([
    {
      id: 'ours-latency',
      title: 'p95 of the login',
      source: { document: 'our-promises', section: 'Contract' },
      comparison: '<=',
      value: 0.25,
      unit: 's',
      appliesTo: {
        tiers: ['single'],
        scenarios: ['login'],
        concurrency: 20,
        arrivalRatePerS: 1000,
        users: 5000,
        tasks: 100,
      },
      judged: { by: 'measured', metric: 'latency-p95' },
      contradictions: [{ target: 'ours-cost', note: 'Too cheap for it.' }],
      note: 'Signed in spring.',
    },
    {
      id: 'ours-cost',
      title: 'What it may cost',
      source: { document: 'our-promises', section: 'Contract' },
      comparison: 'between',
      value: [100, 1000],
      unit: 'USD/month',
      appliesTo: everywhere,
      judged: { by: 'model', model: 'cost' },
      contradictions: [],
    },
    {
      id: 'ours-pool',
      title: 'Connections',
      source: { document: 'our-promises', section: 'Runbook' },
      comparison: '=',
      value: 10,
      unit: 'connections',
      appliesTo: everywhere,
      judged: { by: 'setting', option: 'DATABASE_POOL_MAX' },
      contradictions: [],
    },
    {
      id: 'ours-page',
      title: 'Page load',
      source: { document: 'our-promises', section: 'Contract' },
      comparison: '<',
      value: 3,
      unit: 's',
      appliesTo: everywhere,
      judged: { by: 'not-yet', why: 'No browser.' },
      contradictions: [],
    },
  ]);
});

test('files given replace the built-in targets, and all problems of all of them are reported at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tierbench-targets-'));
  const target = 'title: T\n    section: S\n    value: 1 s\n    judged: { not-yet: later. }\n';
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  try {
    const one = write('one.yaml', `document: one\ntargets:\n  same:\n    ${target}`);
    const two = write(
      'two.yaml',
      `document: two\ntargets:\n  same:\n    ${target}  other:\n    ${target}    more: 1\n`,
    );
    const broken = write('broken.yaml', 'a: [');
    const tabbed = write('tabbed.yaml', 'a:\n\tb: 1');
    expect((await readTargets([one])).map(({ id }) => id)).toEqual(['same']);
    await expect(readTargets([one, two])).rejects.toMatchObject({
      code: 'TARGET_FILE_INVALID',
      problems: [
        { file: two, line: 3, column: 3, what: `the id 'same' is already used in ${one}:3` },
        { file: two, line: 13, column: 5, what: "unknown key 'more'" },
      ],
    });
    await expect(readTargets([broken, tabbed])).rejects.toMatchObject({
      code: 'TARGET_FILE_INVALID',
      problems: [
        { file: broken, line: 1 },
        { file: tabbed, line: 2 },
      ],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
