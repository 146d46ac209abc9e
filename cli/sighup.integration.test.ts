import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { workplaceWithApi } from '../test-support/workplace-with-api.ts';

const here = workplaceWithApi();

function words(durationS: number): string[] {
  const load = `--scenario ./mine.ts --concurrency 1 --warm-up 0 --cool-down 0 --duration ${durationS} --out out`;
  return ['run', '--allow-missed', '--url', here.url, ...load.split(' ')];
}

const read = async (name: string) => JSON.parse(await readFile(join(here.place.folder, 'out', name), 'utf8'));

it('keeps what was measured, and the report, on SIGHUP', async () => {
  const started = here.place.start(words(600));
  await started.said(/trial 1 of.*\n/);
  started.process.kill('SIGHUP');
  // The shell repeats the one of the terminal, and who ends a session sends SIGTERM with it.
  started.process.kill('SIGHUP');
  started.process.kill('SIGTERM');
  const { exitCode, stderr } = await started.ended;
  expect(exitCode, stderr).toBe(1);
  expect(await read('status.json')).toMatchObject({ state: 'interrupted' });
  expect(await read('report.json')).toMatchObject({ answer: { subjects: [{ scenarios: [{ scenario: 'mine' }] }] } });
});

it('keeps what was measured, and the report, when its terminal is closed', async () => {
  const log = join(here.place.folder, 'terminal.log');
  const through = ['bash', '-c', 'exec script -qefc "stty cols 80; $(printf "%q " "$@")" "$0"', log];
  const terminal = here.place.start(words(600), { TERM: 'xterm' }, undefined, through);
  await expect.poll(() => readFile(log, 'utf8').catch(() => ''), { timeout: 60_000 }).toMatch(/trial 1 of/);
  terminal.process.kill('SIGKILL');
  await expect.poll(() => here.place.orphans(), { timeout: 60_000 }).toEqual([]);
  expect(await read('status.json')).toMatchObject({ state: 'interrupted' });
  expect(await read('report.json')).toMatchObject({ answer: { subjects: [{ scenarios: [{ scenario: 'mine' }] }] } });
});

it.each([
  ['nohup', 'nohup "$@"; exit $?'],
  ['a shell that ignores it', 'trap "" HUP; "$@"; exit $?'],
])('goes on after SIGHUP when started by %s', async (_, script) => {
  const started = here.place.start(words(3), {}, undefined, ['bash', '-c', script, 'bash']);
  await started.said(/trial 1 of.*\n/);
  // The shell waits for it.
  const children = await readFile(`/proc/${started.process.pid}/task/${started.process.pid}/children`, 'utf8');
  process.kill(Number(children.split(' ')[0]), 'SIGHUP');
  const { exitCode, stderr } = await started.ended;
  expect(exitCode, stderr).toBe(0);
  expect(await read('status.json')).toMatchObject({ state: 'finished' });
});
