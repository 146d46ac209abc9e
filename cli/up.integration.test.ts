import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { readTier } from '../harness/files/tier-file.ts';
import { askInstance } from '../test-support/instance-access.ts';
import { lacks } from '../test-support/requirements.ts';
import { workplace } from '../test-support/tierbench.ts';

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'keeps a tier up with requests that work as printed, until %s',
  async (signal) => {
    await using place = await workplace();
    const { process: command, ended } = place.start([
      'up',
      '--provider',
      'local',
      '--user-count',
      '3',
      '--tasks-per-user',
      '2',
    ]);
    let printed = '';
    command.stdout?.on('data', (chunk: string) => {
      printed += chunk;
    });
    while (!printed.includes('Ctrl-C takes it down')) await once(command.stdout as NodeJS.ReadableStream, 'data');

    const example = printed.slice(printed.indexOf('  TOKEN='), printed.indexOf('Look inside'));
    const { stdout } = await promisify(execFile)('bash', ['-c', example]);
    expect(JSON.parse(stdout)).toMatchObject({ success: true, pagination: { totalTasks: 2 } });

    command.kill(signal);
    expect((await ended).exitCode).toBe(0);
    expect(await place.orphans()).toEqual([]);
  },
);

it.skipIf(lacks('nginx') || lacks('pgbouncer') || lacks('redis'))(
  'prints a way into every service of the cached tier (needs nginx, pgbouncer, redis)',
  { timeout: 120_000 },
  async () => {
    await using place = await workplace();
    const words = 'up --tier cached --provider local --user-count 3 --tasks-per-user 2';
    const { process: command, ended } = place.start(words.split(' '));
    let printed = '';
    command.stdout?.on('data', (chunk: string) => {
      printed += chunk;
    });
    while (!printed.includes('Ctrl-C takes it down')) await once(command.stdout as NodeJS.ReadableStream, 'data');

    const { services } = await readTier('cached');
    for (const { name, kind } of services) {
      expect(printed, 'the address').toMatch(new RegExp(`^ +${name}/1 +127\\.0\\.0\\.1:\\d+`, 'm'));
      const inside = printed.slice(printed.indexOf('Look inside'));
      const url = new RegExp(`^ +${name}/1 .*?((?:http|postgres|redis)://[^' ]+)`, 'm').exec(inside)?.[1] ?? '';
      // The API shows its metrics; what it is asked here is whether it is there.
      const answer = await askInstance({ instance: `${name}/1`, kind, url: url.replace(/\/metrics$/, '') }, 10);
      expect(answer, name).not.toBe('');
    }
    command.kill('SIGINT');
    expect((await ended).exitCode).toBe(0);
    expect(await place.orphans()).toEqual([]);
  },
);
