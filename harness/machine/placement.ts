import { spawnSync } from 'node:child_process';
import type { Note } from '../core/findings.ts';
import type { Finding } from '../core/machine.ts';
import type { Placement } from '../core/study-record.ts';
import { readText } from './facts.ts';
import { distributionProgram, findProgram } from './programs.ts';

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
  cpus: readonly number[] = allowedCpus(),
  taskset: string | undefined = findProgram(['taskset']),
): PlacementChoice {
  const placement = planPlacement(cpus, generatorThreads);
  if (placement === null) {
    return { placement, why: { code: 'cpus-shared', cause: cpus.length === 1 ? 'one-cpu' : 'cpus-unknown' } };
  }
  if (taskset === undefined) {
    return { placement: null, why: { code: 'cpus-shared', cause: 'no-taskset' } };
  }
  return { placement };
}

/** The CPUs this process may run on; empty where the system does not say. */
export function allowedCpus(status = readText('/proc/self/status') ?? ''): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  return list
    .split(',')
    .filter(Boolean)
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** Keeps this process, with all its threads and whatever it starts from now on, to these CPUs. False when it cannot. */
export function pinThisProcess(cpus: readonly number[]): boolean {
  return taskset(['-a', '-p', '-c', cpus.join(','), String(process.pid)], cpus);
}

/** Keeps one thread of this process to these CPUs, by the id the system knows it by. False when it cannot. */
export function pinThread(threadId: number, cpus: readonly number[]): boolean {
  return taskset(['-p', '-c', cpus.join(','), String(threadId)], cpus);
}

function taskset(words: readonly string[], cpus: readonly number[]): boolean {
  const program = findProgram(['taskset']);
  if (program === undefined || cpus.length === 0) return false;
  return spawnSync(program, words, { stdio: 'ignore' }).status === 0;
}

/** Keeps the load generator, which is this process, to a CPU of its own where it can; `why` where it cannot. */
export function placeGenerator(threads: number): PlacementChoice {
  const choice = choosePlacement(threads);
  if (choice.placement === null || pinThisProcess(choice.placement.generatorCpus)) return choice;
  return { placement: null, why: { code: 'cpus-shared', cause: 'taskset-failed' } };
}

/**
 * Keeps a thread of this process that is no part of the generator to the CPUs of the system. Where the generator has no
 * CPU of its own, the system places both: on more than one CPU they are apart. False when they share one.
 */
export function setApart(threadId: number, placement: Placement | null): boolean {
  return placement === null ? allowedCpus().length > 1 : pinThread(threadId, placement.systemCpus);
}

/** For doctor: whether the generator can have a CPU of its own. */
export function cpuPlacement(cpus: readonly number[] = allowedCpus()): Finding {
  const found = distributionProgram(['taskset'], 'util-linux');
  const { placement, why } = choosePlacement(1, cpus);
  if (found.state === 'missing' || placement === null)
    return found.state === 'missing'
      ? found
      : { state: 'limited', detail: `${why}; use a machine with more to set them apart` };
  const { generatorCpus, systemCpus } = placement;
  return { state: 'ready', detail: `${found.detail}; generator on CPU ${generatorCpus}, services on ${systemCpus}` };
}
