import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LatencyHistogram, mergeHistograms } from '../harness/histograms/latency-histogram.ts';

/** What every version of tierbench keeps of a trial: the fields that a comparison of versions needs. */
interface StoredTrial {
  readonly purpose: string;
  readonly trial: {
    readonly plan: { readonly load: { readonly model: string; readonly arrivalRatePerS?: number } };
    readonly measuredS: number;
    readonly iterations: { readonly intended: number; readonly dropped: number };
    readonly steps: readonly {
      readonly name: string;
      readonly outcomes: Readonly<Record<string, number>>;
      readonly latency: string;
    }[];
  };
}

export interface AgainstOptions {
  /** A commit, tag or branch: the version to compare this one with. */
  readonly ref: string;
  readonly rounds: number;
  readonly durationS: number;
  readonly ratesPerS: readonly number[];
  readonly signal: AbortSignal;
  readonly say: (what: string) => void;
}

const root = join(import.meta.dirname, '..');

/**
 * Measures the tier `single` with this version and an older one in turns: the same seed, scenario and rates, each by its own
 * `tierbench run`. Gives a Markdown table of the requests sent for each step, throughput, p50 and p95 side by side.
 */
export async function compareVersions(options: AgainstOptions): Promise<string> {
  const { ref, rounds, signal, say } = options;
  await using open = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-against-'));
  open.defer(() => rm(folder, { recursive: true, force: true }));
  const older = join(folder, 'older');
  git('worktree', 'add', '--detach', older, ref);
  open.defer(() => void git('worktree', 'remove', '--force', older));
  await symlink(join(root, 'node_modules'), join(older, 'node_modules'));

  const versions = { older, newer: root };
  const trials: Record<keyof typeof versions, StoredTrial[]> = { older: [], newer: [] };
  for (let round = 1; round <= rounds; round += 1) {
    const order = round % 2 === 1 ? (['older', 'newer'] as const) : (['newer', 'older'] as const);
    for (const version of order) {
      say(`round ${round} of ${rounds}: ${version === 'older' ? ref : 'this version'}`);
      const results = join(folder, `${version}-${round}`);
      await run(versions[version], results, round, options);
      signal.throwIfAborted();
      trials[version].push(...(await measuredTrials(results)));
    }
  }
  return table(trials.older, trials.newer, ref);
}

async function run(source: string, results: string, seed: number, options: AgainstOptions): Promise<void> {
  const { ratesPerS, durationS, signal } = options;
  const words = ['run', '--tier', 'single', '--provider', 'local', '--scenario', 'crud', '--arrivals', 'constant'];
  const numbers = ['--rate', ratesPerS.join(','), '--duration', String(durationS), '--seed', String(seed)];
  const data = ['--user-count', '200', '--tasks-per-user', '20'];
  const rest = ['--out', results, '--allow-missed', '--quiet'];
  const command = [join(source, 'cli/tierbench.js'), ...words, ...numbers, ...data, ...rest];
  const child = spawn(process.execPath, command, { cwd: source, stdio: ['ignore', 'ignore', 'pipe'] });
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (exitCode !== 0) throw new Error(`tierbench of ${source} ended with exit code ${exitCode}: ${said.slice(-2000)}`);
}

async function measuredTrials(results: string): Promise<readonly StoredTrial[]> {
  const folder = join(results, 'trials');
  const files = (await readdir(folder)).toSorted();
  const stored = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as StoredTrial),
  );
  return stored.filter(({ purpose, trial }) => purpose === 'measure' && trial.plan.load.model === 'open');
}

function table(older: readonly StoredTrial[], newer: readonly StoredTrial[], ref: string): string {
  const rates = [...new Set(older.map(({ trial }) => trial.plan.load.arrivalRatePerS ?? 0))].toSorted((a, b) => a - b);
  const rows = rates.flatMap((rate) => {
    const [before, after] = [older, newer].map((all) => figuresOf(all.filter(isAt(rate))));
    if (before === undefined || after === undefined) return [];
    return [...before].map(([what, value]) => {
      const now = after.get(what) ?? Number.NaN;
      return `| ${rate}/s | ${what} | ${shown(value)} | ${shown(now)} | ${(now / value).toFixed(3)} |`;
    });
  });
  return [`| arrivals | what | ${ref} | this version | ratio |`, '| --- | --- | ---: | ---: | ---: |', ...rows].join(
    '\n',
  );
}

const isAt =
  (rate: number) =>
  ({ trial }: StoredTrial): boolean =>
    trial.plan.load.arrivalRatePerS === rate;

/** Of all rounds together: counts are sums, quantiles are of the merged histograms. */
function figuresOf(trials: readonly StoredTrial[]): ReadonlyMap<string, number> {
  const steps = trials.flatMap(({ trial }) => trial.steps);
  const sentByStep = Map.groupBy(steps, ({ name }) => name);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const ended = ({ outcomes }: (typeof steps)[number]): number => sum(Object.values(outcomes));
  const latency = LatencyHistogram.decode(mergeHistograms(steps.map((step) => step.latency)).encode());
  const measuredS = sum(trials.map(({ trial }) => trial.measuredS));
  return new Map([
    ['iterations scheduled', sum(trials.map(({ trial }) => trial.iterations.intended))],
    ['iterations dropped', sum(trials.map(({ trial }) => trial.iterations.dropped))],
    ...[...sentByStep].map(([name, own]): [string, number] => [`requests: ${name}`, sum(own.map(ended))]),
    ['throughput, requests/s', sum(steps.map(({ outcomes }) => outcomes.ok ?? 0)) / measuredS],
    ['p50, ms', latency.quantileS(0.5) * 1000],
    ['p95, ms', latency.quantileS(0.95) * 1000],
  ]);
}

function shown(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(2);
}

function git(...words: readonly string[]): string {
  return execFileSync('git', ['-C', root, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
