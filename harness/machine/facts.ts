import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { MachineFacts } from '../core/machine.ts';

export function machineFacts(): MachineFacts {
  const processors = cpus();
  return {
    cpuModel: processors[0]?.model.trim() || 'unknown',
    cpus: processors.length,
    memoryBytes: totalmem(),
    operatingSystem: /^PRETTY_NAME="?([^"\n]+)/m.exec(readText('/etc/os-release') ?? '')?.[1] ?? type(),
    kernel: release(),
    node: process.version,
    limits: controlGroupLimits(),
    container: containerKind(),
  };
}

function containerKind(): string | null {
  if (process.env.KUBERNETES_SERVICE_HOST) return 'kubernetes';
  if (readText('/.dockerenv') !== undefined) return 'docker';
  if (readText('/run/.containerenv') !== undefined) return 'podman';
  return process.env.container ?? null;
}

/** Reads a file, or undefined when it is not there. */
export type ReadText = (path: string) => string | undefined;

/** The least CPU and memory limits of this process's control groups, up to the root. */
export function controlGroupLimits(read: ReadText = readText): MachineFacts['limits'] {
  const groups = (read('/proc/self/cgroup') ?? '')
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const cpus: number[] = [];
  const memory: number[] = [];
  for (const [, controllers = '', ...rest] of groups) {
    const path = rest.join(':');
    for (const folder of upToRoot(path)) {
      if (controllers === '') {
        // Version 2: `50000 100000` or `max 100000`.
        const [quota, period] = (read(join('/sys/fs/cgroup', folder, 'cpu.max')) ?? '').trim().split(' ');
        cpus.push(Number(quota) / Number(period));
        memory.push(number(read(join('/sys/fs/cgroup', folder, 'memory.max'))));
      }
      if (controllers.split(',').includes('cpu')) {
        const group = join('/sys/fs/cgroup/cpu', folder);
        const quota = number(read(join(group, 'cpu.cfs_quota_us')));
        cpus.push(quota / number(read(join(group, 'cpu.cfs_period_us'))));
      }
      if (controllers.split(',').includes('memory')) {
        memory.push(number(read(join('/sys/fs/cgroup/memory', folder, 'memory.limit_in_bytes'))));
      }
    }
  }
  const leastCpus = least(cpus);
  // Version 1 writes "no limit" as the largest multiple of a page that 63 bits hold.
  const leastMemory = least(memory.filter((bytes) => bytes < 2 ** 62));
  return {
    ...(leastCpus !== undefined && { cpus: leastCpus }),
    ...(leastMemory !== undefined && { memoryBytes: leastMemory }),
  };
}

/** `/a/b` -> `/a/b`, `/a`, `/`. */
function upToRoot(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, up) => `/${parts.slice(0, parts.length - up).join('/')}`);
}

function number(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text);
}

/** The least that is a limit: `max`, -1 and what cannot be read are none. */
function least(limits: readonly number[]): number | undefined {
  const real = limits.filter((limit) => Number.isFinite(limit) && limit > 0);
  return real.length === 0 ? undefined : Math.min(...real);
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
