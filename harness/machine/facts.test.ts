import { expect, it } from 'vitest';
import { controlGroupTreesIn } from '../operating-system/control-groups.ts';
import { controlGroupLimits } from './facts.ts';

const limitsWith = (files: Record<string, string>) => {
  const seen = (path: string) => Object.keys(files).some((file) => file === path || file.startsWith(`${path}/`));
  const trees = controlGroupTreesIn(files['/proc/self/cgroup'] ?? '', seen);
  return controlGroupLimits(trees, (path) => files[path]);
};

it.each<[string, Record<string, string>, ReturnType<typeof controlGroupLimits>]>([
  ['no control groups', {}, {}],
  [
    'version 2, in a container that sees itself as the root',
    {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
      '/sys/fs/cgroup/cpu.max': '50000 100000\n',
      '/sys/fs/cgroup/memory.max': '536870912\n',
    },
    { cpus: 0.5, memoryBytes: 536870912 },
  ],
  [
    'version 2, limited by a group above, where the own one has no limit',
    {
      '/proc/self/cgroup': '0::/user.slice/app.scope\n',
      '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
      '/sys/fs/cgroup/user.slice/app.scope/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/user.slice/app.scope/memory.max': '2000\n',
      '/sys/fs/cgroup/user.slice/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/user.slice/memory.max': '1000\n',
    },
    { cpus: 1.5, memoryBytes: 1000 },
  ],
  [
    'version 1',
    {
      '/proc/self/cgroup': '4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n',
      '/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us': '20000\n',
      '/sys/fs/cgroup/cpu/job/cpu.cfs_period_us': '10000\n',
      '/sys/fs/cgroup/memory/job/memory.limit_in_bytes': '1048576\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    },
    { cpus: 2, memoryBytes: 1048576 },
  ],
  [
    'version 1 without limits',
    {
      '/proc/self/cgroup': '4:memory:/\n1:cpu:/\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    },
    {},
  ],
])('reads the limits of %s', (_, files, expected) => {
  expect(limitsWith(files)).toEqual(expected);
});
