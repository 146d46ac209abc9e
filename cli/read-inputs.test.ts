import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readInputs } from './read-inputs.ts';
import { readRunOptions, type TypedRunOptions } from './run-options.ts';

const folder = await mkdtemp(join(tmpdir(), 'tierbench-inputs-'));
const [ownTargets, clashingTargets] = [join(folder, 'own.yaml'), join(folder, 'clashing.yaml')];
const targetsFile = (id: string) => `
document: shop
targets:
  ${id}:
    title: Failed requests
    section: Service levels
    comparison: "<"
    value: 1 %
    judged: { measured: error-ratio }
`;

beforeAll(async () => {
  await writeFile(ownTargets, targetsFile('own'));
  await writeFile(clashingTargets, targetsFile('p95'));
});
afterAll(() => rm(folder, { recursive: true }));

// The built-in targets name tiers that a run may leave out.
it.each<[string, TypedRunOptions, readonly string[]]>([
  ['all tiers', {}, ['single', 'pooled', 'replicated', 'cached']],
  ['one tier', { tier: 'single' }, ['single']],
  ['some tiers, in the order they were named', { tier: 'cached,pooled' }, ['cached', 'pooled']],
  ['an API that already runs', { url: 'http://127.0.0.1:3000', targets: 'documents' }, ['external']],
])('reads every built-in target for a run of %s', async (_, typed, names) => {
  const { tiers, targets } = await readInputs(readRunOptions(typed));
  expect(tiers.map(({ name }) => name)).toEqual(names);
  expect(targets.some(({ appliesTo }) => appliesTo.tiers.includes('replicated'))).toBe(true);
});

it('reads no target for a run of an API that already runs unless some are asked for', async () => {
  expect((await readInputs(readRunOptions({ url: 'http://127.0.0.1:3000' }))).targets).toEqual([]);
});

it.each<[string, TypedRunOptions, ids: readonly string[], ofDocuments: boolean]>([
  ['alone', { p95: '200ms', errors: '0.1%' }, ['p95', 'errors'], false],
  ['alone, of an API that already runs', { url: 'http://127.0.0.1:3000', p95: '200ms' }, ['p95'], false],
  ['beside the documents', { url: 'http://127.0.0.1:3000', errors: '1%', targets: 'documents' }, ['errors'], true],
  ['beside those of a file', { p95: '200ms', targets: ownTargets }, ['own', 'p95'], false],
])('takes targets of the command line %s', async (_, typed, ids, ofDocuments) => {
  const { targets } = await readInputs(readRunOptions(typed));
  expect(targets.map(({ id }) => id).slice(-ids.length)).toEqual(ids);
  expect(targets.length > ids.length).toBe(ofDocuments);
});

it('refuses a target of the command line whose id a file uses too', async () => {
  const reading = readInputs(readRunOptions({ p95: '200ms', targets: clashingTargets }));
  await expect(reading).rejects.toMatchObject({
    code: 'OPTIONS_INVALID',
    problems: [{ what: expect.stringContaining("'p95'") }],
  });
});

it('refuses two scenarios of one name, and names both', async () => {
  const file = join(import.meta.dirname, '../scenarios/crud.ts');
  const reading = readInputs(readRunOptions({ url: 'http://127.0.0.1:3000', scenario: `crud,crud,${file}` }));
  await expect(reading).rejects.toMatchObject({
    code: 'OPTIONS_INVALID',
    problems: [{ what: `crud and ${file} are both called 'crud'` }],
  });
});
