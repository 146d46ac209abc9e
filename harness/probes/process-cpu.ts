import { cpus } from 'node:os';
import type { RunningInstance, RunningService } from '../core/deployment.ts';
import type { ProcessUsage } from '../operating-system/operating-system.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import { type Probe, readingsOf, type Values } from './probe.ts';

/**
 * CPU and memory of each service instance with its child processes, and of the generator (this process, with children
 * that belong to no instance).
 *
 * Memory is the private memory of all its processes, and the largest share of memory they may have in common. A program
 * that does its work in one thread (an event loop) is saturated when that thread is, so the busiest main thread counts
 * beside all threads.
 */
export function processCpuProbe(
  services: readonly RunningService[],
  generatorProcessId: number = process.pid,
  system = thisSystem,
): Probe {
  let before: { readonly atMs: number; readonly usages: ReadonlyMap<number, ProcessUsage> } | undefined;

  return {
    name: 'process-cpu',
    async read() {
      const atMs = performance.now();
      const elapsedS = before === undefined ? 0 : (atMs - before.atMs) / 1000;
      // Anew each time: an instance that was killed and started again has other ids.
      const watched: Pick<RunningInstance, 'name' | 'processIds' | 'limits'>[] = [
        ...services.flatMap(({ instances }) => instances),
        { name: 'generator', processIds: [generatorProcessId] },
      ].filter(({ processIds }) => processIds.length > 0);
      const usage = await system.usageOf(watched.flatMap(({ processIds }) => processIds));
      const usages = new Map<number, ProcessUsage>();
      const readings = watched.flatMap(({ name, processIds, limits }) => {
        const used = processIds.flatMap((processId) => usage.get(processId) ?? []);
        // An instance that is gone uses nothing; that it is gone is for the provider to tell.
        if (used.length === 0) return [];
        const since = used.map((now) => {
          usages.set(now.processId, now);
          const last = before?.usages.get(now.processId);
          // A process id is used again one day, but not with the same start.
          const isSame = last?.startTicks === now.startTicks;
          return {
            cpuS: now.cpuS - (isSame ? last.cpuS : 0),
            mainThreadCpuS:
              now.mainThreadCpuS === undefined
                ? undefined
                : now.mainThreadCpuS - (isSame ? (last.mainThreadCpuS ?? 0) : 0),
          };
        });
        const inUse = (cpuS: number) => (elapsedS > 0 ? cpuS / elapsedS : undefined);
        const mainThreads = since.flatMap(({ mainThreadCpuS }) => mainThreadCpuS ?? []);
        const allowed = system.allowedCpus(processIds[0]).length || cpus().length;
        return readingsOf(name, {
          'cpu-cores': inUse(since.reduce((sum, { cpuS }) => sum + cpuS, 0)),
          // Also CPUs that are not there may be allowed.
          'cpu-limit': Math.min(cpus().length, allowed, limits?.cpus ?? Number.POSITIVE_INFINITY),
          'main-thread': mainThreads.length === 0 ? undefined : inUse(Math.max(...mainThreads)),
          ...openFilesOf(used),
          memory: memoryOf(used),
          'memory-limit': limits?.memoryBytes,
        });
      });
      if (usages.size === 0) throw new Error('none of the processes can be seen');
      before = { atMs, usages };
      return readings;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Of the process that is closest to its limit, which each has for itself. */
function openFilesOf(used: readonly ProcessUsage[]): Values {
  const [fullest] = used
    .flatMap(({ openFiles }) => openFiles ?? [])
    .toSorted((one, other) => other.count / other.limit - one.count / one.limit);
  return { 'open-files': fullest?.count, 'open-files-limit': fullest?.limit };
}

/** Undefined where several processes may have memory in common and the system does not say how much. */
function memoryOf(used: readonly ProcessUsage[]): number | undefined {
  const [only] = used;
  if (used.length === 1) return only?.memoryBytes;
  const shared = used.flatMap(({ sharedBytes }) => sharedBytes ?? []);
  if (shared.length < used.length) return undefined;
  const all = used.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return all - shared.reduce((sum, bytes) => sum + bytes, 0) + Math.max(...shared);
}
