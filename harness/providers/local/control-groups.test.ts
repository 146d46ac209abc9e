import { expect, it } from 'vitest';
import { controlGroupTrees } from '../../orphans/control-groups.ts';
import { limitFiles, parentsFor } from './control-groups.ts';

const both = ['cpu', 'memory'] as const;
const limits = { cpus: 0.2, memoryBytes: 512 * 1024 ** 2 };

it('knows the trees of version 1, also where one serves both', () => {
  const everything = () => true;
  expect(controlGroupTrees('4:memory:/user\n2:cpu,cpuacct:/\n1:name=systemd:/\n', everything)).toMatchObject([
    { version: 1, root: '/sys/fs/cgroup/memory', ownGroup: '/user', resources: ['memory'] },
    { version: 1, root: '/sys/fs/cgroup/cpu', ownGroup: '/', resources: ['cpu'] },
  ]);
  expect(controlGroupTrees('3:cpu,memory:/a:b\n', everything)).toMatchObject([
    { root: '/sys/fs/cgroup/cpu', ownGroup: '/a:b', resources: both },
  ]);
});

it('knows the tree of version 2 where it is the one that limits', () => {
  const line = '0::/user.slice/user-1000.slice/session-2.scope\n';
  expect(controlGroupTrees(line, (path) => path === '/sys/fs/cgroup/cgroup.controllers')).toEqual([
    { version: 2, root: '/sys/fs/cgroup', ownGroup: '/user.slice/user-1000.slice/session-2.scope', resources: both },
  ]);
  expect(
    controlGroupTrees(line, () => false),
    'beside trees of version 1',
  ).toEqual([]);
  expect(
    controlGroupTrees('', () => true),
    'where there is none',
  ).toEqual([]);
});

it('looks for a place from the own group up', () => {
  expect(parentsFor({ root: '/sys/fs/cgroup', ownGroup: '/user.slice/session-2.scope' })).toEqual([
    '/sys/fs/cgroup/user.slice/session-2.scope',
    '/sys/fs/cgroup/user.slice',
    '/sys/fs/cgroup',
  ]);
  expect(parentsFor({ root: '/sys/fs/cgroup/cpu', ownGroup: '/../..' })).toEqual(['/sys/fs/cgroup/cpu']);
});

it('writes what each version understands', () => {
  expect(limitFiles(1, both, limits)).toEqual([
    ['cpu.cfs_period_us', '10000'],
    ['cpu.cfs_quota_us', '2000'],
    ['memory.limit_in_bytes', '536870912'],
  ]);
  expect(limitFiles(2, both, limits)).toEqual([
    ['cpu.max', '2000 10000'],
    ['memory.max', '536870912'],
  ]);
  expect(limitFiles(1, ['memory'], limits)).toEqual([['memory.limit_in_bytes', '536870912']]);
  expect(limitFiles(2, both, {})).toEqual([]);
});
