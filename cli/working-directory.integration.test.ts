import { mkdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Workplace, workplace } from '../test-support/tierbench.ts';

let place: Workplace;
const server = createServer((_, response) => response.end('{}'));

beforeEach(async () => {
  place = await workplace();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  const left = await place.orphans();
  await place[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

/** Starts a run, removes its working directory during the first trial, and interrupts it. */
async function runWithoutDirectory(out: string) {
  const directory = join(place.folder, 'gone');
  await mkdir(directory);
  const { port } = server.address() as AddressInfo;
  expect((await place.run(['init', 'scenario', 'mine'])).exitCode).toBe(0);
  const scenario = join(place.folder, 'mine.ts');
  const words = ['run', '--url', `http://127.0.0.1:${port}`, '--scenario', scenario, '--concurrency', '1', '--quick'];
  const started = place.start([...words, '--duration', '600', '--warm-up', '0', '--out', out], {}, directory);
  await started.said(/trial 1 of.*\n/);
  await rm(directory, { recursive: true });
  started.process.kill('SIGINT');
  return started.ended;
}

it('writes results and report where they were asked for when the working directory is removed meanwhile', async () => {
  const { exitCode, stderr } = await runWithoutDirectory('../out');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('interrupted');
  const read = async (name: string) => JSON.parse(await readFile(join(place.folder, 'out', name), 'utf8'));
  expect(await read('status.json')).toMatchObject({ state: 'interrupted' });
  expect(await read('report.json')).toMatchObject({ answer: { tiers: [{ scenarios: [{ scenario: 'mine' }] }] } });
});

it('ends with an error when the results are removed with it', async () => {
  const { exitCode, stderr } = await runWithoutDirectory('out');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error (CANNOT_WRITE|RESULTS_NOT_READABLE):/m);
});
