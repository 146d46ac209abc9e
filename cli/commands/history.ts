import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TierbenchError } from '../../harness/core/errors.ts';
import { absoluteFolder } from '../../harness/files/atomic-write.ts';
import { readResults } from '../../harness/files/results.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import { historyDocument, historyReport } from '../../reports/documents/history.ts';
import { historyOf, historyVerdict, type KeptResult } from '../../reports/history.ts';
import { pipelineResult } from '../../reports/pipeline.ts';
import { plural } from '../../reports/text.ts';
import { exitCodes, type Output } from '../output/streams.ts';
import { printDocument } from './report.ts';

/**
 * The results in the folders of a folder, over time. 0 where nothing is worse than before, 2 where something is, 3 where
 * there are too few to tell.
 */
export async function history(
  folder: string,
  typed: { readonly out?: string; readonly json?: boolean },
  output: Output,
): Promise<number> {
  const series = historyOf(await keptResults(absoluteFolder(folder), output));
  const json = historyReport(series);
  const document = historyDocument(series, folder);
  await printDocument({ document, json: () => json, verdict: null }, typed, output);
  return exitCodes[historyVerdict(series)];
}

/** Those that cannot be read, or were not finished, are passed over, and said. */
async function keptResults(folder: string, output: Output): Promise<readonly KeptResult[]> {
  const kept: KeptResult[] = [];
  for (const source of await resultsIn(folder)) {
    try {
      const record = await readResults(join(folder, source), studiesByName);
      const { cpuModel, cpus } = record.facts.machine;
      const machine = `${cpuModel}, ${plural(cpus, 'CPU')}`;
      if (record.status.state === 'finished') kept.push({ source, machine, result: pipelineResult(record) });
      else output.err(`note: ${source} is left out: it was not finished`);
    } catch (error) {
      if (!(error instanceof TierbenchError)) throw error;
      output.err(`note: ${source} is left out: ${error.message}`);
    }
  }
  if (kept.length > 0) return kept;
  const nextStep = 'Name a folder that holds those that `tierbench run` or `tierbench gate` made, such as results.';
  throw new TierbenchError('RESULTS_NOT_READABLE', `${folder} holds no results folder`, nextStep);
}

async function resultsIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'there is no such folder' : error.message;
    throw new TierbenchError('FILE_NOT_READABLE', `cannot read ${folder}: ${reason}`, 'Check the path.', {
      cause: error,
    });
  });
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) =>
        access(join(folder, name, 'study.json')).then(
          () => [name],
          () => [],
        ),
      ),
  );
  return found.flat().toSorted();
}
