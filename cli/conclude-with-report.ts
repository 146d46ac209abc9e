import { readFile } from 'node:fs/promises';
import { isRun } from '../harness/core/run.ts';
import type { StudyRecord } from '../harness/core/study-record.ts';
import { overallVerdict } from '../harness/judging/judge.ts';
import { studiesByName } from '../harness/studies/registry.ts';
import { writePlainReport } from '../reports/plain-report.ts';
import { renderTerminal } from '../reports/terminal.ts';
import { writeReport } from '../reports/write-report.ts';
import { exitCodes } from './exit-codes.ts';
import type { Output } from './output/streams.ts';

/** Writes the report, prints the summary (or report.json), and gives the exit code of the verdicts. */
export async function concludeWithReport(
  record: StudyRecord,
  folder: string,
  options: { readonly json: boolean; readonly allowMissed: boolean },
  output: Output,
): Promise<number> {
  if (!isRun(record)) {
    const plain = await writePlainReport(folder, record);
    output.out((options.json ? await readFile(plain.json, 'utf8') : plain.text).trimEnd());
    const verdict = studiesByName.get(record.study)?.verdict?.(record.answers) ?? 'met';
    return exitCodes[options.allowMissed ? 'met' : verdict];
  }
  const report = await writeReport(folder, record);
  for (const note of report.notes) output.err(`note: ${note}`);
  if (options.json) output.out((await readFile(report.json, 'utf8')).trimEnd());
  else output.out(renderTerminal(report.analysis, report.html, output).trimEnd());
  if (options.allowMissed) return exitCodes.met;
  return exitCodes[overallVerdict(report.analysis.tiers.flatMap((tier) => tier.targets))];
}
