import { readTargets } from '../../harness/files/target-file.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output/streams.ts';
import { targetsTable } from '../output/targets-table.ts';

export async function targets(
  options: { readonly targets?: string; readonly json?: boolean },
  output: Output,
): Promise<number> {
  const all = await readTargets(options.targets === undefined ? undefined : [options.targets]);
  output.out(options.json ? JSON.stringify(all, null, 2) : targetsTable(all, output.width));
  return exitCodes.met;
}
