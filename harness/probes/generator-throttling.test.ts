import { expect, it } from 'vitest';
import { generatorThrottlingProbe, seesOwnControlGroups } from './generator-throttling.ts';

/** Files of /sys and /proc that change as a test says. */
function readFrom(files: Record<string, string>) {
  return (path: string) => files[path];
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
])('tells how often a CPU limit stopped the generator: $what', async ({ ownGroup, file }) => {
  const stat = (periods: number, throttled: number) =>
    `nr_periods ${periods}\nnr_throttled ${throttled}\nthrottled_time ${throttled * 5e7}\n`;
  const files: Record<string, string> = {
    '/proc/self/cgroup': ownGroup,
    '/sys/fs/cgroup/jobs/load/cpu.stat': 'usage_usec 9000000\n',
    [file]: stat(100, 10),
  };
  await using probe = generatorThrottlingProbe(readFrom(files));
  expect(await values(probe)).toEqual(new Map());
  files[file] = stat(110, 15);
  const read = await values(probe);
  expect(read.get('generator throttled')).toBe(0.5);
  expect(read.get('generator throttled-time')).toBeGreaterThan(0);
  expect((await values(probe)).get('generator throttled')).toBe(0);
});

it('has nothing to read where this process has no control group that can be seen', async () => {
  expect(seesOwnControlGroups(readFrom({ '/proc/self/cgroup': '1:cpu:/jobs\n' }))).toBe(false);
  expect(seesOwnControlGroups(readFrom({}))).toBe(false);
  await expect(generatorThrottlingProbe(readFrom({})).read()).rejects.toThrow(/control groups/);
});
