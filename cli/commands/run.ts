import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import type { RunFacts } from '../../harness/core/run.ts';
import type { Target } from '../../harness/core/target.ts';
import type { Tier } from '../../harness/core/tier.ts';
import { builtInScenarios, loadScenario } from '../../harness/engines/load-scenario.ts';
import { cannotThink } from '../../harness/engines/think-times.ts';
import { createResults, readResults } from '../../harness/files/results.ts';
import { readTargets } from '../../harness/files/target-file.ts';
import { readTier } from '../../harness/files/tier-file.ts';
import { readUsers } from '../../harness/files/users-file.ts';
import { currentCommit } from '../../harness/machine/current-commit.ts';
import { machineFacts } from '../../harness/machine/facts.ts';
import { externalTier } from '../../harness/providers/url.ts';
import { run as runStudy } from '../../harness/studies/run.ts';
import { isSteadyThroughput } from '../../harness/studies/steadiness.ts';
import { describeTrial } from '../../reports/trial-line.ts';
import type { Scenario, User } from '../../scenarios/kit.ts';
import { beginRun } from '../begin-run.ts';
import { concludeWithReport } from '../conclude-with-report.ts';
import { exitCodes } from '../exit-codes.ts';
import { untilInterrupted } from '../interrupt.ts';
import { type Output, printError } from '../output.ts';
import { chooseEngine, chooseProvider, probesFor } from '../parts.ts';
import { progressDisplay } from '../progress.ts';
import { type RunOptions, readRunOptions, type TypedRunOptions } from '../run-options.ts';
import { version } from '../version.ts';

/** Measures tiers, writes the results folder and its report. Resolves with the exit code of the verdicts. */
export async function run(typed: TypedRunOptions, output: Output): Promise<number> {
  const options = readRunOptions(typed);
  const { tiers, targets, scenarios, usersOfFile } = await readInputs(options);
  const engine = await chooseEngine(options.settings.engine);
  const thinking = [...scenarios.values()].find(({ thinks }) => thinks === true);
  if (thinking !== undefined && !engine.canThink && !options.settings.skipThinkTimes) {
    throw cannotThink(engine.name, thinking.name);
  }
  using interrupt = untilInterrupted();
  using progress = progressDisplay(output, options.quiet);
  const note = (text: string) => progress.show({ kind: 'note', text });

  await using run = await beginRun(note);
  const settings = { ...options.settings, scenarios: [...scenarios.keys()] };
  const facts: RunFacts = {
    schemaVersion: 1,
    runId: run.id,
    startedAt: new Date().toISOString(),
    tierbench: { version: version(), commit: await currentCommit() },
    machine: machineFacts(),
    placement: null,
    settings,
    tiers: [],
  };
  const password = randomBytes(15).toString('base64url');
  const users = usersOfFile ?? seededUsers(options.data.users, password);
  const folder = options.out ?? join('results', run.id);
  const results = await createResults(folder, facts, targets, [...new Set(users.map((user) => user.password))]);

  let failure: unknown;
  try {
    await runStudy(tiers, facts, {
      engine,
      provider: await chooseProvider(options, run),
      scenarios,
      users,
      ...(options.url === undefined && { data: { size: options.data, password } }),
      probesFor,
      isSteady: isSteadyThroughput,
      describeTrial,
      notes: [],
      results,
      emit: progress.show,
      signal: interrupt.signal,
    });
  } catch (error) {
    failure = error;
  }
  progress[Symbol.dispose]();
  // Whatever ended the run, what was measured is reported.
  const verdict = await concludeWithReport(await readResults(folder), folder, options, output);
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

interface Inputs {
  readonly tiers: readonly Tier[];
  readonly targets: readonly Target[];
  readonly scenarios: ReadonlyMap<string, Scenario>;
  readonly usersOfFile: readonly User[] | undefined;
}

/** Reads every file the run needs before anything starts. @throws TierbenchError with the problems of all of them. */
async function readInputs(options: RunOptions): Promise<Inputs> {
  const failures: TierbenchError[] = [];
  const attempt = async <T>(reading: Promise<T>): Promise<T | undefined> => {
    try {
      return await reading;
    } catch (error) {
      if (!(error instanceof TierbenchError)) throw error;
      failures.push(error);
      return undefined;
    }
  };
  const tiers =
    options.url === undefined
      ? await Promise.all(options.tiers.map((name) => attempt(readTier(name))))
      : [externalTier];
  const loaded = await Promise.all(options.settings.scenarios.map((name) => attempt(loadScenario(name))));
  const scenarios = loaded.filter((scenario) => scenario !== undefined);
  const targets = await attempt(
    readTargets(options.targetsFile === undefined ? undefined : [options.targetsFile], {
      scenarios: [...builtInScenarios(), ...scenarios.map(({ name }) => name)],
      tiers: tiers.filter((tier) => tier !== undefined).map(({ name }) => name),
    }),
  );
  const usersOfFile = options.usersFile === undefined ? undefined : await attempt(readUsers(options.usersFile));
  const highest = options.settings.ladder.at(-1) ?? 1;
  if (usersOfFile !== undefined && usersOfFile.length < highest) {
    failures.push(
      new TierbenchError(
        'TOO_FEW_USERS',
        `${options.usersFile} has ${usersOfFile.length} users, but the highest concurrency is ${highest}`,
        'No two virtual users share a user: add users or lower --concurrency.',
      ),
    );
  }
  const [first, ...others] = failures;
  if (first !== undefined && others.length === 0) throw first;
  if (first !== undefined || targets === undefined) throw allOf(failures);
  return {
    tiers: tiers.filter((tier) => tier !== undefined),
    targets,
    scenarios: new Map(scenarios.map((scenario) => [scenario.name, scenario])),
    usersOfFile,
  };
}

function allOf(failures: readonly TierbenchError[]): TierbenchError {
  const problems = failures.flatMap(({ code, message, nextStep, problems: inner }): Problem[] => [
    { what: `${code}: ${message}`, nextStep },
    ...inner,
  ]);
  return new TierbenchError('INPUTS_INVALID', `${failures.length} inputs are wrong`, 'Mend what is named above.', {
    problems,
  });
}

/** The users that seeding makes (reference-app/seed.ts). A server that is not ours may know none of them. */
function seededUsers(count: number, password: string): User[] {
  return Array.from({ length: count }, (_, index) => ({ index, email: `user-${index + 1}@bench.example`, password }));
}
