import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { suggestion } from '../../harness/core/closest-match.ts';
import { TierbenchError } from '../../harness/core/errors.ts';
import type { Note } from '../../harness/core/findings.ts';
import type { Placement, StudyFacts } from '../../harness/core/study-record.ts';
import type { Tier } from '../../harness/core/tier.ts';
import { createResults, readResults } from '../../harness/files/results.ts';
import { secretsOf } from '../../harness/files/users-file.ts';
import { machineFacts } from '../../harness/machine/facts.ts';
import { currentCommit } from '../../harness/machine/own-package.ts';
import type { RegisteredRun } from '../../harness/orphans/register.ts';
import type { Provider } from '../../harness/providers/provider.ts';
import { calibrate } from '../../harness/studies/calibrate.ts';
import { conduct, usersOf } from '../../harness/studies/conduct.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import { run as runStudy } from '../../harness/studies/run/run.ts';
import type { Study } from '../../harness/studies/study.ts';
import { absoluteFolder } from '../absolute-folder.ts';
import { app } from '../app.ts';
import { beginRun } from '../begin-run.ts';
import { chooseEngine, probesFor } from '../choose-engine.ts';
import { makeProvider, resolveProvider } from '../choose-provider.ts';
import { concludeWithReport } from '../conclude-with-report.ts';
import { exitCodes } from '../exit-codes.ts';
import { installFor } from '../install-missing.ts';
import { untilInterrupted } from '../interrupt.ts';
import { type Output, printError } from '../output/streams.ts';
import { placeGenerator, setApart } from '../place-generator.ts';
import { progressDisplay } from '../progress.ts';
import { readInputs } from '../read-inputs.ts';
import { type RunOptions, readRunOptions, type TypedRunOptions } from '../run-options.ts';
import { version } from '../version.ts';

/** Measures tiers, writes the results folder and its report. Resolves with the exit code of the verdicts. */
export async function run(typed: TypedRunOptions, output: Output): Promise<number> {
  const options = readRunOptions(typed);
  // Scenarios that are files are stored by the name they give themselves.
  return conductStudy(runStudy, (scenarios) => ({ ...options.question, scenarios }), options, output);
}

/** Any study of the registry. Its question is JSON; tiers, engine, provider and data are chosen as for `run`. */
export async function study(
  name: string,
  { question: json, ...typed }: TypedRunOptions & { readonly question: string },
  output: Output,
): Promise<number> {
  const chosen = studiesByName.get(name);
  if (chosen === undefined) {
    const nextStep = suggestion(name, [...studiesByName.keys()]);
    throw new TierbenchError('OPTIONS_INVALID', `there is no study '${name}'`, nextStep);
  }
  const question = readQuestion(chosen, json);
  const scenario = chosen.scenarios(question).join(',');
  const options = readRunOptions({ concurrency: '1', ...typed, scenario });
  return conductStudy(chosen, () => question, options, output);
}

function readQuestion(chosen: Study, json: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new TierbenchError('OPTIONS_INVALID', `--question is no JSON: ${String(error)}`, 'Quote it for the shell.');
  }
  const parsed = chosen.question.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TierbenchError(
    'OPTIONS_INVALID',
    `--question does not fit the study '${chosen.name}'`,
    'Fix what is named.',
    {
      problems: parsed.error.issues.map(({ path, message }) => ({ what: `${path.join('.')}: ${message}` })),
    },
  );
}

async function conductStudy<Question, Answer>(
  study: Study<Question, Answer>,
  questionFor: (scenarios: readonly string[]) => Question,
  options: RunOptions,
  output: Output,
): Promise<number> {
  const { tiers, targets, scenarios, usersOfFile } = await readInputs(options);
  using interrupt = untilInterrupted();
  using progress = progressDisplay(output, options.quiet);
  const say = (text: string) => progress.show({ kind: 'message', text });
  const note = (found: Note) => progress.show({ kind: 'note', note: found });

  await using run = await beginRun(say);
  const folder = absoluteFolder(options.out ?? join('results', run.id));
  await using cleanUp = new AsyncDisposableStack();
  const engine = await chooseEngine(options.settings.engine, {
    workers: options.settings.workers,
    folder: join(folder, 'k6'),
    temporaryFolder: run.folder,
    k6Path: options.k6Path,
    environment: run.environment,
    signal: interrupt.signal,
    note: say,
    cleanUp,
  });
  const parts = await chooseParts(options, tiers, run, say, note);
  const facts: StudyFacts = {
    runId: run.id,
    startedAt: new Date().toISOString(),
    tierbench: { version: version(), commit: await currentCommit() },
    machine: machineFacts(),
    placement: parts.placement,
    calibration: null,
    settings: options.settings,
  };
  const question = questionFor([...scenarios.keys()]);
  const subjects = tiers.map((tier) => ({ id: tier.name, tier, app }));
  const password = randomBytes(15).toString('base64url');
  const data = { values: options.data, password };
  const secrets = subjects.flatMap((subject) => secretsOf(usersOf(subject, { users: usersOfFile, data })));
  const outline = { study: study.name, question, subjects: subjects.map(({ id }) => id), facts, targets };
  const results = await createResults(folder, outline, secrets);

  let failure: unknown;
  try {
    const { signal } = interrupt;
    await conduct(study, question, subjects, facts, {
      // Tests of the command line go without, and so say the facts: it takes longer than most of what they look at.
      async calibrate() {
        if (process.env.TIERBENCH_TEST_CALIBRATION === 'none') return null;
        return calibrate({ engine, signal, setApart: (id) => setApart(id, parts.placement), note });
      },
      engine,
      provider: parts.provider,
      probesFor,
      scenarios,
      users: usersOfFile,
      data,
      targets,
      notes: parts.notes,
      results,
      emit: progress.show,
      pause,
      signal,
    });
  } catch (error) {
    failure = error;
  }
  progress[Symbol.dispose]();
  // Whatever ended the run, what was measured is reported.
  const verdict = await concludeWithReport(await readResults(folder, studiesByName), folder, options, output);
  if (failure !== undefined) {
    printError(failure, output);
    return exitCodes.couldNotRun;
  }
  if (interrupt.signal.aborted) {
    output.err('interrupted: what was measured until then is kept');
    return exitCodes.couldNotRun;
  }
  return verdict;
}

interface ChosenParts {
  readonly provider: Provider;
  readonly placement: Placement | null;
  /** What a reader should know of every tier of the run. */
  readonly notes: readonly Note[];
}

/** Where and how the tiers are started on this machine. Pins this process to its CPU. */
async function chooseParts(
  options: RunOptions,
  tiers: readonly Tier[],
  run: RegisteredRun,
  say: (text: string) => void,
  note: (note: Note) => void,
): Promise<ChosenParts> {
  const { name, why } = await resolveProvider(options.settings.provider);
  if (why !== undefined) note(why);
  if (options.installMissing && name === 'local') await installFor(tiers, say);
  if (name === 'url') {
    const provider = await makeProvider(name, options, run);
    return { provider, placement: null, notes: [{ code: 'external-api' }] };
  }
  const { placement, why: whyShared } = placeGenerator(options.settings.workers);
  const provider = await makeProvider(name, options, run, placement?.systemCpus);
  return { provider, placement, notes: whyShared === undefined ? [] : [whyShared] };
}

async function pause(durationS: number, signal: AbortSignal): Promise<void> {
  await setTimeout(durationS * 1000, undefined, { signal }).catch(() => undefined);
}
