import { readdir, readFile } from 'node:fs/promises';
import { TierbenchError } from '../../harness/core/errors.ts';
import type { StudyRecord } from '../../harness/core/study-record.ts';
import { absoluteFolder, cannotWrite } from '../../harness/files/atomic-write.ts';
import { readResults } from '../../harness/files/results.ts';
import { makeFolder } from '../../harness/machine/file-system.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import type { StudyReport } from '../../reports/documents/registry.ts';
import { renderTerminal } from '../../reports/renderers/terminal.ts';
import { type WrittenReport, writeDocument, writeReport } from '../../reports/write-report.ts';
import { exitCodes, type Output } from '../output/streams.ts';
import { type PipelineOutputs, writePipelineOutputs } from '../pipeline-outputs.ts';

/**
 * Prints what is no report of a study, and writes it where a folder is named.
 * @throws TierbenchError FOLDER_NOT_EMPTY where that is the results folder of a run, CANNOT_WRITE
 */
export async function printDocument(
  made: StudyReport,
  { out, json = false }: { readonly out?: string; readonly json?: boolean },
  output: Output,
): Promise<void> {
  const report = out === undefined ? null : await writeDocument(await folderFor(absoluteFolder(out)), made);
  // That there is nothing to draw is no loss here.
  if (report !== null) printMissing({ ...report, notes: report.charts.length === 0 ? [] : report.notes }, output);
  output.out((json ? made.json() : renderTerminal(made.document, report?.html ?? null, output.width)).trimEnd());
}

async function folderFor(out: string): Promise<string> {
  let names: readonly string[];
  try {
    await makeFolder(out);
    names = await readdir(out);
  } catch (cause) {
    throw cannotWrite(out, cause);
  }
  if (names.includes('study.json')) {
    throw new TierbenchError('FOLDER_NOT_EMPTY', `${out} holds the results of a run`, 'Choose another folder.');
  }
  return out;
}

function printMissing({ missing, notes }: Pick<WrittenReport, 'missing' | 'notes'>, output: Output): void {
  for (const { part, detail } of missing) output.err(`note: ${part} is missing: ${detail}`);
  for (const note of notes) output.err(`note: ${note}`);
}

/** Writes the report, prints the summary (or report.json), and gives the exit code of the verdicts. */
export async function concludeWithReport(
  record: StudyRecord,
  folder: string,
  options: { readonly json: boolean; readonly allowMissed: boolean },
  output: Output,
  outputs: PipelineOutputs | null = null,
): Promise<number> {
  const report = await writeReport(folder, record);
  printMissing(report, output);
  if (options.json && report.json !== null) output.out((await readFile(report.json, 'utf8')).trimEnd());
  else if (!options.json) output.out(renderTerminal(report.document, report.html, output.width).trimEnd());
  if (outputs !== null) await writePipelineOutputs(record, outputs);
  if (options.allowMissed) return exitCodes.met;
  return exitCodes[report.verdict ?? studiesByName.get(record.study)?.verdict?.(record.answers) ?? 'met'];
}

export async function report(
  results: string,
  { json = false, ...outputs }: PipelineOutputs & { readonly json?: boolean },
  output: Output,
): Promise<number> {
  const folder = absoluteFolder(results);
  return concludeWithReport(
    await readResults(folder, studiesByName),
    folder,
    { json, allowMissed: true },
    output,
    outputs,
  );
}
