import { findOrphans } from '../harness/orphans/find.ts';
import { type RegisteredRun, registerRun } from '../harness/orphans/register.ts';
import { removeOrphans } from '../harness/orphans/remove.ts';

/** Clears away what killed commands left, then writes down that this one starts. */
export async function beginRun(note: (text: string) => void): Promise<RegisteredRun> {
  const { removed, kept } = await removeOrphans(await findOrphans());
  for (const what of removed) note(`removed what a killed command left: ${what}`);
  for (const { what, why } of kept) note(`could not remove what a killed command left: ${what}: ${why}`);
  return registerRun();
}
