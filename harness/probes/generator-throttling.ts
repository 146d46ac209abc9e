import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuGroupIn, type Throttling, throttledSince, throttlingFromFile } from './control-group.ts';
import type { Probe } from './probe.ts';

/** Reads a file, or undefined when it is not there. */
type ReadText = (path: string) => string | undefined;

/**
 * What a CPU quota costs the generator, source `generator`: the same `throttled` and `throttled-time` as of the services
 * (control-group.ts). A quota on any of the groups that hold this process stops it, so that which stopped it most is told.
 */
export function generatorThrottlingProbe(read: ReadText = readText): Probe {
  let before: { readonly atMs: number; readonly groups: ReadonlyMap<string, Throttling> } | undefined;
  return {
    name: 'generator-throttling',
    async read() {
      const atMs = performance.now();
      const groups = throttlingOfOwnGroups(read);
      if (groups.size === 0) throw new Error('the control groups of this process cannot be seen');
      const last = before;
      before = { atMs, groups };
      if (last === undefined || atMs <= last.atMs) return [];
      const since = [...groups].map(([folder, now]) => throttledSince(last.groups.get(folder) ?? now, now));
      const worst = (values: readonly number[]) => Math.max(0, ...values);
      const throttledS = worst(since.map((each) => each.throttledS));
      const throttled = worst(since.map((each) => each.periodsRatio));
      return [
        { source: 'generator', metric: 'throttled', unit: 'ratio', value: throttled },
        {
          source: 'generator',
          metric: 'throttled-time',
          unit: 'ratio',
          value: throttledS / ((atMs - last.atMs) / 1000),
        },
      ];
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Whether there is something to read. */
export function seesOwnControlGroups(read: ReadText = readText): boolean {
  return throttlingOfOwnGroups(read).size > 0;
}

function throttlingOfOwnGroups(read: ReadText): Map<string, Throttling> {
  const group = cpuGroupIn(read('/proc/self/cgroup') ?? '');
  if (group === undefined) return new Map();
  const parts = group.path.split('/').filter((part) => part !== '' && part !== '..');
  // In a container the tree may be seen from further down than its groups are named: what is not there holds nobody.
  const folders = Array.from({ length: parts.length + 1 }, (_, up) =>
    join(group.root, ...parts.slice(0, parts.length - up)),
  );
  return new Map(
    folders.flatMap((folder) => {
      const text = read(join(folder, 'cpu.stat'));
      return text === undefined ? [] : [[folder, throttlingFromFile(text)] as const];
    }),
  );
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
