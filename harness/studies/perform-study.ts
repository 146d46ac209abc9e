import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { DataValues, Subject } from '../core/app.ts';
import type { Note } from '../core/findings.ts';
import type { StudyFacts } from '../core/study-record.ts';
import { createResults } from '../files/results.ts';
import { secretsOf } from '../files/users-file.ts';
import { createSecretFilter } from '../files/without-secrets.ts';
import { machineFacts } from '../machine/facts.ts';
import { currentCommit } from '../machine/own-package.ts';
import { placeGenerator, setApart } from '../machine/placement.ts';
import type { Provider } from '../providers/provider.ts';
import { calibrate } from './calibrate.ts';
import { conduct, usersOf } from './conduct.ts';
import type { StudyEnvironment } from './environment.ts';
import type { Study } from './study.ts';

/** What a front end chooses and reads. Everything else about a study follows from it and from this machine. */
export interface StudyOrder<Question, Answer>
  extends Pick<StudyEnvironment, 'engine' | 'probesFor' | 'scenarios' | 'users' | 'targets' | 'emit' | 'signal'>,
    Pick<StudyFacts, 'runId' | 'settings'> {
  readonly study: Study<Question, Answer>;
  /** May name scenarios as they were asked for, such as by their files: `names` has the name of each. */
  readonly question: Question;
  readonly names: ReadonlyMap<string, string>;
  readonly subjects: readonly Subject[];
  readonly data: DataValues;
  /** The results folder to make. */
  readonly folder: string;
  readonly version: string;
  readonly calibrates: boolean;
  /** The subjects run already, wherever that is, so that the generator has no CPUs of its own. */
  readonly isExternal: boolean;
  /** `systemCpus`: what the services are kept to; undefined where they share all CPUs with the generator. */
  makeProvider(systemCpus: readonly number[] | undefined): Promise<Provider>;
}

/**
 * Places the generator on this machine, writes down what a reader must know, and conducts the study.
 * @throws TierbenchError before the results folder is there.
 * @returns what ended the study, once everything is stored.
 */
export async function performStudy<Question, Answer>(
  order: StudyOrder<Question, Answer>,
): Promise<{ readonly failure?: unknown }> {
  const { study, subjects, engine, users, targets, emit, signal, folder, runId, settings } = order;
  const { placement, why } = order.isExternal
    ? { placement: null, why: { code: 'external-api' } as const }
    : placeGenerator(settings.workers);
  const provider = await order.makeProvider(placement?.systemCpus);
  const facts: StudyFacts = {
    runId,
    startedAt: new Date().toISOString(),
    tierbench: { version: order.version, commit: await currentCommit() },
    machine: machineFacts(),
    placement,
    calibration: null,
    settings,
  };
  const question = withOwnNames(order.question, order.names);
  const data = { values: order.data, password: randomBytes(15).toString('base64url') };
  const secrets = createSecretFilter(subjects.flatMap((subject) => secretsOf(usersOf(subject, { users, data }))));
  const outline = { study: study.name, question, subjects: subjects.map(({ id }) => id), facts, targets };
  const results = await createResults(folder, outline, secrets);
  const note = (found: Note) => emit({ kind: 'note', note: found });
  try {
    await conduct(study, question, subjects, facts, {
      async calibrate() {
        if (!order.calibrates) return null;
        return calibrate({ engine, signal, setApart: (id) => setApart(id, placement), note });
      },
      engine,
      provider,
      probesFor: order.probesFor,
      scenarios: order.scenarios,
      users,
      data,
      targets,
      notes: why === undefined ? [] : [why],
      results,
      emit: (event) => emit(secrets.value(event)),
      pause,
      signal,
    });
    return {};
  } catch (failure) {
    return { failure: secrets.error(failure) };
  }
}

/** Trials are stored by the name that a scenario gives itself, so the question names it so. Questions are JSON. */
function withOwnNames<Question>(question: Question, names: ReadonlyMap<string, string>): Question {
  return JSON.parse(JSON.stringify(question), (_, each: unknown) =>
    typeof each === 'string' ? (names.get(each) ?? each) : each,
  );
}

async function pause(durationS: number, signal: AbortSignal): Promise<void> {
  await setTimeout(durationS * 1000, undefined, { signal }).catch(() => undefined);
}
