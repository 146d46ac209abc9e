import { builtInTiers } from '../harness/files/tier-file.ts';

/** Each builds on the one before, so that a run shows what each step buys. */
const inThisOrder = ['single', 'pooled', 'replicated', 'cached'];

/** The names of all built-in tiers, in the order they are run; those that are new to this list come last, by name. */
export async function tiersInOrder(): Promise<readonly string[]> {
  const all = await builtInTiers();
  const place = (name: string) => (inThisOrder.includes(name) ? inThisOrder.indexOf(name) : inThisOrder.length);
  return all.toSorted((left, right) => place(left) - place(right));
}
