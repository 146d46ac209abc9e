import { suggestion } from '../../harness/core/closest-match.ts';
import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import { isRun } from '../../harness/core/run.ts';
import { absoluteFolder } from '../../harness/files/atomic-write.ts';
import { readResults } from '../../harness/files/results.ts';
import type { Range } from '../../harness/models/capacity-plan.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import { type Analysis, analyse } from '../../reports/analysis.ts';
import { planDocument, planReport } from '../../reports/documents/plan.ts';
import { type PlanQuestion, planTiers, suffices, type Wanted } from '../../reports/plan.ts';
import { exitCodes, type Output } from '../output/streams.ts';
import { typedReader } from '../typed-reader.ts';
import { printDocument } from './report.ts';

export interface TypedPlanOptions {
  readonly users?: string;
  readonly rate?: string;
  readonly concurrent?: string;
  readonly scenario?: string;
  readonly sessions?: string;
  readonly requests?: string;
  readonly peakFactor?: string;
  readonly think?: string;
  readonly growth?: string;
  readonly headroom?: string;
  readonly failures?: string;
  readonly cpuFactor?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/**
 * Plans each tier of a run for a load. 0 where one carries it, 2 where none does, 3 where none has what a plan needs.
 */
export async function plan(folder: string, typed: TypedPlanOptions, output: Output): Promise<number> {
  const options = readPlanOptions(typed);
  const record = await readResults(absoluteFolder(folder), studiesByName);
  if (!isRun(record)) {
    throw new TierbenchError(
      'OPTIONS_INVALID',
      `${folder} holds results of the study ${record.study}`,
      'Name a folder that `tierbench run` made.',
    );
  }
  const analysis = analyse(record);
  const question: PlanQuestion = { ...options, scenario: scenarioOf(analysis, typed.scenario) };
  const tiers = planTiers(analysis, question);
  const { runId, startedAt } = record.facts;
  const source = { runId, startedAt };
  const json = planReport(tiers, question, source);
  await printDocument(
    { document: planDocument(tiers, question, source), json: () => json, verdict: null },
    typed,
    output,
  );
  if (tiers.some(suffices)) return exitCodes.met;
  return tiers.some(({ outcome }) => outcome.kind === 'planned') ? exitCodes.missed : exitCodes.inconclusive;
}

/** Everyday traffic where it was measured. */
const usualScenario = 'mixed';

function scenarioOf({ tiers }: Analysis, typed: string | undefined): string {
  const names = [...new Set(tiers.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)))];
  const chosen = typed ?? (names.includes(usualScenario) ? usualScenario : names[0]);
  if (chosen !== undefined && names.includes(chosen)) return chosen;
  throw new TierbenchError(
    'OPTIONS_INVALID',
    chosen === undefined ? 'the run measured no scenario' : `the run did not measure the scenario '${chosen}'`,
    chosen === undefined ? 'Name the results of a run that measured one.' : suggestion(chosen, names),
  );
}

function readPlanOptions(typed: TypedPlanOptions): Omit<PlanQuestion, 'scenario'> {
  const problems: Problem[] = [];
  const read = typedReader(problems);
  const most = { from: 1e-6, to: 1e12 };
  const given = [typed.users, typed.rate, typed.concurrent].filter((each) => each !== undefined);
  if (given.length !== 1) {
    problems.push({
      what: `${given.length === 0 ? 'none' : 'more than one'} of --users, --rate and --concurrent is given`,
      nextStep: 'give one: --users 1000000',
    });
  }
  const wanted: Wanted =
    typed.concurrent !== undefined
      ? { kind: 'concurrent', users: read.number('--concurrent', typed.concurrent, 1, most) }
      : typed.rate !== undefined
        ? { kind: 'rate', peakPerS: read.number('--rate', typed.rate, 1, most) }
        : {
            kind: 'users',
            dailyUsers: read.number('--users', typed.users, 1, most),
            sessionsPerUser: read.number('--sessions', typed.sessions, 3, { from: 1e-3, to: 1000 }),
            requestsPerSession: read.number('--requests', typed.requests, 20, { from: 1e-3, to: 1e6 }),
            peakFactor: read.number('--peak-factor', typed.peakFactor, 3, { from: 1, to: 1000 }),
          };
  const options = {
    wanted,
    thinkS: read.seconds('--think', typed.think, 5, { from: 0, to: 86_400 }),
    growthRatio: read.percent('--growth', typed.growth, 0, { from: 0, to: 10_000 }),
    headroomRatio: 1 - read.percent('--headroom', typed.headroom, 0.2, { from: 0, to: 90 }),
    failures: read.number('--failures', typed.failures, 1, { from: 0, to: 100, whole: true }),
    cpuFactor: rangeOf(typed.cpuFactor ?? '1', problems),
  };
  if (problems.length > 0) {
    throw new TierbenchError('OPTIONS_INVALID', 'options cannot be used', 'Fix what is listed.', { problems });
  }
  return options;
}

/** `2`, or `1.5..3` */
function rangeOf(text: string, problems: Problem[]): Range {
  const [low, high = low, ...more] = text.split('..').map((each) => Number(each.trim() || Number.NaN));
  if (low !== undefined && high !== undefined && more.length === 0 && low >= 0.01 && high >= low && high <= 100) {
    return { low, high };
  }
  problems.push({
    what: `--cpu-factor must be a number from 0.01 to 100 or two with .. between them, but is '${text}'`,
    nextStep: 'write for example 1.5..3',
  });
  return { low: 1, high: 1 };
}
