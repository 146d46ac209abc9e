import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { workplaceWithApi } from '../test-support/workplace-with-api.ts';

const here = workplaceWithApi();

/** Starts a run, removes its working directory during the first trial, and interrupts it. */
async function runWithoutDirectory(out: string) {
  const directory = join(here.place.folder, 'gone');
  await mkdir(directory);
  const scenario = join(here.place.folder, 'mine.ts');
  const words = ['run', '--url', here.url, '--scenario', scenario, '--concurrency', '1', '--quick'];
  const started = here.place.start([...words, '--duration', '600', '--warm-up', '0', '--out', out], {}, directory);
  await started.said(/trial 1 of.*\n/);
  await rm(directory, { recursive: true });
  started.process.kill('SIGINT');
  return started.ended;
}

it('writes results and report where they were asked for when the working directory is removed meanwhile', async () => {
  const { exitCode, stderr } = await runWithoutDirectory('../out');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('interrupted');
  const read = async (name: string) => JSON.parse(await readFile(join(here.place.folder, 'out', name), 'utf8'));
  expect(await read('status.json')).toMatchObject({ state: 'interrupted' });
  expect(await read('report.json')).toMatchObject({ answer: { subjects: [{ scenarios: [{ scenario: 'mine' }] }] } });
});

it('ends with an error when the results are removed with it', async () => {
  const { exitCode, stderr } = await runWithoutDirectory('out');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error (CANNOT_WRITE|RESULTS_NOT_READABLE):/m);
});
