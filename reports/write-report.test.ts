import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { incompleteRuns, madeUpTierRun } from '../test-support/made-up-run.ts';
import { writeReport } from './write-report.ts';

const run = madeUpTierRun(['single'], { login: [10, 40], crud: [], users: [] });
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
  expect([...written.missing, ...written.notes]).toEqual([]);
  const markdown = await readFile(join(folder, 'report.md'), 'utf8');
  for (const chart of written.charts) expect(markdown).toContain(`](${chart.slice(folder.length + 1)})`);
  await writeReport(folder, run);
  expect(await contents()).toEqual(first);
});

test('a run that measured nothing has a report without pictures, and says so', async () => {
  const nothing = incompleteRuns(run)['killed before the first trial'];
  if (nothing === undefined) throw new Error('no such run');
  const written = await writeReport(folder, nothing);
  expect(written.charts).toEqual([]);
  expect(written.notes).toHaveLength(1);
  expect(await readdir(folder)).toEqual(['report.html', 'report.json', 'report.md']);
});

test('without the package that draws, everything but the pictures is written', async () => {
  const written = await writeReport(folder, run, async () => ({ kind: 'unavailable', why: 'no canvas' }));
  expect(written.missing).toEqual([{ code: 'part-not-written', part: 'charts/*.png', detail: 'no canvas' }]);
  expect(await readdir(folder)).toEqual(['report.html', 'report.json', 'report.md']);
});

test('a chart that cannot be drawn stops neither the others nor the report', async () => {
  const draw = ({ id }: { readonly id: string }) => {
    if (id === 'tiers.login') throw new Error('out of ink');
    return Buffer.from('png');
  };
  const written = await writeReport(folder, run, async () => ({ kind: 'drawn', draw, note: null }));
  expect(written.missing).toEqual([{ code: 'part-not-written', part: 'charts/tiers.login.png', detail: 'out of ink' }]);
  expect(written.charts.length).toBeGreaterThan(3);
  expect(await readFile(join(folder, 'report.md'), 'utf8')).not.toContain('](charts/tiers.login.png)');
});

test('a part that cannot be written is missing, and the others are there', async () => {
  await writeFile(join(folder, 'charts'), 'in the way');
  await mkdir(join(folder, 'report.html'));
  const written = await writeReport(folder, run);
  expect(written.missing.map(({ part }) => part)).toEqual(['charts/*.png', 'report.html']);
  expect(written.html).toBeNull();
  expect(await readFile(written.markdown ?? '', 'utf8')).toContain('Load test of single');
});

test('a place where nothing can be written is an error with a next step', async () => {
  for (const format of ['html', 'md', 'json']) await mkdir(join(folder, `report.${format}`));
  await expect(writeReport(folder, run)).rejects.toMatchObject({ code: 'CANNOT_WRITE' });
});
