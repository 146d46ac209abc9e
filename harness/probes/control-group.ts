import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { RunningInstance, RunningService } from '../core/deployment.ts';
import type { Probe, Reading } from './probe.ts';

/** What a CPU quota has cost a control group since the group was made (`man 7 cgroups`). */
export interface Throttling {
  /** In which the quota was counted. */
  readonly periods: number;
  /** Those in which it was used up. */
  readonly throttledPeriods: number;
  /** How long its threads waited for the next period then. */
  readonly throttledS: number;
}

export interface ContainerUsage extends Throttling {
  /** Seconds of one CPU. */
  readonly cpuS: number;
  /** Without files that are only cached. */
  readonly memoryBytes: number;
}

const MOUNT = '/sys/fs/cgroup';

/**
 * What its CPU quota costs each instance that has a control group of its own, a container or a group of the local
 * provider: `throttled` (the share of periods in which the quota was used up, 0..1) and `throttled-time` (seconds its
 * threads waited for the next period, per second; above 1 when several waited), both since the last reading.
 * Where the processes of a container cannot be seen, so that process-cpu says nothing of it, also `cpu-utilization`
 * (1 is one CPU kept busy) and `memory`, all from `readStats`.
 */
export function controlGroupProbe(
  services: readonly RunningService[],
  /** What the container engine says of a container: GET /containers/{id}/stats. */
  readStats?: (containerId: string) => Promise<unknown>,
): Probe {
  const instances = services.flatMap((service) => service.instances);
  const before = new Map<string, { readonly atMs: number; readonly usage: Throttling & Partial<ContainerUsage> }>();

  function readingsOf(source: string, usage: Throttling & Partial<ContainerUsage>): Reading[] {
    const atMs = performance.now();
    const last = before.get(source);
    before.set(source, { atMs, usage });
    const ratio = (metric: string, value: number): Reading => ({ source, metric, unit: 'ratio', value });
    const { memoryBytes } = usage;
    const readings: Reading[] = [];
    if (memoryBytes !== undefined) readings.push({ source, metric: 'memory', unit: 'bytes', value: memoryBytes });
    if (last === undefined || atMs <= last.atMs) return readings;
    const elapsedS = (atMs - last.atMs) / 1000;
    if (last.usage.cpuS !== undefined && usage.cpuS !== undefined) {
      readings.push(ratio('cpu-utilization', grown(last.usage.cpuS, usage.cpuS) / elapsedS));
    }
    const since = throttledSince(last.usage, usage);
    readings.push(ratio('throttled', since.periodsRatio));
    readings.push(ratio('throttled-time', since.throttledS / elapsedS));
    return readings;
  }

  function fromFiles(): readonly Reading[] {
    return ownGroups(instances).flatMap(({ name, folder }) => {
      const text = readText(join(folder, 'cpu.stat'));
      return text === undefined ? [] : readingsOf(name, throttlingFromFile(text));
    });
  }

  async function fromEngine(containers: readonly RunningInstance[]): Promise<readonly Reading[]> {
    const readings: Reading[] = [];
    const failures: unknown[] = [];
    // One after the other: an engine that watches for a second before it answers would be kept busy by many.
    for (const { name, containerId = '' } of containers) {
      try {
        readings.push(...readingsOf(name, usageFromStats(await readStats?.(containerId))));
      } catch (error) {
        failures.push(error);
      }
    }
    // One that is down says nothing; that it is down is for the provider to tell.
    if (failures.length > 0 && failures.length === containers.length) throw failures[0];
    return readings;
  }

  return {
    name: 'control-group',
    async read() {
      const unseen = instances.filter(
        ({ processIds, containerId }) =>
          readStats !== undefined && processIds.length === 0 && containerId !== undefined,
      );
      const readings = fromFiles();
      const all = unseen.length === 0 ? readings : [...readings, ...(await fromEngine(unseen))];
      if (before.size === 0) throw new Error('no instance has a control group of its own that can be seen');
      return all;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Whether some instance is held in a group of its own, so that there is something to read. */
export function haveControlGroups(services: readonly RunningService[]): boolean {
  const instances = services.flatMap((service) => service.instances);
  return instances.some(({ containerId }) => containerId !== undefined) || ownGroups(instances).length > 0;
}

/** A group that others are in too says nothing of an instance. */
function ownGroups(instances: readonly RunningInstance[]): { readonly name: string; readonly folder: string }[] {
  const shared = groupOf(process.pid);
  const groups = instances.flatMap(({ name, processIds: [processId] }) => {
    const folder = processId === undefined ? undefined : groupOf(processId);
    return folder === undefined || folder === shared ? [] : [{ name, folder }];
  });
  const folders = groups.map(({ folder }) => folder);
  return groups.filter(({ folder }) => folders.indexOf(folder) === folders.lastIndexOf(folder));
}

/** Where this machine shows the group that holds the process to its CPU quota. */
function groupOf(processId: number): string | undefined {
  const group = cpuGroupIn(readText(`/proc/${processId}/cgroup`) ?? '');
  return group && join(group.root, group.path);
}

/** The group for CPU quotas in `/proc/PID/cgroup`, and where the tree it is in is mounted. */
export function cpuGroupIn(text: string): { readonly root: string; readonly path: string } | undefined {
  const lines = text.trim().split('\n');
  const groups = lines.filter(Boolean).map((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return { controllers: controllers.split(','), path: path.join(':') };
  });
  const ofVersionOne = groups.find(({ controllers }) => controllers.includes('cpu'));
  if (ofVersionOne !== undefined) return { root: join(MOUNT, 'cpu'), path: ofVersionOne.path };
  const ofVersionTwo = groups.find(({ controllers }) => controllers.includes(''));
  return ofVersionTwo && { root: MOUNT, path: ofVersionTwo.path };
}

/** What a quota cost between two readings: the share of the periods in which it was used up, and how long threads waited. */
export function throttledSince(
  last: Throttling,
  now: Throttling,
): { readonly periodsRatio: number; readonly throttledS: number } {
  const periods = grown(last.periods, now.periods);
  return {
    periodsRatio: periods === 0 ? 0 : grown(last.throttledPeriods, now.throttledPeriods) / periods,
    throttledS: grown(last.throttledS, now.throttledS),
  };
}

/** Counters begin again when a container was started anew. */
function grown(last: number, now: number): number {
  return now >= last ? now - last : now;
}

/** `cpu.stat` of version 1, which counts nanoseconds, or 2, which counts microseconds. */
export function throttlingFromFile(text: string): Throttling {
  const values = new Map(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  const value = (name: string) => Number(values.get(name) ?? 0);
  return {
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
  // Empty for a container that does not run.
  memory_stats: z.object({ usage: z.number(), stats: z.record(z.string(), z.number()).default({}) }),
});

/** The engine counts nanoseconds and bytes. */
export function usageFromStats(answer: unknown): ContainerUsage {
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

/** Undefined where the group or the process is gone. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
