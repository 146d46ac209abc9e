import { chown, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lacks } from '../test-support/requirements.ts';
import { type Workplace, workplace } from '../test-support/tierbench.ts';

let place: Workplace;
const server = createServer((_, response) => response.end('{}'));

beforeEach(async () => {
  place = await workplace();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  expect((await place.run(['init', 'scenario', 'mine'])).exitCode).toBe(0);
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  // Where no home can be written, what runs is written down in the temporary folder, which stays.
  const left = (await place.orphans()).filter((each) => !/^file tierbench-runs-\d+$/.test(each));
  await place[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

function words(out: string): string[] {
  const { port } = server.address() as AddressInfo;
  const load = '--scenario ./mine.ts --concurrency 1 --warm-up 0 --cool-down 0 --duration 1';
  return ['run', '--allow-missed', '--url', `http://127.0.0.1:${port}`, ...load.split(' '), '--out', out];
}

it.each([
  ['is empty', { HOME: '' }],
  ['cannot be made', { HOME: '/dev/null/home' }],
  ['is where no folder can be made', { HOME: '/proc/home' }],
  ['is relative', { HOME: 'home' }],
  ['is there, in a language that is not', { LANG: 'xx_XX.UTF-8', LC_ALL: 'xx_XX.UTF-8', LANGUAGE: 'xx' }],
])('runs where the home %s', async (_, environment) => {
  const { exitCode, stderr } = await place.run(words('out'), environment);
  expect(exitCode, stderr).toBe(0);
  expect(JSON.parse(await readFile(join(place.folder, 'out', 'status.json'), 'utf8')).state).toBe('finished');
});

it.skipIf(lacks('root'))('runs under an account without name and home, and says why PostgreSQL does not', async () => {
  const id = 54_321;
  await mkdir(join(place.folder, 'results'));
  for (const folder of [place.temporary, join(place.folder, 'results')]) await chown(folder, id, id);
  const through = ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', 'env', '--unset=HOME'];
  const run = (...typed: string[]) => place.start(typed, {}, undefined, through).ended;
  const { exitCode, stderr } = await run(...words('results/out'));
  expect(exitCode, stderr).toBe(0);
  const tier = await run('run', '--tier', 'single', '--provider', 'local', '--out', 'results/tier');
  expect(tier.exitCode, tier.stderr).toBe(1);
  expect(tier.stderr).toContain('error NO_TIER_CAN_RUN:');
  expect(tier.stderr).toContain(`the account with id ${id}`);
});
