import { join } from 'node:path';
import { describeLoad } from '../harness/core/load.ts';
import type { StudyRecord } from '../harness/core/study-record.ts';
import { formatRate, formatRatio, formatSeconds } from '../harness/core/units.ts';
import { writeAtomically } from '../harness/files/atomic-write.ts';
import { judgeTrials } from '../harness/judging/judge-trial.ts';

/** For a study without a document of its own: its answers as they are stored, and a table of its trials. */
export async function writePlainReport(
  folder: string,
  record: StudyRecord,
): Promise<{ readonly text: string; readonly json: string }> {
  const { study, question, answers, status } = record;
  const rows = judgeTrials(record).map(({ summary, validity }) => ({ ...summary, validity }));
  const cells = rows.map(({ sequence, tier, scenario, load, throughputPerS, latency, errorRatio, validity }) => [
    String(sequence),
    tier,
    scenario,
    describeLoad(load),
    throughputPerS === null ? '' : formatRate(throughputPerS.value),
    latency.p95S === null ? '' : formatSeconds(latency.p95S.value),
    formatRatio(errorRatio),
    validity.kind,
  ]);
  const head = ['Trial', 'Subject', 'Scenario', 'Load', 'Requests/s', 'p95', 'Errors', 'Validity'];
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const text = [
    `# Study ${study} (${status.state})`,
    '',
    ...[question, ...answers].flatMap((each, index) => [
      index === 0 ? 'Question:' : 'Answer:',
      '',
      '```json',
      JSON.stringify(each, null, 2),
      '```',
      '',
    ]),
    ...[head, head.map(() => '---'), ...cells].map(line),
    '',
  ].join('\n');
  const json = join(folder, 'report.json');
  await writeAtomically(join(folder, 'report.md'), text);
  await writeAtomically(json, `${JSON.stringify({ study, question, status, answers, trials: rows }, null, 2)}\n`);
  return { text, json };
}
