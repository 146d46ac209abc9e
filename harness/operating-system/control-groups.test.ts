import { expect, it } from 'vitest';
import { controlGroupTreesIn, groupFolders } from './control-groups.ts';

const both = ['cpu', 'memory'] as const;

it('knows the trees of version 1, also where one serves both', () => {
  const everything = () => true;
  expect(controlGroupTreesIn('4:memory:/user\n2:cpu,cpuacct:/\n1:name=systemd:/\n', everything)).toMatchObject([
    { version: 1, root: '/sys/fs/cgroup/memory', ownGroup: '/user', resources: ['memory'] },
    { version: 1, root: '/sys/fs/cgroup/cpu', ownGroup: '/', resources: ['cpu'] },
  ]);
  expect(controlGroupTreesIn('3:cpu,memory:/a:b\n', everything)).toMatchObject([
    { root: '/sys/fs/cgroup/cpu', ownGroup: '/a:b', resources: both },
  ]);
});

it('knows the tree of version 2 where it is the one that limits', () => {
  const line = '0::/user.slice/user-1000.slice/session-2.scope\n';
  expect(controlGroupTreesIn(line, (path) => path === '/sys/fs/cgroup/cgroup.controllers')).toEqual([
    { version: 2, root: '/sys/fs/cgroup', ownGroup: '/user.slice/user-1000.slice/session-2.scope', resources: both },
  ]);
  expect(
    controlGroupTreesIn(line, () => false),
    'beside trees of version 1',
  ).toEqual([]);
  expect(
    controlGroupTreesIn('', () => true),
    'where there is none',
  ).toEqual([]);
});

it('looks for a place from the own group up', () => {
  expect(groupFolders({ root: '/sys/fs/cgroup', ownGroup: '/user.slice/session-2.scope' })).toEqual([
    '/sys/fs/cgroup/user.slice/session-2.scope',
    '/sys/fs/cgroup/user.slice',
    '/sys/fs/cgroup',
  ]);
  expect(groupFolders({ root: '/sys/fs/cgroup/cpu', ownGroup: '/../..' })).toEqual(['/sys/fs/cgroup/cpu']);
});
