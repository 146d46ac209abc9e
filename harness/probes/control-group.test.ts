import { expect, it } from 'vitest';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import { controlGroupTreesIn } from '../operating-system/control-groups.ts';
import type { ReadText } from '../operating-system/missing-files.ts';
import type { OperatingSystem } from '../operating-system/operating-system.ts';
import { generatorThrottlingProbe, seesOwnControlGroups, throttlingFromFile, usageFromStats } from './control-group.ts';

it('reads the counters of version 1 and 2 in seconds', () => {
  const versionOne = 'nr_periods 250\nnr_throttled 40\nthrottled_time 1500000000\n';
  const versionTwo = 'usage_usec 9000000\nuser_usec 8000000\nnr_periods 250\nnr_throttled 40\nthrottled_usec 1500000\n';
  const expected = { periods: 250, throttledPeriods: 40, throttledS: 1.5 };
  expect(throttlingFromFile(versionOne)).toEqual(expected);
  expect(throttlingFromFile(versionTwo)).toEqual(expected);
});

it('takes a group without a quota as one that is not throttled', () => {
  expect(throttlingFromFile('usage_usec 9000000\n')).toEqual({ periods: 0, throttledPeriods: 0, throttledS: 0 });
});

it.each(['total_inactive_file', 'inactive_file'])('counts the memory of a container without %s', (cached) => {
  const answer = {
    cpu_stats: {
      cpu_usage: { total_usage: 2_500_000_000 },
      throttling_data: { periods: 10, throttled_periods: 4, throttled_time: 300_000_000 },
    },
    memory_stats: { usage: 5000, stats: { [cached]: 2000 } },
  };
  expect(usageFromStats(answer)).toEqual({
    cpuS: 2.5,
    memoryBytes: 3000,
    periods: 10,
    throttledPeriods: 4,
    throttledS: 0.3,
  });
});

it('refuses what the engine says of a container that does not run', () => {
  const answer = { cpu_stats: { cpu_usage: { total_usage: 0 } }, memory_stats: {} };
  expect(() => usageFromStats(answer)).toThrow();
});

/** Files of the kernel that change as a test says. */
function filesFrom(
  files: Record<string, string>,
): [system: Pick<OperatingSystem, 'controlGroupTrees'>, read: ReadText] {
  const exists = (path: string) => Object.keys(files).some((file) => file === path || file.startsWith(`${path}/`));
  return [
    { controlGroupTrees: () => controlGroupTreesIn(files['/proc/self/cgroup'] ?? '', exists) },
    (path) => files[path],
  ];
}

const values = async (probe: ReturnType<typeof generatorThrottlingProbe>) =>
  new Map((await probe.read()).map(({ source, metric, value }) => [`${source} ${metric}`, value]));

it.each([
  {
    what: 'version 1, a quota on the group itself',
    ownGroup: '4:memory:/user\n1:cpu,cpuacct:/jobs/load\n0::/jobs\n',
    file: '/sys/fs/cgroup/cpu/jobs/load/cpu.stat',
  },
  {
    what: 'version 2, a quota on a group above',
    ownGroup: '0::/jobs/load\n',
    file: '/sys/fs/cgroup/jobs/cpu.stat',
  },
  {
    what: 'a container that sees its own group as the root',
    ownGroup: '1:cpu:/docker/0123\n',
    file: '/sys/fs/cgroup/cpu/cpu.stat',
  },
])('reads how often a CPU limit stopped the generator: $what', async ({ ownGroup, file }) => {
  const stat = (periods: number, throttled: number) =>
    `nr_periods ${periods}\nnr_throttled ${throttled}\nthrottled_time ${throttled * 5e7}\n`;
  const files: Record<string, string> = {
    '/proc/self/cgroup': ownGroup,
    ...(ownGroup.startsWith('0:') && { '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n' }),
    '/sys/fs/cgroup/jobs/load/cpu.stat': 'usage_usec 9000000\n',
    [file]: stat(100, 10),
  };
  await using probe = generatorThrottlingProbe(...filesFrom(files));
  expect(await values(probe)).toEqual(new Map());
  files[file] = stat(110, 15);
  const read = await values(probe);
  expect(read.get('generator throttled')).toBe(0.5);
  expect(read.get('generator throttled-time')).toBeGreaterThan(0);
  expect((await values(probe)).get('generator throttled')).toBe(0);
});

it('has nothing to read where this process has no control group that can be seen', async () => {
  expect(seesOwnControlGroups(...filesFrom({ '/proc/self/cgroup': '1:cpu:/jobs\n' }))).toBe(false);
  expect(seesOwnControlGroups(...filesFrom({}))).toBe(false);
  await expect(generatorThrottlingProbe(...filesFrom({})).read()).rejects.toThrow(/control groups/);
});

const heldFiles = {
  '/proc/self/cgroup': '0::/jobs\n',
  '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
  '/sys/fs/cgroup/jobs/cpu.stat': 'nr_periods 10\nnr_throttled 1\nthrottled_usec 100\n',
};
probeContract(
  'generator-throttling',
  async () => ({ probe: generatorThrottlingProbe(...filesFrom(heldFiles)), async [Symbol.asyncDispose]() {} }),
  async () => ({ probe: generatorThrottlingProbe(...filesFrom({})), async [Symbol.asyncDispose]() {} }),
);
