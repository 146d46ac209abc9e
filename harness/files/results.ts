import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { describeThrown, type Problem, TierbenchError } from '../core/errors.ts';
import type { OfferedLoad } from '../core/load.ts';
import {
  factsSchema,
  RESULTS_VERSION,
  type StudyFacts,
  type StudyRecord,
  type StudyStatus,
  type SubjectFacts,
  statusSchema,
  studyFileSchema,
  subjectSchema,
} from '../core/study-record.ts';
import type { TrialRecord } from '../core/trial.ts';
import { makeFolder, readRegularFile } from '../machine/file-system.ts';
import { cannotWrite, writeAtomically } from './atomic-write.ts';
import { targetsSchema, trialRecordSchema } from './results-schema.ts';
import type { SecretFilter } from './without-secrets.ts';

/** Writes a results folder as the study goes on. Whenever the process is killed, what is there can be read. */
export interface ResultsWriter {
  readonly folder: string;
  facts(facts: StudyFacts): Promise<void>;
  subject(subject: SubjectFacts): Promise<void>;
  status(status: StudyStatus): Promise<void>;
  trial(trial: TrialRecord): Promise<void>;
  answers(answers: readonly unknown[]): Promise<void>;
}

/** What is known before anything starts. */
export interface StudyOutline extends Pick<StudyRecord, 'study' | 'question' | 'facts' | 'targets'> {
  /** The ids of all subjects, in their order. */
  readonly subjects: readonly string[];
}

/** By the name of a study, how its question and its answers are read. */
export type StudySchemas = ReadonlyMap<string, { readonly question: z.ZodType; readonly answer: z.ZodType }>;

/**
 * Makes the folder and proves that it can be written before anything long starts.
 * Secrets are cut out of everything that is written, as a last line of defence.
 */
export async function createResults(
  folder: string,
  { study, question, subjects, facts, targets }: StudyOutline,
  secrets: Pick<SecretFilter, 'value'>,
): Promise<ResultsWriter> {
  try {
    await makeFolder(join(folder, 'trials'));
    await makeFolder(join(folder, 'subjects'));
  } catch (cause) {
    throw cannotWrite(folder, cause);
  }
  const names = await readdir(folder);
  if (names.includes('study.json') || names.includes('facts.json')) {
    throw new TierbenchError(
      'RESULTS_FOLDER_IN_USE',
      `${folder} already holds results`,
      'Results are never overwritten: choose another folder.',
      { remedy: 'other-folder' },
    );
  }
  const write = (name: string, value: unknown) =>
    writeAtomically(join(folder, name), `${JSON.stringify(secrets.value(value), null, 2)}\n`);
  const writer: ResultsWriter = {
    folder,
    facts: (current) => write('facts.json', current),
    subject: (subject) => write(join('subjects', `${fileName(subject.id)}.json`), subject),
    status: (status) => write('status.json', status),
    trial: (trial) => write(join('trials', trialFileName(trial)), trial),
    answers: (answers) => write('answer.json', answers),
  };
  await write('study.json', { schemaVersion: RESULTS_VERSION, study, question, subjects });
  await write('targets.json', targets);
  await writer.answers([]);
  await writer.status({ state: 'running' });
  await writer.facts(facts);
  return writer;
}

/**
 * Reads a results folder. Question and answers are checked by the schemas of their study.
 * @throws TierbenchError RESULTS_VERSION for a folder of another schema version, RESULTS_NOT_READABLE naming every file
 * that is missing or damaged.
 */
export async function readResults(folder: string, studies: StudySchemas): Promise<StudyRecord> {
  const problems: Problem[] = [];
  const read = async <T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    const file = join(folder, name);
    try {
      const parsed = schema.safeParse(JSON.parse(await readText(file)));
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      problems.push({ file, what: `${issue?.path.join('.')}: ${issue?.message}` });
    } catch (error) {
      problems.push({ file, what: describeThrown(error) });
    }
    return undefined;
  };
  const readAll = async <T>(place: string, schema: z.ZodType<T>): Promise<T[]> => {
    const names = await readdir(join(folder, place)).catch((error: NodeJS.ErrnoException) => {
      // A run that was killed early may have none.
      if (error.code !== 'ENOENT') problems.push({ file: join(folder, place), what: describeThrown(error) });
      return [];
    });
    const all: T[] = [];
    for (const name of names.filter((each) => each.endsWith('.json')).toSorted()) {
      const one = await read(join(place, name), schema);
      if (one !== undefined) all.push(one);
    }
    return all;
  };
  await refuseOtherVersions(folder);
  const study = await read('study.json', studyFileSchema);
  const schemas = study === undefined ? undefined : studies.get(study.study);
  if (study !== undefined && schemas === undefined) {
    problems.push({ file: join(folder, 'study.json'), what: `this version knows no study '${study.study}'` });
  }
  const question = schemas && (await read('study.json', z.object({ question: schemas.question })));
  const answers = schemas && (await read('answer.json', z.array(schemas.answer)));
  const facts = await read('facts.json', factsSchema);
  const status = await read('status.json', statusSchema);
  const targets = await read('targets.json', targetsSchema);
  const subjects = await readAll('subjects', subjectSchema);
  const trials = await readAll('trials', trialRecordSchema);
  if (problems.length > 0 || !study || !question || !answers || !facts || !status || !targets) {
    throw new TierbenchError(
      'RESULTS_NOT_READABLE',
      `${folder} is not a results folder that this version can read`,
      'Name a folder that tierbench made; remove a damaged file under trials/ to read the rest.',
      { problems },
    );
  }
  const place = ({ id }: SubjectFacts) => study.subjects.indexOf(id);
  return {
    study: study.study,
    question: question.question,
    facts,
    status,
    subjects: subjects.toSorted((left, right) => place(left) - place(right)),
    trials: trials.toSorted((left, right) => left.sequence - right.sequence),
    answers,
    targets,
  };
}

/** Of a trial of a day with ten steps a quarter. */
const LARGEST_FILE_BYTES = 400 * 1024 * 1024;

async function readText(file: string): Promise<string> {
  const found = await readRegularFile(file, LARGEST_FILE_BYTES);
  if (found.kind === 'file') return found.content.toString('utf8');
  throw new Error(found.kind === 'too-large' ? `it has ${found.bytes} bytes, which is too large` : 'it is not a file');
}

/** Version 1 had its version in facts.json and no study.json. */
async function refuseOtherVersions(folder: string): Promise<void> {
  const version = (await versionIn(join(folder, 'study.json'))) ?? (await versionIn(join(folder, 'facts.json')));
  if (version === undefined || version === RESULTS_VERSION) return;
  throw new TierbenchError(
    'RESULTS_VERSION',
    `${folder} holds results of schema version ${version}, and this version of tierbench reads version ${RESULTS_VERSION}`,
    'Measure again, or make the report with the version of tierbench that made the folder.',
  );
}

async function versionIn(file: string): Promise<number | undefined> {
  try {
    return z.object({ schemaVersion: z.number() }).parse(JSON.parse(await readText(file))).schemaVersion;
  } catch {
    return undefined;
  }
}

/** `0007-single-crud-measure-c10.json` */
function trialFileName({ sequence, subject, purpose, trial }: TrialRecord): string {
  const { scenario, load } = trial.plan;
  return `${fileName([String(sequence).padStart(4, '0'), subject, scenario, purpose, loadName(load)].join('-'))}.json`;
}

function fileName(text: string): string {
  return text.replaceAll(/[^\w.@-]+/g, '_');
}

function loadName(load: OfferedLoad): string {
  return load.model === 'open' ? `r${load.arrivalRatePerS}` : `c${load.concurrency}`;
}
