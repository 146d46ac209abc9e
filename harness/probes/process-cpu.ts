import { cpus } from 'node:os';
import type { RunningInstance, RunningService } from '../core/deployment.ts';
import { type Probe, readingsOf, readText } from './probe.ts';

/** Linux counts CPU time in hundredths of a second for programs, whatever the kernel's own tick is (`man 5 proc`). */
const TICKS_PER_S = 100;

interface ProcessTimes {
  readonly ticks: number;
  /** Of its main thread alone. */
  readonly mainThreadTicks: number;
  /** A process id is used again one day, but not with the same start. */
  readonly startTicks: string;
}

/**
 * CPU and memory of each service instance with its child processes, and of the generator (this process, with children
 * that belong to no instance).
 *
 * Memory is the private memory of all its processes, and the largest share of memory they may have in common. A program
 * that does its work in one thread (an event loop) is saturated when that thread is, so the busiest main thread counts
 * beside all threads. Files of /proc are read synchronously: they are made on the spot, and waiting for each in turn costs
 * the generator several times as much.
 */
export function processCpuProbe(services: readonly RunningService[], generatorProcessId: number = process.pid): Probe {
  let before: { readonly atMs: number; readonly times: ReadonlyMap<number, ProcessTimes> } | undefined;

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
      const roots = new Set(watched.flatMap(({ processIds }) => processIds));
      const times = new Map<number, ProcessTimes>();
      const readings = watched.flatMap(({ name, processIds, limits }) => {
        const tree = processIds.flatMap((processId) => treeOf(processId, roots));
        const used = tree.flatMap((processId) => {
          const now = readTimes(processId);
          if (now === undefined) return [];
          times.set(processId, now);
          const last = before?.times.get(processId);
          const isSame = last?.startTicks === now.startTicks;
          return {
            ticks: now.ticks - (isSame ? last.ticks : 0),
            mainThreadTicks: now.mainThreadTicks - (isSame ? last.mainThreadTicks : 0),
          };
        });
        // An instance that is gone uses nothing; that it is gone is for the provider to tell.
        if (used.length === 0) return [];
        const { memoryBytes, cpusAllowed } = readStatus(tree);
        const inUse = (ticks: number) => (elapsedS > 0 ? ticks / TICKS_PER_S / elapsedS : undefined);
        return readingsOf(name, {
          'cpu-cores': inUse(used.reduce((sum, { ticks }) => sum + ticks, 0)),
          'cpu-limit': Math.min(cpusAllowed, limits?.cpus ?? Number.POSITIVE_INFINITY),
          'main-thread': inUse(Math.max(...used.map(({ mainThreadTicks }) => mainThreadTicks))),
          memory: memoryBytes,
          'memory-limit': limits?.memoryBytes,
        });
      });
      if (times.size === 0) throw new Error('none of the processes can be seen in /proc');
      before = { atMs, times };
      return readings;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** A process and its descendants, without those that are watched by themselves. */
function treeOf(processId: number, roots: ReadonlySet<number>): number[] {
  const children = readText(`/proc/${processId}/task/${processId}/children`) ?? '';
  return [
    processId,
    ...children
      .split(' ')
      .filter((word) => word !== '')
      .map(Number)
      .filter((child) => !roots.has(child))
      .flatMap((child) => treeOf(child, roots)),
  ];
}

function readTimes(processId: number): ProcessTimes | undefined {
  const all = readStat(`/proc/${processId}/stat`);
  if (all === undefined) return undefined;
  const mainThread = all.threads > 1 ? readStat(`/proc/${processId}/task/${processId}/stat`) : all;
  return { ticks: all.ticks, mainThreadTicks: mainThread?.ticks ?? all.ticks, startTicks: all.startTicks };
}

function readStat(path: string) {
  const text = readText(path);
  if (text === undefined) return undefined;
  // The name of the program stands in brackets and may hold spaces and brackets; fields are counted from behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    ticks: Number(fields[11]) + Number(fields[12]),
    threads: Number(fields[17]),
    startTicks: fields[19] ?? '',
  };
}

/** Memory of all its processes, and the CPUs they may run on: also those that are not there may be allowed. */
function readStatus(processIds: readonly number[]): { readonly memoryBytes: number; readonly cpusAllowed: number } {
  const statuses = processIds.flatMap((processId) => readText(`/proc/${processId}/status`) ?? []);
  const privateBytes = statuses.map((status) => bytesIn(status, 'RssAnon'));
  const sharedBytes = statuses.map((status) => bytesIn(status, 'RssFile') + bytesIn(status, 'RssShmem'));
  const allowed = /^Cpus_allowed_list:\s+(\S+)/m.exec(statuses[0] ?? '')?.[1];
  return {
    memoryBytes: privateBytes.reduce((sum, bytes) => sum + bytes, 0) + Math.max(0, ...sharedBytes),
    cpusAllowed: Math.min(cpus().length, allowed === undefined ? Number.POSITIVE_INFINITY : cpusIn(allowed)),
  };
}

function bytesIn(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
}

/** `0-3,8` */
function cpusIn(list: string): number {
  return list.split(',').reduce((sum, range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return sum + last - first + 1;
  }, 0);
}
