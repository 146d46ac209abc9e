import type { Placement } from '../harness/core/run.ts';
import { choosePlacement, pinThisProcess } from '../harness/machine/placement.ts';

/** Keeps the load generator, which is this process, to a CPU of its own where it can; `why` where it cannot. */
export function placeGenerator(): { readonly placement: Placement | null; readonly why?: string } {
  const choice = choosePlacement();
  if (choice.placement === null || pinThisProcess(choice.placement.generatorCpus)) return choice;
  return {
    placement: null,
    why: 'the load generator and the system share all CPUs: taskset could not move the generator',
  };
}
