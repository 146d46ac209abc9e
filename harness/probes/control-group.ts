import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { RunningInstance, RunningService } from '../core/deployment.ts';
import type { Probe, Reading } from './probe.ts';

/** What a control group has used since it was made, `man 7 cgroups`. */
export interface GroupUsage {
  /** Seconds of one CPU. */
  readonly cpuS: number;
  /** Without files that are only cached. */
  readonly memoryBytes: number;
  /** Periods in which its quota was counted, those in which it was used up, and how long its threads then waited. */
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledS: number;
}

/** Where this machine shows a group: the folders of its controllers. */
interface GroupFolders {
  readonly cpu: string;
}

const MOUNT = '/sys/fs/cgroup';

/**
 * What its CPU quota costs each instance that has a control group of its own, a container or a group of the local
 * provider: `throttled` (the share of periods in which the quota was used up, 0..1) and `throttled-time` (seconds its
 * threads waited for the next period, per second; above 1 when several waited), both since the last reading.
 * Where the processes of a container cannot be seen, which process-cpu then says nothing of, also `cpu-utilization`
 * (1 is one CPU kept busy) and `memory`, all from `readStats`.
 */
export function controlGroupProbe(
  services: readonly RunningService[],
  /** What the container engine says of a container: GET /containers/{id}/stats. */
  readStats?: (containerId: string) => Promise<unknown>,
): Probe {
  const instances = services.flatMap((service) => service.instances);
  const before = new Map<string, { readonly atMs: number; readonly usage: GroupUsage }>();

  function readingsOf(source: string, usage: GroupUsage, atMs: number, alsoUse: boolean): Reading[] {
    const last = before.get(source);
    before.set(source, { atMs, usage });
    const memory: Reading[] = alsoUse ? [{ source, metric: 'memory', unit: 'bytes', value: usage.memoryBytes }] : [];
    if (last === undefined || atMs <= last.atMs) return memory;
    const elapsedS = (atMs - last.atMs) / 1000;
    const since = (counter: keyof GroupUsage) => grown(last.usage[counter], usage[counter]);
    const periods = since('periods');
    return [
      ...memory,
      ...(alsoUse
        ? [{ source, metric: 'cpu-utilization', unit: 'ratio', value: since('cpuS') / elapsedS } as const]
        : []),
      { source, metric: 'throttled', unit: 'ratio', value: periods === 0 ? 0 : since('throttledPeriods') / periods },
      { source, metric: 'throttled-time', unit: 'ratio', value: since('throttledS') / elapsedS },
    ];
  }

  function fromFiles(): { readonly readings: readonly Reading[]; readonly watched: number } {
    const shared = groupsOf(process.pid).cpu;
    const folders = instances.map(({ processIds }) => processIds[0] && groupsOf(processIds[0]).cpu);
    const readings = instances.flatMap(({ name }, index) => {
      const folder = folders[index];
      // A group that others are in too says nothing of this instance.
      if (!folder || folder === shared || folders.indexOf(folder) !== folders.lastIndexOf(folder)) return [];
      const usage = readThrottling({ cpu: folder });
      return usage === undefined ? [] : readingsOf(name, usage, performance.now(), false);
    });
    return { readings, watched: folders.filter(Boolean).length };
  }

  async function fromEngine(containers: readonly RunningInstance[]): Promise<readonly Reading[]> {
    const readings: Reading[] = [];
    let failure: unknown;
    let failed = 0;
    // One after the other: an engine that waits for the next second before it answers would be kept busy by many.
    for (const { name, containerId = '' } of containers) {
      try {
        const usage = usageFromStats(await readStats?.(containerId));
        readings.push(...readingsOf(name, usage, performance.now(), true));
      } catch (error) {
        failure = error;
        failed += 1;
      }
    }
    // One that is down says nothing; that it is down is for the provider to tell.
    if (failed > 0 && failed === containers.length) throw failure;
    return readings;
  }

  return {
    name: 'control-group',
    async read() {
      const unseen =
        readStats === undefined
          ? []
          : instances.filter(({ processIds, containerId }) => processIds.length === 0 && containerId !== undefined);
      const { readings, watched } = fromFiles();
      if (watched === 0 && unseen.length === 0) throw new Error('no instance has a control group that can be seen');
      return [...readings, ...(await fromEngine(unseen))];
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Whether some instance is held in a group that the probe can tell of. */
export function hasControlGroups(services: readonly RunningService[]): boolean {
  const shared = groupsOf(process.pid).cpu;
  return services
    .flatMap((service) => service.instances)
    .some(({ containerId, processIds: [processId] }) => {
      const own = processId === undefined ? undefined : groupsOf(processId).cpu;
      return containerId !== undefined || (own !== undefined && own !== shared);
    });
}

/** Counters begin again when a container was started anew. */
function grown(last: number, now: number): number {
  return now >= last ? now - last : now;
}

function groupsOf(processId: number): { readonly cpu?: string } {
  const lines = (readText(`/proc/${processId}/cgroup`) ?? '').trim().split('\n');
  const groups = lines.map((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return { controllers: controllers.split(','), path: path.join(':') };
  });
  const versionOne = groups.find(({ controllers }) => controllers.includes('cpu'));
  if (versionOne !== undefined) return { cpu: join(MOUNT, 'cpu', versionOne.path) };
  const versionTwo = groups.find(({ controllers }) => controllers.includes(''));
  return versionTwo === undefined ? {} : { cpu: join(MOUNT, versionTwo.path) };
}

function readThrottling({ cpu }: GroupFolders): GroupUsage | undefined {
  const text = readText(join(cpu, 'cpu.stat'));
  return text === undefined ? undefined : usageFromFiles(text);
}

/** `cpu.stat` of either version. Version 1 counts nanoseconds and knows nothing of use. */
export function usageFromFiles(cpuStat: string): GroupUsage {
  const values = new Map(
    cpuStat
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  const value = (name: string) => Number(values.get(name) ?? 0);
  return {
    cpuS: value('usage_usec') / 1e6,
    memoryBytes: 0,
    periods: value('nr_periods'),
    throttledPeriods: value('nr_throttled'),
    throttledS: values.has('throttled_usec') ? value('throttled_usec') / 1e6 : value('throttled_time') / 1e9,
  };
}

const stats = z.object({
  cpu_stats: z.object({
    cpu_usage: z.object({ total_usage: z.number() }),
    throttling_data: z
      .object({ periods: z.number(), throttled_periods: z.number(), throttled_time: z.number() })
      .default({ periods: 0, throttled_periods: 0, throttled_time: 0 }),
  }),
  memory_stats: z.object({
    // Absent for a container that does not run.
    usage: z.number(),
    stats: z.record(z.string(), z.number()).default({}),
  }),
});

/** Nanoseconds and bytes, as the engine counts them. */
export function usageFromStats(answer: unknown): GroupUsage {
  const { cpu_stats: cpu, memory_stats: memory } = stats.parse(answer);
  const cachedFiles = memory.stats.total_inactive_file ?? memory.stats.inactive_file ?? 0;
  return {
    cpuS: cpu.cpu_usage.total_usage / 1e9,
    memoryBytes: Math.max(0, memory.usage - cachedFiles),
    periods: cpu.throttling_data.periods,
    throttledPeriods: cpu.throttling_data.throttled_periods,
    throttledS: cpu.throttling_data.throttled_time / 1e9,
  };
}

/** Undefined where the group is gone. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
