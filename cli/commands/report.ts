import { readResults } from '../../harness/files/results.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import { absoluteFolder } from '../absolute-folder.ts';
import { concludeWithReport } from '../conclude-with-report.ts';
import type { Output } from '../output/streams.ts';

export async function report(results: string, options: { readonly json?: boolean }, output: Output): Promise<number> {
  const folder = absoluteFolder(results);
  return concludeWithReport(
    await readResults(folder, studiesByName),
    folder,
    { json: options.json ?? false, allowMissed: true },
    output,
  );
}
