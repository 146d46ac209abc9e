import { readTier } from '../../harness/files/tier-file.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output/streams.ts';
import { tiersTable } from '../output/tiers-table.ts';
import { tiersInOrder } from '../tier-order.ts';
import { describeWhere, whereItRuns } from '../where-tiers-run.ts';

export async function tiers(options: { readonly json?: boolean }, output: Output): Promise<number> {
  const all = await Promise.all(
    (await tiersInOrder()).map(async (name) => {
      const tier = await readTier(name);
      return { ...tier, here: await whereItRuns(tier) };
    }),
  );
  output.out(
    options.json
      ? JSON.stringify(all, null, 2)
      : all.map(({ here, ...tier }) => `${tiersTable([tier], output.width)}\n${describeWhere(here)}`).join('\n\n'),
  );
  return exitCodes.met;
}
