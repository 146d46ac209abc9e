import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { incompleteRuns } from './fixtures/incomplete-runs.ts';
import { syntheticRun } from './fixtures/synthetic-run.ts';
import { writeReport } from './write-report.ts';

// Histograms and pictures take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const run = syntheticRun(['single'], [1, 10]);
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-test-report-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function contents(): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.sort().map(async (file) => [file, await readFile(file, 'base64')])),
  );
}

test('writes the page, the Markdown with its pictures, and the JSON; again the same bytes', async () => {
  const written = await writeReport(folder, run);
  const first = await contents();
  expect(Object.keys(first)).toEqual([...written.charts, written.html, written.json, written.markdown].sort());
  expect(written.charts).toHaveLength(4);
  expect(written.notes).toEqual([]);
  const markdown = await readFile(written.markdown, 'utf8');
  for (const chart of written.charts) expect(markdown).toContain(`](${chart.slice(folder.length + 1)})`);
  await writeReport(folder, run);
  expect(await contents()).toEqual(first);
});

test('a run that measured nothing has a report without pictures, and says so', async () => {
  const nothing = incompleteRuns(run)['killed before the first trial'];
  if (nothing === undefined) throw new Error('no such run');
  const written = await writeReport(folder, nothing);
  expect(written.charts).toEqual([]);
  expect(written.notes).toEqual(['no charts: the run measured nothing to draw']);
  expect(await readdir(folder)).toEqual(['report.html', 'report.json', 'report.md']);
});

test('a place that cannot be written is an error with a next step', async () => {
  await writeFile(join(folder, 'charts'), 'in the way');
  await expect(writeReport(folder, run)).rejects.toMatchObject({
    code: 'CANNOT_WRITE',
    nextStep: expect.stringContaining('--out'),
  });
});
