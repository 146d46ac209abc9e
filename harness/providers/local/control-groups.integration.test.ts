import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lacks } from '../../../test-support/requirements.ts';
import { programEnvironment } from '../../machine/environment.ts';
import { controlGroupTreesIn } from '../../operating-system/control-groups.ts';
import { controlGroupName, controlGroupsOfRun } from '../../orphans/control-groups.ts';
import { newRunId } from '../../orphans/run-record.ts';
import { startChild } from './child-process.ts';
import { makeInstanceGroup } from './control-groups.ts';

/** Keeps a CPU busy, and starts another process that does so too. */
const busy = `
  require('node:child_process').spawn(process.execPath, ['--eval', 'for (;;) {}']);
  for (;;) {}`;

const read = (path: string) => readFileSync(path, 'utf8');

/** Path of a file in a group of the run: each tree has its own. */
function groupOf(runId: string, file: string): string | undefined {
  return controlGroupsOfRun(runId)
    .map((folder) => join(folder, file))
    .find((path) => existsSync(path));
}

/** User and system time of the processes so far, in seconds. */
function usedCpuS(processIds: readonly number[]): number {
  return processIds.reduce((sum, processId) => {
    const stat = read(`/proc/${processId}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / 100;
  }, 0);
}

describe.skipIf(lacks('control groups'))('control groups (need an account that may make them)', () => {
  it('hold a process and what it starts to its CPUs', async () => {
    const runId = newRunId(new Date());
    await using group = makeInstanceGroup(controlGroupName(runId, 'busy'), { cpus: 0.2, memoryBytes: 256 * 1024 ** 2 });
    expect(group.reason()).toBeUndefined();
    expect(group.enforced()).toEqual({ cpus: 0.2, memoryBytes: 256 * 1024 ** 2 });
    const child = startChild({
      command: process.execPath,
      arguments: ['--eval', busy],
      folder: tmpdir(),
      environment: programEnvironment('/'),
      confinement: { join: group.join },
    });
    try {
      const members = () =>
        read(groupOf(runId, 'cgroup.procs') ?? '')
          .trim()
          .split('\n')
          .map(Number);
      await expect.poll(() => members().length).toBe(2);
      const [startedMs, before] = [performance.now(), usedCpuS(members())];
      await delay(3000);
      const usedRatio = (usedCpuS(members()) - before) / ((performance.now() - startedMs) / 1000);
      expect(usedRatio).toBeGreaterThan(0.1);
      expect(usedRatio).toBeLessThan(0.3);
      const throttled = /^nr_throttled (\d+)/m.exec(read(groupOf(runId, 'cpu.stat') ?? ''))?.[1];
      expect(Number(throttled)).toBeGreaterThan(10);
    } finally {
      await child.stop('SIGKILL', 0);
    }
    await group[Symbol.asyncDispose]();
    expect(controlGroupsOfRun(runId)).toEqual([]);
  });

  it('are removed also when a process cannot be put into them, and nothing is said to hold then', async () => {
    const runId = newRunId(new Date());
    const group = makeInstanceGroup(controlGroupName(runId, 'refusing'), { cpus: 0.5, memoryBytes: 256 * 1024 ** 2 });
    expect(controlGroupsOfRun(runId)).not.toEqual([]);
    const noProcess = -1;
    group.join(noProcess);
    expect(group.enforced()).toEqual({});
    expect(group.reason()).toContain('EINVAL');
    await group[Symbol.asyncDispose]();
    expect(controlGroupsOfRun(runId)).toEqual([]);
  });

  it('end a process that needs more memory than it may have', async () => {
    const runId = newRunId(new Date());
    await using group = makeInstanceGroup(controlGroupName(runId, 'greedy'), { memoryBytes: 96 * 1024 ** 2 });
    const child = startChild({
      command: process.execPath,
      arguments: ['--eval', 'const kept = []; for (;;) kept.push(Buffer.alloc(1024 ** 2, 1));'],
      folder: tmpdir(),
      environment: programEnvironment('/'),
      confinement: { join: group.join },
    });
    expect((await child.ended).what).toContain('SIGKILL');
  });
});

it('says why limits are not enforced, and starts what it should all the same', async () => {
  const limits = { cpus: 1, memoryBytes: 1024 ** 3 };
  await using none = makeInstanceGroup('tierbench-test', limits, []);
  expect(none.enforced()).toEqual({});
  expect(none.reason()).toBe('this system has no control groups for it');
  const unwritable = controlGroupTreesIn('1:cpu:/\n', () => true).map((tree) => ({ ...tree, root: '/proc' }));
  await using refused = makeInstanceGroup('tierbench-test', limits, unwritable);
  expect(refused.enforced()).toEqual({});
  expect(refused.reason()).toBeDefined();
  const child = startChild({
    command: process.execPath,
    arguments: ['--eval', 'process.exit(7)'],
    folder: tmpdir(),
    environment: programEnvironment('/'),
    confinement: { join: refused.join },
  });
  expect((await child.ended).exitCode).toBe(7);
});
