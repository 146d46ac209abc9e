import { readFileSync } from 'node:fs';
import type { RunningService } from '../core/deployment.ts';
import type { Probe, Reading } from './probe.ts';

/** Linux counts CPU time in hundredths of a second for programs, whatever the kernel's own tick is (`man 5 proc`). */
const TICKS_PER_S = 100;

interface Watched {
  readonly source: string;
  readonly processIds: readonly number[];
}

interface ProcessTimes {
  readonly ticks: number;
  /** A process id is used again one day, but not with the same start. */
  readonly startTicks: string;
}

/**
 * CPU and memory of each service instance with its child processes, and of the generator (this process, with children
 * that belong to no instance).
 *
 * `cpu-utilization`: cores in use since the last reading, 1 is one core kept busy. `memory`: private memory of all its
 * processes, and the largest share of memory they may have in common. Files of /proc are read synchronously: they are
 * made on the spot, and waiting for each in turn costs the generator several times as much.
 */
export function processCpuProbe(services: readonly RunningService[], generatorProcessId: number = process.pid): Probe {
  let before: { readonly atMs: number; readonly times: ReadonlyMap<number, ProcessTimes> } | undefined;

  return {
    name: 'process-cpu',
    async read() {
      const atMs = performance.now();
      // Anew each time: an instance that was killed and started again has other ids.
      const watched: Watched[] = [
        ...services.flatMap(({ instances }) => instances.map(({ name, processIds }) => ({ source: name, processIds }))),
        { source: 'generator', processIds: [generatorProcessId] },
      ].filter(({ processIds }) => processIds.length > 0);
      const roots = new Set(watched.flatMap(({ processIds }) => processIds));
      const times = new Map<number, ProcessTimes>();
      const readings: Reading[] = [];
      for (const { source, processIds } of watched) {
        const tree = processIds.flatMap((processId) => treeOf(processId, roots));
        let ticks = 0;
        let seen = 0;
        for (const processId of tree) {
          const now = readTimes(processId);
          if (now === undefined) continue;
          seen += 1;
          times.set(processId, now);
          const last = before?.times.get(processId);
          ticks += now.ticks - (last?.startTicks === now.startTicks ? last.ticks : 0);
        }
        // An instance that is gone uses nothing; that it is gone is for the provider to tell.
        if (seen === 0) continue;
        if (before !== undefined && atMs > before.atMs) {
          const value = ticks / TICKS_PER_S / ((atMs - before.atMs) / 1000);
          readings.push({ source, metric: 'cpu-utilization', unit: 'ratio', value });
        }
        readings.push({ source, metric: 'memory', unit: 'bytes', value: memoryBytes(tree) });
      }
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
  const text = readText(`/proc/${processId}/stat`);
  if (text === undefined) return undefined;
  // The name of the program stands in brackets and may hold spaces and brackets; fields are counted from behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { ticks: Number(fields[11]) + Number(fields[12]), startTicks: fields[19] ?? '' };
}

function memoryBytes(processIds: readonly number[]): number {
  let privateBytes = 0;
  let sharedBytes = 0;
  for (const processId of processIds) {
    const status = readText(`/proc/${processId}/status`);
    if (status === undefined) continue;
    privateBytes += kibibytes(status, 'RssAnon') * 1024;
    sharedBytes = Math.max(sharedBytes, (kibibytes(status, 'RssFile') + kibibytes(status, 'RssShmem')) * 1024);
  }
  return privateBytes + sharedBytes;
}

function kibibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}

/** Undefined where the process is gone. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
