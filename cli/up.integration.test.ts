import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { workplace } from '../test-support/tierbench.ts';

it.each(['SIGINT', 'SIGTERM'] as const)(
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

    const example = printed.slice(printed.indexOf('  TOKEN='), printed.indexOf('Measure it'));
    const { stdout } = await promisify(execFile)('bash', ['-c', example]);
    expect(JSON.parse(stdout)).toMatchObject({ success: true, pagination: { totalTasks: 2 } });

    command.kill(signal);
    expect((await ended).exitCode).toBe(0);
    expect(await place.leftovers()).toEqual([]);
  },
);
