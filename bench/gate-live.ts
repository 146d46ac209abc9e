import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GateAnswer, GateMetric } from '../harness/core/gate.ts';
import { readResults } from '../harness/files/results.ts';
import { judgeTrial } from '../harness/judging/judge-trial.ts';
import { pairedMetrics } from '../harness/judging/paired-metrics.ts';
import { median } from '../harness/statistics/sums.ts';
import { studiesByName } from '../harness/studies/registry.ts';
import { nameOf } from '../reports/documents/gate.ts';

/** Real gates of the reference app: the command as a person types it, against copies of the app with one change each. */

const root = join(import.meta.dirname, '..');

interface AppChange {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly scenario?: string;
  /** What a gate should say. */
  readonly expected: GateAnswer['verdict'];
}

const LIST = "const { page, limit, status, priority, search = '', sort } = request.query;";
const spin = (milliseconds: number) =>
  `${LIST}\n      for (const until = performance.now() + ${milliseconds}; performance.now() < until; );`;

const realChanges: readonly AppChange[] = [
  {
    name: 'index of the tasks list dropped',
    file: 'migrations/002_tasks.sql',
    from: 'create index tasks_user_id_created_at',
    to: 'create index tasks_created_at_only on tasks (created_at);\n-- create index tasks_user_id_created_at',
    expected: 'slower',
  },
  {
    name: 'bcrypt cost 11',
    file: 'seed.ts',
    from: 'bcryptCost: wholeNumber(cost)',
    to: 'bcryptCost: wholeNumber(cost) + 1',
    scenario: 'login',
    expected: 'slower',
  },
  {
    name: 'an extra query in the tasks list',
    file: 'repositories/tasks.ts',
    from: 'const { rows } = await from.query<{ total: number }',
    to: "await from.query<{ count: string }>({ text: 'select count(*) from tasks where user_id = $1', values: [userId] });\n        const { rows } = await from.query<{ total: number }",
    expected: 'slower',
  },
  {
    name: '2 ms of synchronous work in the tasks list',
    file: 'routes/tasks.ts',
    from: LIST,
    to: spin(2),
    expected: 'slower',
  },
  {
    name: 'a harmless change',
    file: 'routes/tasks.ts',
    from: LIST,
    to: `${LIST}\n      const unused = 1 + 1;\n      if (unused === 3) throw new Error('impossible');`,
    expected: 'not-slower',
  },
];

export async function regressions({ minutes, only }: { readonly minutes: string; readonly only: string | undefined }) {
  console.log('| Change | Verdict | Pairs | Named |\n| --- | --- | --- | --- |');
  for (const change of realChanges) {
    if (only !== undefined && !change.name.includes(only)) continue;
    const words = ['--scenario', change.scenario ?? 'crud', '--minutes', minutes];
    const answer = await gateOf(change, words);
    console.log(`| ${[change.name, ...described(answer)].join(' | ')} |`);
  }
}

/** Delay by a timer takes no CPU; work in a loop does. The list of tasks takes about 3 ms, and one request in six asks for it. */
const liveChanges: readonly (AppChange | null)[] = [
  null,
  {
    name: 'delay of one request in twelve',
    file: 'routes/tasks.ts',
    from: LIST,
    to: `${LIST}\n      if (Math.random() < 0.5) await new Promise((resolve) => setTimeout(resolve, 5));`,
    expected: 'slower',
  },
  null,
  { name: 'CPU in the tasks list', file: 'routes/tasks.ts', from: LIST, to: spin(1), expected: 'slower' },
];

/** So many gates in turns: the same code, a delay, the same code, CPU. */
export async function liveGates(gates: number, hasNeighbour: boolean): Promise<void> {
  console.log(`| Change | Verdict | Pairs | Named |\n| --- | --- | --- | --- |`);
  const neighbour = hasNeighbour ? spawn(process.execPath, ['-e', NEIGHBOUR], { stdio: 'ignore' }) : undefined;
  try {
    for (let gate = 0; gate < gates; gate += 1) {
      const change = liveChanges[gate % liveChanges.length] ?? null;
      const words = ['--duration', '3', '--warm-up', '1', '--minutes', '6', '--seed', String(gate + 1)];
      console.log(`| ${[change?.name ?? 'none', ...described(await gateOf(change, words))].join(' | ')} |`);
    }
  } finally {
    neighbour?.kill();
  }
}

/** Busy for up to 3 s, idle for up to 3 s. */
const NEIGHBOUR = `
const turn = () => { const end = Date.now() + 3000 * Math.random(); while (Date.now() < end); setTimeout(turn, 3000 * Math.random()); };
turn();`;

/** The reference app as it is against a copy of it with the change, or with none. */
async function gateOf(change: AppChange | null, words: readonly string[]): Promise<GateAnswer | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-bench-gate-'));
  try {
    const head = join(folder, 'head');
    await copyApp(head);
    if (change !== null) await edit(join(head, change.file), change);
    const out = join(folder, 'out');
    const app = join(root, 'reference-app');
    const all = ['--base', app, '--head', head, '--provider', 'local', '--quiet', '--out', out, ...words];
    const child = spawn(process.execPath, [join(root, 'cli/tierbench.js'), 'gate', ...all], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await once(child, 'close');
    const answers: readonly GateAnswer[] = JSON.parse(
      await readFile(join(out, 'answer.json'), 'utf8').catch(() => '[]'),
    );
    return answers[0];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copyApp(folder: string): Promise<void> {
  const app = join(root, 'reference-app');
  await mkdir(folder);
  for (const name of await readdir(app)) {
    if (name !== 'node_modules' && name !== 'test') await cp(join(app, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
}

async function edit(file: string, { from, to, name }: AppChange): Promise<void> {
  const text = await readFile(file, 'utf8');
  if (!text.includes(from)) throw new Error(`${name}: ${file} has no such place`);
  await writeFile(
    file,
    text.replace(from, () => to),
  );
}

const MOST_NAMED = 4;

function described(answer: GateAnswer | undefined): readonly string[] {
  if (answer === undefined) return ['no answer', '', ''];
  const slower = answer.metrics.filter(({ kind }) => kind === 'slower');
  const named = slower
    .toSorted((one, other) => other.ratio.value - one.ratio.value)
    .map(({ metric, ratio }) => `${nameOf(metric)} +${(100 * (ratio.value - 1)).toFixed(0)} %`);
  const more = named.length > MOST_NAMED ? `, ${named.length - MOST_NAMED} more` : '';
  const cpu = slower.flatMap(({ metric }, index) => (metric.kind === 'cpu' ? [named[index] ?? ''] : []));
  const shown = [...new Set([...named.slice(0, MOST_NAMED), ...cpu.slice(0, 0)])];
  return [answer.verdict, String(answer.pairs), `${shown.join(', ')}${more}`];
}

/** The trials of pairs of a gate of the same code, each metric over its median, as the fixture of the simulation. */
export async function recordTrials(folder: string): Promise<void> {
  const { trials, facts } = await readResults(folder, studiesByName);
  const own = trials.filter(({ purpose }) => purpose === 'measure');
  const read = own.flatMap((record) => {
    const values = pairedMetrics(judgeTrial(record, facts.calibration));
    return values === undefined ? [] : [values];
  });
  const key = (metric: GateMetric): string => JSON.stringify(metric);
  const has = (values: (typeof read)[number], metric: GateMetric) =>
    values.some((each) => key(each.metric) === key(metric));
  // Where a machine is busy some trials have too few requests for a percentile.
  const metrics = [
    ...new Map(read.flatMap((values) => values.map(({ metric }) => [key(metric), metric]))).values(),
  ].filter((metric) => read.filter((values) => has(values, metric)).length >= 0.8 * read.length);
  const whole = read.filter((values) => metrics.every((metric) => has(values, metric)));
  const costs = whole.map((values) =>
    metrics.map((metric) => Math.log(values.find((each) => key(each.metric) === key(metric))?.cost ?? 1)),
  );
  const middle = metrics.map((_, index) => median(costs.map((each) => each[index] ?? 0)) ?? 0);
  const off = costs.map((each) => each.map((cost, index) => Number((cost - (middle[index] ?? 0)).toFixed(4))));
  const file = join(import.meta.dirname, 'fixtures/gate-trials.json');
  await mkdir(join(import.meta.dirname, 'fixtures'), { recursive: true });
  await writeFile(file, `${JSON.stringify({ pairS: 19, metrics, trials: off })}\n`);
  console.log(`${file}: ${off.length} trials of ${metrics.length} metrics`);
}
