import { availableParallelism } from 'node:os';
import type { Note } from '../core/findings.ts';
import type { Finding } from '../core/machine.ts';
import type { Placement } from '../core/study-record.ts';
import { findProgram } from '../operating-system/find-program.ts';
import type { OperatingSystem } from '../operating-system/operating-system.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import { distributionProgram } from './programs.ts';

type CpusShared = Extract<Note, { readonly code: 'cpus-shared' }>;

/** Who runs where, or why generator and system share all CPUs. */
export type PlacementChoice =
  | { readonly placement: Placement; readonly why?: never }
  | { readonly placement: null; readonly why: CpusShared };

/**
 * With two or more CPUs the generator has the last one to itself, or one for each of its threads as long as one is left:
 * the first serves most interrupts of the system.
 */
export function planPlacement(allowedCpus: readonly number[], generatorThreads = 1): Placement | null {
  const ascending = allowedCpus.toSorted((left, right) => left - right);
  if (ascending.length < 2) return null;
  const ownCpus = Math.min(generatorThreads, ascending.length - 1);
  return { generatorCpus: ascending.slice(-ownCpus), systemCpus: ascending.slice(0, -ownCpus) };
}

export function choosePlacement(
  generatorThreads = 1,
  cpus: readonly number[] = thisSystem.allowedCpus(),
  taskset: string | undefined = findProgram(['taskset']),
  system: Pick<OperatingSystem, 'lacks'> = thisSystem,
): PlacementChoice {
  if (system.lacks.includes('cpu-placement')) {
    return { placement: null, why: { code: 'cpus-shared', cause: 'not-on-this-system' } };
  }
  const placement = planPlacement(cpus, generatorThreads);
  if (placement === null) {
    return { placement, why: { code: 'cpus-shared', cause: cpus.length === 1 ? 'one-cpu' : 'cpus-unknown' } };
  }
  if (taskset === undefined) {
    return { placement: null, why: { code: 'cpus-shared', cause: 'no-taskset' } };
  }
  return { placement };
}

/** Keeps the load generator, which is this process, to a CPU of its own where it can; `why` where it cannot. */
export function placeGenerator(threads: number): PlacementChoice {
  const choice = choosePlacement(threads);
  if (choice.placement === null || thisSystem.pinThisProcess(choice.placement.generatorCpus)) return choice;
  return { placement: null, why: { code: 'cpus-shared', cause: 'taskset-failed' } };
}

/**
 * Keeps a thread of this process that is no part of the generator to the CPUs of the system. Where the generator has no
 * CPU of its own, the system places both: on more than one CPU they are apart. False when they share one.
 */
export function setApart(threadId: number, placement: Placement | null): boolean {
  return placement === null ? availableParallelism() > 1 : thisSystem.pinThread(threadId, placement.systemCpus);
}

/** For doctor: whether the generator can have a CPU of its own. */
export function cpuPlacement(system: OperatingSystem = thisSystem): Finding {
  if (system.lacks.includes('cpu-placement')) {
    return { state: 'limited', detail: `${system.name()} keeps no process to a CPU: the generator shares all of them` };
  }
  const found = distributionProgram(['taskset'], 'util-linux');
  if (found.state === 'missing') return found;
  const { placement } = choosePlacement(1, system.allowedCpus());
  if (placement === null) {
    return { state: 'limited', detail: 'generator and services share all CPUs; a machine with more sets them apart' };
  }
  const { generatorCpus, systemCpus } = placement;
  return { state: 'ready', detail: `${found.detail}; generator on CPU ${generatorCpus}, services on ${systemCpus}` };
}
