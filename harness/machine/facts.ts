import { cpus, release, totalmem, type } from 'node:os';
import type { MachineFacts } from '../core/machine.ts';
import { controlGroupLimits, readText } from './limits.ts';

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
