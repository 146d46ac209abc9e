import { join } from 'node:path';
import type { Subject } from '../harness/core/app.ts';
import type { Tier } from '../harness/core/tier.ts';
import { absoluteFolder } from '../harness/files/atomic-write.ts';
import { isDefaultMix, writeMixedScenario } from '../harness/files/mix-file.ts';
import { readResults } from '../harness/files/results.ts';
import { version } from '../harness/machine/own-package.ts';
import { performStudy } from '../harness/studies/perform-study.ts';
import { studiesByName } from '../harness/studies/registry.ts';
import type { Study } from '../harness/studies/study.ts';
import { app } from './app.ts';
import { chooseEngine, probesFor } from './choose-engine.ts';
import { makeProvider, resolveProvider } from './choose-provider.ts';
import { beginRun, untilInterrupted } from './command-life.ts';
import { concludeWithReport } from './commands/report.ts';
import { installFor } from './install-missing.ts';
import { exitCodes, type Output, printError } from './output/streams.ts';
import type { PipelineOutputs } from './pipeline-outputs.ts';
import { progressDisplay } from './progress.ts';
import { type Inputs, readInputs } from './read-inputs.ts';
import type { RunOptions } from './run-options.ts';

/** What is done before a study, while its progress is shown. */
export interface Preparation {
  /** A folder that is removed when the command ends. */
  readonly folder: string;
  readonly signal: AbortSignal;
  say(text: string): void;
}

/**
 * Reads the files, chooses engine and provider, has the study performed, and reports whatever was measured. Unless
 * `subjectsOf` says more, the subjects are the tiers with the app of tierbench.
 */
export async function conductStudy<Question, Answer>(
  study: Study<Question, Answer>,
  question: Question,
  options: RunOptions,
  output: Output,
  subjectsOf?: (tiers: readonly Tier[], preparation: Preparation) => Promise<readonly Subject[]>,
  outputs: PipelineOutputs | null = null,
): Promise<number> {
  const { tiers, variants, targets, scenarios, names, usersOfFile, mix } = await readInputs(options);
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
  const preparation = { folder: run.folder, signal, say };
  const subjects =
    subjectsOf === undefined ? variants.map((each) => ({ ...each, app })) : await subjectsOf(tiers, preparation);
  const conducted = await performStudy({
    study,
    question,
    names,
    subjects,
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
  const verdict = await concludeWithReport(await readResults(folder, studiesByName), folder, options, output, outputs);
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
