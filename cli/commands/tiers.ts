import { builtInTiers, readTier } from '../../harness/files/tier-file.ts';
import { tiersTable } from '../../reports/tiers-table.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';

export async function tiers(options: { readonly json?: boolean }, output: Output): Promise<number> {
  const all = await Promise.all((await builtInTiers()).map((name) => readTier(name)));
  output.out(
    options.json ? JSON.stringify(all, null, 2) : tiersTable(all, { width: output.width, color: output.color }),
  );
  return exitCodes.met;
}
