import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readInputs } from './read-inputs.ts';
import { readRunOptions, type TypedRunOptions } from './run-options.ts';

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

it('refuses two scenarios of one name, and names both', async () => {
  const file = join(import.meta.dirname, '../scenarios/crud.ts');
  const reading = readInputs(readRunOptions({ url: 'http://127.0.0.1:3000', scenario: `crud,crud,${file}` }));
  await expect(reading).rejects.toMatchObject({
    code: 'OPTIONS_INVALID',
    problems: [{ what: `crud and ${file} are both called 'crud'` }],
  });
});
