import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { RunFacts } from '../../harness/core/run.ts';
import { cannotThink } from '../../harness/engines/think-times.ts';
import { createResults, readResults } from '../../harness/files/results.ts';
import { currentCommit } from '../../harness/machine/current-commit.ts';
import { machineFacts } from '../../harness/machine/facts.ts';
import { run as runStudy } from '../../harness/studies/run.ts';
import { isSteadyThroughput } from '../../harness/studies/steadiness.ts';
import { describeTrial } from '../../reports/trial-line.ts';
import type { User } from '../../scenarios/kit.ts';
import { beginRun } from '../begin-run.ts';
import { concludeWithReport } from '../conclude-with-report.ts';
import { exitCodes } from '../exit-codes.ts';
import { untilInterrupted } from '../interrupt.ts';
import { type Output, printError } from '../output.ts';
import { chooseEngine, chooseProvider, probesFor } from '../parts.ts';
import { progressDisplay } from '../progress.ts';
import { readInputs } from '../read-inputs.ts';
import { readRunOptions, type TypedRunOptions } from '../run-options.ts';
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

/** The users that seeding makes (reference-app/seed.ts). A server that is not ours may know none of them. */
function seededUsers(count: number, password: string): User[] {
  return Array.from({ length: count }, (_, index) => ({ index, email: `user-${index + 1}@bench.example`, password }));
}
