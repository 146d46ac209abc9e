import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { analyse } from './analysis.ts';
import { fourTierRun, troubledFourTierRun } from './fixtures/four-tier-run.ts';
import { hostileRun, incompleteRuns } from './fixtures/incomplete-runs.ts';
import { rateRun, rateRunOfTiers } from './fixtures/rate-runs.ts';
import { syntheticRun } from './fixtures/synthetic-run.ts';
import { renderJson } from './json.ts';
import { reportJsonSchema, reportSchema } from './json-schema.ts';

// Histograms and pictures take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const complete = syntheticRun(['single'], [1, 10]);

const runs = {
  complete,
  'by rate': rateRun(),
  'by rate, three tiers': rateRunOfTiers(),
  'four tiers': fourTierRun(),
  'four tiers in trouble': troubledFourTierRun(),
  hostile: hostileRun(complete),
  ...incompleteRuns(complete),
};

test.each(Object.entries(runs))('report.json of a run (%s) is as its schema says, with nothing more', (_, result) => {
  const report: unknown = JSON.parse(renderJson(analyse(result)));
  expect(reportSchema.parse(report)).toEqual(report);
});

test('docs/report.schema.json is up to date', async () => {
  const documented = await readFile(join(import.meta.dirname, '../docs/report.schema.json'), 'utf8');
  expect(JSON.parse(documented)).toEqual(JSON.parse(reportJsonSchema()));
});
