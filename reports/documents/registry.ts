import type { z } from 'zod';
import { type GateResult, isGate, isNoise } from '../../harness/core/gate.ts';
import { isRun } from '../../harness/core/run.ts';
import type { StudyRecord } from '../../harness/core/study-record.ts';
import { overallVerdict } from '../../harness/judging/judge.ts';
import { isValid } from '../../harness/judging/judged-trial.ts';
import { overallOfGate } from '../../harness/judging/pooled-targets.ts';
import { type Analysis, analyse } from '../analysis.ts';
import type { Document } from '../document.ts';
import { gateDocument } from './gate.ts';
import { judgeAccepted } from './gate-accepted.ts';
import { genericDocument, genericReport } from './generic.ts';
import { noiseDocument } from './noise.ts';
import { runDocument } from './run.ts';
import { runReport, runReportSchema } from './run-json.ts';

/** What is written of a study: the document that all formats for people are made from, and the text of report.json. */
export interface StudyReport {
  readonly document: Document;
  readonly json: () => string;
  /** Of all targets; null where only the study itself knows. */
  readonly verdict: ReturnType<typeof overallVerdict> | null;
}

/** A study with a document of its own has a line here; any other has the generic one. */
export function reportOf(record: StudyRecord): StudyReport {
  if (!isRun(record)) {
    return {
      document: documentOf(record),
      json: () => `${JSON.stringify(genericReport(record), null, 2)}\n`,
      verdict: isGate(record) ? gateVerdict(record) : null,
    };
  }
  const analysis = analyse(record);
  return {
    document: runDocument(analysis),
    json: () => renderJson(runReport(analysis), runReportSchema),
    verdict: verdictOf(analysis),
  };
}

function documentOf(record: StudyRecord): Document {
  if (isGate(record)) return gateDocument(record);
  return isNoise(record) ? noiseDocument(record) : genericDocument(record);
}

/** report.json: the data of a report as its schema has it, in the order of the schema, whatever order a file had. */
export function renderJson<Report>(report: Report, schema: z.ZodType<Report>): string {
  return `${JSON.stringify(schema.parse(report), null, 2)}\n`;
}

/** What was accepted is not missed. */
function gateVerdict(record: GateResult): StudyReport['verdict'] {
  const judged = judgeAccepted(record);
  return judged === null ? 'inconclusive' : overallOfGate(judged.verdict, record.answers[0]?.targets);
}

/** Without targets a run that measured something valid has done what it was asked. */
function verdictOf({ targets, tiers }: Analysis): ReturnType<typeof overallVerdict> {
  if (targets.length > 0) return overallVerdict(tiers.flatMap((tier) => tier.targets));
  const trials = tiers.flatMap(({ scenarios }) => scenarios.flatMap((scenario) => scenario.trials));
  return trials.some(isValid) ? 'met' : 'inconclusive';
}
