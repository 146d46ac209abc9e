import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { MachineFacts } from '../core/machine.ts';
import { type ControlGroupTree, groupFolders } from '../operating-system/control-groups.ts';
import { type ReadText, readText } from '../operating-system/missing-files.ts';
import { thisSystem } from '../operating-system/this-system.ts';

export function machineFacts(system = thisSystem): MachineFacts {
  const processors = cpus();
  return {
    cpuModel: processors[0]?.model.trim() || 'unknown',
    cpus: processors.length,
    memoryBytes: totalmem(),
    operatingSystem: system.name(),
    kernel: release(),
    node: process.version,
    lacks: system.lacks,
    limits: controlGroupLimits(system.controlGroupTrees()),
    container: containerKind(),
  };
}

function containerKind(): string | null {
  if (process.env.KUBERNETES_SERVICE_HOST) return 'kubernetes';
  if (readText('/.dockerenv') !== undefined) return 'docker';
  if (readText('/run/.containerenv') !== undefined) return 'podman';
  return process.env.container ?? null;
}

/** The least CPU and memory limits of this process's control groups, up to the root. */
export function controlGroupLimits(
  trees: readonly ControlGroupTree[] = thisSystem.controlGroupTrees(),
  read: ReadText = readText,
): MachineFacts['limits'] {
  const cpus: number[] = [];
  const memory: number[] = [];
  for (const tree of trees) {
    for (const folder of groupFolders(tree)) {
      const text = (file: string) => (read(join(folder, file)) ?? '').trim();
      if (tree.version === 2) {
        // `50000 100000` or `max 100000`.
        const [quota, period] = text('cpu.max').split(' ');
        cpus.push(Number(quota) / Number(period));
        memory.push(Number(text('memory.max')));
      } else {
        cpus.push(Number(text('cpu.cfs_quota_us')) / Number(text('cpu.cfs_period_us')));
        memory.push(Number(text('memory.limit_in_bytes')));
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

/** The least that is a limit: `max`, -1 and what cannot be read are none. */
function least(limits: readonly number[]): number | undefined {
  const real = limits.filter((limit) => Number.isFinite(limit) && limit > 0);
  return real.length === 0 ? undefined : Math.min(...real);
}
