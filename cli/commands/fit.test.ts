import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exitCodes, type Output } from '../output/streams.ts';
import { fit as fitFiles } from './fit.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fit-'));
});
afterEach(() => rm(folder, { recursive: true }));

const printed: string[] = [];
const output: Output = {
  out: (text) => printed.push(text),
  err: (text) => printed.push(text),
  live: () => undefined,
  errIsTerminal: false,
  width: 100,
  errWidth: 100,
};

async function fitOf(text: string, typed: Parameters<typeof fitFiles>[1] = {}) {
  const file = join(folder, 'measured.csv');
  await writeFile(file, text);
  printed.length = 0;
  const exitCode = await fitFiles([file], typed, output);
  return { exitCode, text: printed.join('\n') };
}

const enough = 'rate,p95_ms\n50,21\n100,22\n150,24\n200,26\n250,31\n300,41\n330,60\n350,110\n';
const tooFew = 'rate,p95_ms\n50,21\n100,22\n';

test('the exit code says whether every curve has a fit', async () => {
  expect((await fitOf(enough)).exitCode).toBe(exitCodes.met);
  expect((await fitOf(tooFew)).exitCode).toBe(exitCodes.inconclusive);
});

test('JSON is what is printed with it, and what is written', async () => {
  const out = join(folder, 'new', 'report');
  const { text } = await fitOf(enough, { json: true, out, p95: '50ms' });
  expect(JSON.parse(text).fits).toMatchObject([{ model: 'queue', withinTargetPerS: { kind: 'identified' } }]);
  expect(JSON.parse(await readFile(join(out, 'report.json'), 'utf8'))).toEqual(JSON.parse(text));
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('fit.queue');
});

test('a report without a chart is written to a new folder too, and never over the results of a run', async () => {
  const out = join(folder, 'new');
  expect((await fitOf(tooFew, { out })).text).toContain('report.html');
  await writeFile(join(out, 'study.json'), '{}');
  await expect(fitOf(tooFew, { out })).rejects.toMatchObject({ code: 'FOLDER_NOT_EMPTY' });
});

test('every option that is wrong is listed', async () => {
  await expect(fitOf(enough, { p95: '20', noise: 'loud', seed: '-1' })).rejects.toMatchObject({
    code: 'OPTIONS_INVALID',
    problems: [{ what: expect.any(String) }, { what: expect.any(String) }, { what: expect.any(String) }],
  });
});
