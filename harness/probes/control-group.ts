import { join } from 'node:path';
import { z } from 'zod';
import type { RunningInstance, RunningService } from '../core/deployment.ts';
import { groupFolders } from '../operating-system/control-groups.ts';
import { type ReadText, readText } from '../operating-system/missing-files.ts';
import type { OperatingSystem } from '../operating-system/operating-system.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import {
  type CounterMemory,
  type Increments,
  type Probe,
  type Reading,
  readingsOf,
  rememberCounters,
  type Values,
} from './probe.ts';

/** What a CPU quota has cost a control group since the group was made (`man 7 cgroups`). */
interface Throttling {
  /** In which the quota was counted. */
  readonly periods: number;
  /** Those in which it was used up. */
  readonly throttledPeriods: number;
  /** How long its threads waited for the next period then. */
  readonly throttledS: number;
}

interface ContainerUsage extends Throttling {
  /** Seconds of one CPU. */
  readonly cpuS: number;
  /** Without files that are only cached. */
  readonly memoryBytes: number;
}

type SystemWithGroups = Pick<OperatingSystem, 'controlGroupTrees'>;

/**
 * What its CPU quota costs each instance that has a control group of its own, a container or a group of the local
 * provider. Where the processes of a container cannot be seen, so that process-cpu says nothing of it, also its CPU and
 * memory, all from `readStats`.
 */
export function controlGroupProbe(
  services: readonly RunningService[],
  /** What the container engine says of a container: GET /containers/{id}/stats. */
  readStats?: (containerId: string) => Promise<unknown>,
): Probe {
  const instances = services.flatMap((service) => service.instances);
  const memories = new Map(instances.map(({ name }) => [name, rememberCounters<keyof Throttling | 'cpuS'>()]));
  let hasRead = false;

  function readingsFor({ name, limits }: RunningInstance, usage: Throttling & Partial<ContainerUsage>) {
    hasRead = true;
    const { periods, throttledPeriods, throttledS, cpuS, memoryBytes } = usage;
    const since = memories.get(name)?.next({ periods, throttledPeriods, throttledS, cpuS: cpuS ?? 0 });
    return readingsOf(
      name,
      throttlingValues(since),
      cpuS === undefined
        ? {}
        : {
            'cpu-cores': since?.perS.cpuS,
            'cpu-limit': limits?.cpus,
            memory: memoryBytes,
            'memory-limit': limits?.memoryBytes,
          },
    );
  }

  async function fromEngine(containers: readonly RunningInstance[]): Promise<readonly Reading[]> {
    const readings: Reading[] = [];
    const failures: unknown[] = [];
    // One after the other: an engine that watches for a second before it answers would be kept busy by many.
    for (const container of containers) {
      try {
        readings.push(...readingsFor(container, usageFromStats(await readStats?.(container.containerId ?? ''))));
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
      const fromFiles = ownGroups(instances).flatMap(({ instance, folder }) => {
        const text = readText(join(folder, 'cpu.stat'));
        return text === undefined ? [] : readingsFor(instance, throttlingFromFile(text));
      });
      const readings = unseen.length === 0 ? fromFiles : [...fromFiles, ...(await fromEngine(unseen))];
      if (!hasRead) throw new Error('no instance has a control group of its own that can be seen');
      return readings;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * What a CPU quota costs the generator, source `generator`. A quota on any of the groups that hold this process stops it,
 * so that which stopped it most is reported.
 */
export function generatorThrottlingProbe(system: SystemWithGroups = thisSystem, read: ReadText = readText): Probe {
  const memories = new Map<string, CounterMemory<keyof Throttling>>();
  return {
    name: 'generator-throttling',
    async read() {
      const groups = throttlingOfOwnGroups(system, read);
      if (groups.size === 0) throw new Error('the control groups of this process cannot be seen');
      const values = [...groups].map(([folder, now]) => {
        const memory = memories.get(folder) ?? rememberCounters<keyof Throttling>();
        memories.set(folder, memory);
        return throttlingValues(memory.next({ ...now }));
      });
      const worst = (metric: 'throttled' | 'throttled-time') => {
        const seen = values.flatMap((each) => each[metric] ?? []);
        return seen.length === 0 ? undefined : Math.max(...seen);
      };
      return readingsOf('generator', { throttled: worst('throttled'), 'throttled-time': worst('throttled-time') });
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** The share of the periods in which the quota was used up, and how long threads waited. */
function throttlingValues(since: Increments<keyof Throttling> | undefined): Values {
  if (since === undefined) return {};
  const { periods, throttledPeriods } = since.by;
  return { throttled: periods === 0 ? 0 : throttledPeriods / periods, 'throttled-time': since.perS.throttledS };
}

/** Whether the generator is held in groups that can be seen. */
export function seesOwnControlGroups(system: SystemWithGroups = thisSystem, read: ReadText = readText): boolean {
  return throttlingOfOwnGroups(system, read).size > 0;
}

function throttlingOfOwnGroups(system: SystemWithGroups, read: ReadText): ReadonlyMap<string, Throttling> {
  return new Map(
    groupFoldersForCpu(system).flatMap((folder) => {
      const text = read(join(folder, 'cpu.stat'));
      return text === undefined ? [] : [[folder, throttlingFromFile(text)] as const];
    }),
  );
}

/** Whether some instance is held in a group of its own, so that there is something to read. */
export function haveControlGroups(services: readonly RunningService[]): boolean {
  const instances = services.flatMap((service) => service.instances);
  return instances.some(({ containerId }) => containerId !== undefined) || ownGroups(instances).length > 0;
}

/** A group that others are in too says nothing of an instance. */
function ownGroups(instances: readonly RunningInstance[]) {
  const [shared] = groupFoldersForCpu(thisSystem);
  const groups = instances.flatMap((instance) => {
    const [processId] = instance.processIds;
    const [folder] = processId === undefined ? [] : groupFoldersForCpu(thisSystem, processId);
    return folder === undefined || folder === shared ? [] : [{ instance, folder }];
  });
  const folders = groups.map(({ folder }) => folder);
  return groups.filter(({ folder }) => folders.indexOf(folder) === folders.lastIndexOf(folder));
}

/** The group that holds a process to its CPU quota, and those above it, nearest first. */
function groupFoldersForCpu(system: SystemWithGroups, processId?: number): readonly string[] {
  const trees = system.controlGroupTrees(processId).filter(({ resources }) => resources.includes('cpu'));
  const tree = trees.find(({ version }) => version === 1) ?? trees[0];
  return tree === undefined ? [] : groupFolders(tree);
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
