import { readTargets } from '../../harness/files/target-file.ts';
import { targetsTable } from '../../reports/targets-table.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';

export async function targets(
  options: { readonly targets?: string; readonly json?: boolean },
  output: Output,
): Promise<number> {
  const all = await readTargets(options.targets === undefined ? undefined : [options.targets]);
  output.out(
    options.json ? JSON.stringify(all, null, 2) : targetsTable(all, { width: output.width, color: output.color }),
  );
  return exitCodes.met;
}
