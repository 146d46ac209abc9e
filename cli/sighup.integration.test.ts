import { readFile } from 'node:fs/promises';
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
  expect((await place.run(['init', 'scenario', 'mine'])).exitCode).toBe(0);
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  const left = await place.orphans();
  await place[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

function words(durationS: number): string[] {
  const { port } = server.address() as AddressInfo;
  const load = `--scenario ./mine.ts --concurrency 1 --warm-up 0 --cool-down 0 --duration ${durationS} --out out`;
  return ['run', '--allow-missed', '--url', `http://127.0.0.1:${port}`, ...load.split(' ')];
}

const read = async (name: string) => JSON.parse(await readFile(join(place.folder, 'out', name), 'utf8'));

it('keeps what was measured, and the report, on SIGHUP', async () => {
  const started = place.start(words(600));
  await started.said(/trial 1 of.*\n/);
  started.process.kill('SIGHUP');
  // The shell repeats the one of the terminal, and who ends a session sends SIGTERM with it.
  started.process.kill('SIGHUP');
  started.process.kill('SIGTERM');
  const { exitCode, stderr } = await started.ended;
  expect(exitCode, stderr).toBe(1);
  expect(await read('status.json')).toMatchObject({ state: 'interrupted' });
  expect(await read('report.json')).toMatchObject({ answer: { tiers: [{ scenarios: [{ scenario: 'mine' }] }] } });
});

it('keeps what was measured, and the report, when its terminal is closed', async () => {
  const log = join(place.folder, 'terminal.log');
  const through = ['bash', '-c', 'exec script -qefc "stty cols 80; $(printf "%q " "$@")" "$0"', log];
  const terminal = place.start(words(600), { TERM: 'xterm' }, undefined, through);
  await expect.poll(() => readFile(log, 'utf8').catch(() => ''), { timeout: 60_000 }).toMatch(/trial 1 of/);
  terminal.process.kill('SIGKILL');
  await expect.poll(() => place.orphans(), { timeout: 60_000 }).toEqual([]);
  expect(await read('status.json')).toMatchObject({ state: 'interrupted' });
  expect(await read('report.json')).toMatchObject({ answer: { tiers: [{ scenarios: [{ scenario: 'mine' }] }] } });
});

it.each([
  ['nohup', 'nohup "$@"; exit $?'],
  ['a shell that ignores it', 'trap "" HUP; "$@"; exit $?'],
])('goes on after SIGHUP when started by %s', async (_, script) => {
  const started = place.start(words(3), {}, undefined, ['bash', '-c', script, 'bash']);
  await started.said(/trial 1 of.*\n/);
  // The shell waits for it.
  const children = await readFile(`/proc/${started.process.pid}/task/${started.process.pid}/children`, 'utf8');
  process.kill(Number(children.split(' ')[0]), 'SIGHUP');
  const { exitCode, stderr } = await started.ended;
  expect(exitCode, stderr).toBe(0);
  expect(await read('status.json')).toMatchObject({ state: 'finished' });
});
