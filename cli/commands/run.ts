import { join } from 'node:path';
import { suggestion } from '../../harness/core/closest-match.ts';
import { TierbenchError } from '../../harness/core/errors.ts';
import { absoluteFolder } from '../../harness/files/atomic-write.ts';
import { isDefaultMix, writeMixedScenario } from '../../harness/files/mix-file.ts';
import { readResults } from '../../harness/files/results.ts';
import { version } from '../../harness/machine/own-package.ts';
import { performStudy } from '../../harness/studies/perform-study.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import { run as runStudy } from '../../harness/studies/run/run.ts';
import type { Study } from '../../harness/studies/study.ts';
import { app } from '../app.ts';
import { chooseEngine, probesFor } from '../choose-engine.ts';
import { makeProvider, resolveProvider } from '../choose-provider.ts';
import { beginRun, untilInterrupted } from '../command-life.ts';
import { installFor } from '../install-missing.ts';
import { exitCodes, type Output, printError } from '../output/streams.ts';
import { progressDisplay } from '../progress.ts';
import { type Inputs, readInputs } from '../read-inputs.ts';
import { type RunOptions, readRunOptions, type TypedRunOptions } from '../run-options.ts';
import { concludeWithReport } from './report.ts';

/** Measures tiers, writes the results folder and its report. Resolves with the exit code of the verdicts. */
export async function run(typed: TypedRunOptions, output: Output): Promise<number> {
  const options = readRunOptions(typed);
  return conductStudy(runStudy, options.question, options, output);
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
  return conductStudy(chosen, question, options, output);
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

/** Reads the files, chooses engine and provider, has the study performed, and reports whatever was measured. */
async function conductStudy<Question, Answer>(
  study: Study<Question, Answer>,
  question: Question,
  options: RunOptions,
  output: Output,
): Promise<number> {
  const { tiers, targets, scenarios, names, usersOfFile, mix } = await readInputs(options);
  using interrupt = untilInterrupted();
  using progress = progressDisplay(output, options.quiet);
  const say = (text: string) => progress.show({ kind: 'message', text });
  const { signal } = interrupt;
  const settings = { ...options.settings, ...(mix !== undefined && { mix }) };

  await using run = await beginRun(say);
  const folder = absoluteFolder(options.out ?? join('results', run.id));
  await using cleanUp = new AsyncDisposableStack();
  const engine = await chooseEngine(settings.engine, {
    workers: settings.workers,
    folder: join(folder, 'k6'),
    temporaryFolder: run.folder,
    k6Path: options.k6Path,
    environment: run.environment,
    signal,
    note: say,
    cleanUp,
  });
  const { name, why } = await resolveProvider(settings.provider);
  if (why !== undefined) progress.show({ kind: 'note', note: why });
  if (options.installMissing && name === 'local') await installFor(tiers, say);
  const conducted = await performStudy({
    study,
    question,
    names,
    subjects: tiers.map((tier) => ({ id: tier.name, tier, app })),
    data: options.data,
    users: usersOfFile,
    scenarios: await withMixedFile(scenarios, mix, run.folder),
    targets,
    settings,
    engine,
    isExternal: name === 'url',
    makeProvider: (systemCpus) => makeProvider(name, options, run, systemCpus),
    probesFor,
    runId: run.id,
    folder,
    version: version(),
    // Tests of the command line go without, and so say the facts: it takes longer than most of what they look at.
    calibrates: process.env.TIERBENCH_TEST_CALIBRATION !== 'none',
    emit: progress.show,
    signal,
  });
  progress[Symbol.dispose]();
  const failure = conducted.failure ?? interrupt.failure;
  // Whatever ended the run, what was measured is reported.
  const verdict = await concludeWithReport(await readResults(folder, studiesByName), folder, options, output);
  if (failure !== undefined) {
    printError(failure, output);
    return exitCodes.couldNotRun;
  }
  if (signal.aborted) {
    output.err('interrupted: what was measured until then is kept');
    return exitCodes.couldNotRun;
  }
  return verdict;
}

/** An engine that runs scenarios elsewhere reads the weights from a file as well. */
async function withMixedFile(
  scenarios: Inputs['scenarios'],
  mix: Inputs['mix'],
  folder: string,
): Promise<Inputs['scenarios']> {
  const mixed = scenarios.get('mixed');
  if (mixed === undefined || mix === undefined || isDefaultMix(mix)) return scenarios;
  return new Map([...scenarios, ['mixed', { ...mixed, file: await writeMixedScenario(folder, mix) }]]);
}
