import { performance } from 'node:perf_hooks';
import { exactly } from '../harness/core/plan.ts';
import { isRun } from '../harness/core/run.ts';
import { absoluteFolder } from '../harness/files/atomic-write.ts';
import { readResults } from '../harness/files/results.ts';
import { workloadFrom } from '../harness/files/workload-file.ts';
import { drawWorlds } from '../harness/models/monte-carlo.ts';
import { inputsOf, planInWorlds } from '../harness/models/plan-worlds.ts';
import { seededRandom } from '../harness/statistics/block-bootstrap.ts';
import { median } from '../harness/statistics/sums.ts';
import { studiesByName } from '../harness/studies/registry.ts';
import { analyse } from '../reports/analysis.ts';
import { planCapacity } from '../reports/plan-choice.ts';
import { commandLine, machineLine } from './machine-line.ts';

/**
 * How long a plan takes from a stored result: reading and judging its trials, planning its tiers, and 10,000 worlds of one.
 * The median of several times, in one process.
 *
 *   npm run bench:plan -- results/RUN [scenario]
 */
const [folder, typed] = process.argv.slice(2);
if (folder === undefined) throw new Error('name a folder that `tierbench run` made: npm run bench:plan -- results/RUN');
const TIMES = 5;
const WORLDS = 10_000;

async function timed<Result>(make: () => Result | Promise<Result>): Promise<{ result: Result; ms: number }> {
  const times: number[] = [];
  let last: Result | undefined;
  for (let time = 0; time < TIMES; time += 1) {
    const start = performance.now();
    last = await make();
    times.push(performance.now() - start);
  }
  return { result: last as Result, ms: median(times) ?? 0 };
}

const read = await timed(() => readResults(absoluteFolder(folder), studiesByName));
const record = read.result;
if (!isRun(record)) throw new Error(`${folder} holds results of the study ${record.study}`);
const analysed = await timed(() => analyse(record));
const scenario = typed ?? record.question.scenarios[0] ?? '';
const question = {
  workload: workloadFrom({ amount: { kind: 'daily-users', value: exactly(100_000) } }),
  scenario,
  prices: null,
};
const planned = await timed(() => planCapacity(analysed.result, question));
const tiers = planned.result.tiers.flatMap(({ outcome }) => (outcome.kind === 'planned' ? [outcome] : []));
const [first] = tiers;
if (first === undefined) throw new Error(`${folder} has no tier that can be planned for ${scenario}`);
const instances = first.plan.services.map((service) => service.instances);
const worlds = await timed(() =>
  planInWorlds(first.model, instances, drawWorlds(inputsOf(first.model), WORLDS, seededRandom(1))),
);

const row = (what: string, ms: number) => `| ${what} | ${Math.round(ms)} ms |`;
console.log(`${machineLine(commandLine('bench:plan'), [], 'In one process')}

| part | time |
| --- | ---: |
${row(`reading ${record.trials.length} trials`, read.ms)}
${row('judging them', analysed.ms)}
${row(`planning ${tiers.length} tiers, with worlds, other loads and regret`, planned.ms)}
${row(`${WORLDS} worlds of one tier`, worlds.ms)}`);
