import type { Note } from '../harness/core/findings.ts';
import type { Placement } from '../harness/core/study-record.ts';
import { allowedCpus, choosePlacement, pinThisProcess, pinThread } from '../harness/machine/placement.ts';

/** Keeps the load generator, which is this process, to a CPU of its own where it can; `why` where it cannot. */
export function placeGenerator(threads: number): { readonly placement: Placement | null; readonly why?: Note } {
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
