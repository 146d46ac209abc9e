import { suggestion } from '../../harness/core/closest-match.ts';
import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import { type Assumptions, exactly } from '../../harness/core/plan.ts';
import { isRun } from '../../harness/core/run.ts';
import { absoluteFolder } from '../../harness/files/atomic-write.ts';
import { readPrices } from '../../harness/files/price-file.ts';
import { readResults } from '../../harness/files/results.ts';
import { readWorkload, type TypedWorkload, workloadFrom } from '../../harness/files/workload-file.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import { type Analysis, analyse } from '../../reports/analysis.ts';
import { planDocument, planReport } from '../../reports/documents/plan.ts';
import type { PlanQuestion } from '../../reports/plan.ts';
import { planCapacity } from '../../reports/plan-choice.ts';
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
  readonly largestInstance?: string;
  readonly cpuFactor?: string;
  readonly workload?: string;
  readonly prices?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/**
 * Plans each tier of a run for a load. 0 where one carries it, 2 where none does, 3 where none has what a plan needs.
 */
export async function plan(folder: string, typed: TypedPlanOptions, output: Output): Promise<number> {
  const { workload, prices } = await readPlanOptions(typed);
  const analysis = await readAnalysis(folder);
  const question: PlanQuestion = { workload, prices, scenario: scenarioOf(analysis, workload.scenario) };
  const planned = planCapacity(analysis, question);
  await printDocument(
    {
      document: planDocument(planned, analysis, question, commandOf(folder, typed)),
      json: () => planReport(planned, analysis, question),
      verdict: null,
    },
    typed,
    output,
  );
  if (planned.first !== null) return exitCodes.met;
  return planned.tiers.some(({ outcome }) => outcome.kind === 'planned') ? exitCodes.missed : exitCodes.inconclusive;
}

/** @throws TierbenchError OPTIONS_INVALID for the results of another study, and as `readResults` */
export async function readAnalysis(folder: string): Promise<Analysis> {
  const record = await readResults(absoluteFolder(folder), studiesByName);
  if (isRun(record)) return analyse(record);
  throw new TierbenchError(
    'OPTIONS_INVALID',
    `${folder} holds results of the study ${record.study}`,
    'Name a folder that `tierbench run` made.',
  );
}

/** As it was typed, without where the report goes. */
function commandOf(folder: string, { out: _out, json: _json, ...typed }: TypedPlanOptions): string {
  const options = Object.entries(typed).map(([name, value]) => {
    const option = name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
    return `--${option} ${/\s/u.test(value) ? `'${value}'` : value}`;
  });
  return ['tierbench plan', folder, ...options].join(' ');
}

/** Everyday traffic where it was measured. */
const usualScenario = 'mixed';

export function scenarioOf({ tiers }: Analysis, wanted: string | null): string {
  const names = [...new Set(tiers.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)))];
  const chosen = wanted ?? (names.includes(usualScenario) ? usualScenario : names[0]);
  if (chosen !== undefined && names.includes(chosen)) return chosen;
  throw new TierbenchError(
    'OPTIONS_INVALID',
    chosen === undefined ? 'the run measured no scenario' : `the run did not measure the scenario '${chosen}'`,
    chosen === undefined ? 'Name the results of a run that measured one.' : suggestion(chosen, names),
  );
}

/** What was typed, over what the workload file says. */
async function readPlanOptions(typed: TypedPlanOptions): Promise<Pick<PlanQuestion, 'workload' | 'prices'>> {
  const problems: Problem[] = [];
  const read = typedReader(problems);
  const most = { from: 1e-6, to: 1e12 };
  const amounts = [
    ['daily-users', read.range('--users', typed.users, most)],
    ['peak-rate', read.range('--rate', typed.rate, most)],
    ['concurrent-users', read.range('--concurrent', typed.concurrent, most)],
  ] as const;
  const given = [typed.users, typed.rate, typed.concurrent].filter((each) => each !== undefined);
  if (given.length > 1 || (given.length === 0 && typed.workload === undefined)) {
    problems.push({
      what: `${given.length === 0 ? 'none' : 'more than one'} of --users, --rate and --concurrent is given`,
      nextStep: 'give one: --users 1000000; or a file: --workload workload.yaml',
    });
  }
  const ranges = {
    sessionsPerUser: read.range('--sessions', typed.sessions, { from: 1e-3, to: 1000 }),
    requestsPerSession: read.range('--requests', typed.requests, { from: 1e-3, to: 1e6 }),
    peakFactor: read.range('--peak-factor', typed.peakFactor, { from: 1, to: 1000 }),
    thinkS: read.range('--think', typed.think, { from: 0, to: 86_400 }, 's'),
    growthRatio: read.range('--growth', typed.growth, { from: 0, to: 10_000 }, '%'),
    cpuFactor: read.range('--cpu-factor', typed.cpuFactor, { from: 0.01, to: 100 }),
  };
  const headroom = read.percent('--headroom', typed.headroom, 0, { from: 0, to: 90 });
  const failures = read.number('--failures', typed.failures, 1, { from: 0, to: 100, whole: true });
  const largestCpus = read.number('--largest-instance', typed.largestInstance, 1, { from: 0.1, to: 1024 });
  if (problems.length > 0) {
    throw new TierbenchError('OPTIONS_INVALID', 'options cannot be used', 'Fix what is listed.', { problems });
  }
  const prices = typed.prices === undefined ? null : await readPrices(typed.prices);
  const [kind, value] = amounts.find(([, range]) => range !== undefined) ?? [];
  const amount = kind === undefined || value === undefined ? undefined : { kind, value };
  const said: TypedWorkload = {
    ...(Object.fromEntries(Object.entries(ranges).filter(([, range]) => range !== undefined)) as Partial<Assumptions>),
    ...(typed.headroom !== undefined && { headroomRatio: 1 - headroom }),
    ...(typed.failures !== undefined && { failures }),
    ...(typed.largestInstance !== undefined && { largestCpus }),
    ...(typed.scenario !== undefined && { scenario: typed.scenario }),
    ...(amount !== undefined && { amount }),
  };
  if (typed.workload !== undefined) return { workload: await readWorkload(typed.workload, said), prices };
  return { workload: workloadFrom({ ...said, amount: amount ?? { kind: 'peak-rate', value: exactly(1) } }), prices };
}
