import { chown, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lacks } from '../test-support/requirements.ts';
import { workplaceWithApi } from '../test-support/workplace-with-api.ts';

// Where no home can be written, what runs is written down in the temporary folder, which stays.
const here = workplaceWithApi((orphan) => /^file tierbench-runs-\d+$/.test(orphan));

function words(out: string): string[] {
  const load = '--scenario ./mine.ts --concurrency 1 --warm-up 0 --cool-down 0 --duration 1';
  return ['run', '--allow-missed', '--url', here.url, ...load.split(' '), '--out', out];
}

it.each([
  ['is empty', { HOME: '' }],
  ['cannot be made', { HOME: '/dev/null/home' }],
  ['is where no folder can be made', { HOME: '/proc/home' }],
  ['is relative', { HOME: 'home' }],
  ['is there, in a language that is not', { LANG: 'xx_XX.UTF-8', LC_ALL: 'xx_XX.UTF-8', LANGUAGE: 'xx' }],
])('runs where the home %s', async (_, environment) => {
  const { exitCode, stderr } = await here.place.run(words('out'), environment);
  expect(exitCode, stderr).toBe(0);
  expect(JSON.parse(await readFile(join(here.place.folder, 'out', 'status.json'), 'utf8')).state).toBe('finished');
});

it.skipIf(lacks('root'))('runs under an account without name and home, and says why PostgreSQL does not', async () => {
  const id = 54_321;
  await mkdir(join(here.place.folder, 'results'));
  for (const folder of [here.place.temporary, join(here.place.folder, 'results')]) await chown(folder, id, id);
  const through = ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', 'env', '--unset=HOME'];
  const run = (...typed: string[]) => here.place.start(typed, {}, undefined, through).ended;
  const { exitCode, stderr } = await run(...words('results/out'));
  expect(exitCode, stderr).toBe(0);
  const tier = await run('run', '--tier', 'single', '--provider', 'local', '--out', 'results/tier');
  expect(tier.exitCode, tier.stderr).toBe(1);
  expect(tier.stderr).toContain('error NO_TIER_CAN_RUN:');
  expect(tier.stderr).toContain(`the account with id ${id}`);
});
