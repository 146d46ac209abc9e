import { describeLoad } from '../../harness/core/load.ts';
import type { StudyRecord } from '../../harness/core/study-record.ts';
import { formatBytes, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import { judgeTrials } from '../../harness/judging/judge-trial.ts';
import { isValid, type JudgedTrial } from '../../harness/judging/judged-trial.ts';
import {
  type Answer,
  type CellDraft,
  type Document,
  head,
  incompleteNote,
  left,
  right,
  type Table,
  table,
  tableBlocks,
} from '../document.ts';
import { dateTime } from '../figures.ts';
import { plural, shortened } from '../text.ts';
import { whyCareful, whyInvalid } from './run-why.ts';

/** Longer answers are cut: report.json has them whole. */
const MOST_LETTERS = 400;

/** For a study without a document of its own: its answers as they are stored, and a table of its trials. */
export function genericDocument(record: StudyRecord): Document {
  const { study, question, facts, status } = record;
  const { machine, tierbench } = facts;
  return {
    title: `Study ${study}`,
    subtitle: `${dateTime(facts.startedAt)} · ${machine.cpuModel}, ${plural(machine.cpus, 'core')}, ${formatBytes(machine.memoryBytes)}`,
    blocks: [
      { kind: 'answer', answers: answersOf(record) },
      ...incompleteNote(status),
      { kind: 'paragraph', text: `Question: ${shortened(oneLine(question), MOST_LETTERS)}` },
      ...tableBlocks(trialsTable(judgeTrials(record))),
    ],
    footer: `Made by tierbench ${tierbench.version} from the results of run ${facts.runId}.`,
  };
}

function answersOf({ study, answers }: StudyRecord): readonly Answer[] {
  if (answers.length === 0) return [{ about: study, statement: 'nothing was measured to its end.', because: '' }];
  return answers.map((answer) => ({ about: study, statement: shortened(oneLine(answer), MOST_LETTERS), because: '' }));
}

function oneLine(value: unknown): string {
  return JSON.stringify(value, null, 1).replaceAll(/\n\s*/gu, ' ');
}

function trialsTable(trials: readonly JudgedTrial[]): Table {
  return table(
    'Trials',
    [
      head('Subject'),
      head('Scenario'),
      head('Load', 'right'),
      right('Throughput'),
      right('p95'),
      right('Errors'),
      left('Valid'),
    ],
    trials.map((trial): CellDraft[] => {
      const { tier, scenario, load, throughputPerS, latency, errorRatio } = trial.summary;
      return [
        { text: tier },
        { text: scenario },
        { text: describeLoad(load) },
        { text: throughputPerS === null ? 'too few' : formatRate(throughputPerS.value) },
        { text: latency.p95S === null ? 'too few' : formatSeconds(latency.p95S.value) },
        { text: formatRatio(errorRatio) },
        { text: isValid(trial) ? 'yes' : 'no', why: [...whyInvalid(trial), ...whyCareful(trial)] },
      ];
    }),
  );
}

/** report.json of such a study. Question and answers are what its own schemas say. */
export function genericReport({ study, question, status, facts, answers, ...record }: StudyRecord): unknown {
  const trials = judgeTrials({ facts, ...record }).map(({ summary, validity, caveats }) => ({
    ...summary,
    validity,
    caveats,
  }));
  return { schemaVersion: 2, study, question, status, facts, answers, trials };
}
