import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { type Problem, TierbenchError } from '../core/errors.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { RunFacts, RunResult, RunStatus } from '../core/run.ts';
import type { Target } from '../core/target.ts';
import type { TrialRecord } from '../core/trial.ts';
import { cannotWrite, writeAtomically } from './atomic-write.ts';
import { factsSchema, measuredTrialSchema, statusSchema, targetsSchema } from './results-schema.ts';

/** Writes a results folder as the run goes on. Whenever the process is killed, what is there can be read. */
export interface ResultsWriter {
  readonly folder: string;
  facts(facts: RunFacts): Promise<void>;
  status(status: RunStatus): Promise<void>;
  trial(trial: TrialRecord): Promise<void>;
}

/**
 * Makes the folder and proves that it can be written before anything long starts.
 * `secrets` are cut out of everything that is written, as a last line of defence.
 */
export async function createResults(
  folder: string,
  facts: RunFacts,
  targets: readonly Target[],
  secrets: readonly string[],
): Promise<ResultsWriter> {
  try {
    await mkdir(join(folder, 'trials'), { recursive: true });
  } catch (cause) {
    throw cannotWrite(folder, cause);
  }
  if ((await readdir(folder)).includes('facts.json')) {
    throw new TierbenchError(
      'RESULTS_FOLDER_IN_USE',
      `${folder} already holds a run`,
      'Choose another folder with --out; results are never overwritten.',
    );
  }
  const write = (name: string, value: unknown) =>
    writeAtomically(join(folder, name), withoutSecrets(`${JSON.stringify(value, null, 2)}\n`, secrets));
  const writer: ResultsWriter = {
    folder,
    facts: (current) => write('facts.json', current),
    status: (status) => write('status.json', status),
    trial: (trial) => write(join('trials', trialFileName(trial)), trial),
  };
  await write('targets.json', targets);
  await writer.status({ state: 'running' });
  await writer.facts(facts);
  return writer;
}

/** @throws TierbenchError RESULTS_NOT_READABLE naming every file that is missing or damaged. */
export async function readResults(folder: string): Promise<RunResult> {
  const problems: Problem[] = [];
  const read = async <T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    const file = join(folder, name);
    try {
      const parsed = schema.safeParse(JSON.parse(await readFile(file, 'utf8')));
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      problems.push({ file, what: `${issue?.path.join('.')}: ${issue?.message}` });
    } catch (error) {
      problems.push({ file, what: error instanceof Error ? error.message : String(error) });
    }
    return undefined;
  };
  const facts = await read('facts.json', factsSchema);
  const status = await read('status.json', statusSchema);
  const targets = await read('targets.json', targetsSchema);
  const names = await readdir(join(folder, 'trials')).catch(() => []);
  const trials: TrialRecord[] = [];
  for (const name of names.filter((each) => each.endsWith('.json')).toSorted()) {
    const trial = await read(join('trials', name), measuredTrialSchema);
    if (trial !== undefined) trials.push(trial);
  }
  if (problems.length > 0 || facts === undefined || status === undefined || targets === undefined) {
    throw new TierbenchError(
      'RESULTS_NOT_READABLE',
      `${folder} is not a results folder that this version can read`,
      'Name a folder that `tierbench run` made; remove a damaged file under trials/ to read the rest.',
      { problems },
    );
  }
  return { facts, status, targets, trials: trials.toSorted((left, right) => left.sequence - right.sequence) };
}

/** `0007-single-crud-measure-c10.json` */
function trialFileName({ sequence, subject, purpose, trial }: TrialRecord): string {
  const parts = [String(sequence).padStart(4, '0'), subject, trial.plan.scenario, purpose, loadName(trial.plan.load)];
  return `${parts.join('-').replaceAll(/[^\w.-]+/g, '_')}.json`;
}

function loadName(load: OfferedLoad): string {
  return load.model === 'open' ? `r${load.arrivalRatePerS}` : `c${load.concurrency}`;
}

/** Short words are left alone: cutting them out would garble the text and they protect nothing. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret.length >= 8).reduce((cut, secret) => cut.replaceAll(secret, '***'), text);
}
