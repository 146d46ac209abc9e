import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { GateMetric } from '../harness/core/gate.ts';
import { gateVerdict, quietestFirst } from '../harness/judging/paired-metrics.ts';
import { judgeChanges, looks, sidesOfPairs } from '../harness/models/paired-change.ts';
import { type Random, seededRandom } from '../harness/statistics/block-bootstrap.ts';
import { variance } from '../harness/statistics/sums.ts';
import { liveGates, recordTrials, regressions } from './gate-live.ts';

/**
 * How often `tierbench gate` is right. Simulated: trials that were really measured (fixtures/gate-trials.json) are drawn
 * again, scaled so that CPU per request differs by a chosen noise between pairs; a model of a shared machine makes each
 * slower or faster, and the head is slower by a known change. The decision is that of the command, look by look.
 *
 *   npm run bench:gate                        tables of docs/gate.md
 *   npm run bench:gate -- --gates 299         fewer, quicker
 *   npm run bench:gate -- --live 10           real gates: the same code, a delay, CPU; --neighbour keeps a CPU busy
 *   npm run bench:gate -- --regressions       real gates of copies of the app, each with one change
 *   npm run bench:gate -- --record FOLDER     makes the fixture from the results folder of a gate
 */
const { values: options } = parseArgs({
  options: {
    gates: { type: 'string', default: '1049' },
    live: { type: 'string' },
    neighbour: { type: 'boolean', default: false },
    regressions: { type: 'boolean', default: false },
    only: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    record: { type: 'string' },
    noise: { type: 'string', default: '3,6,10,14' },
  },
});

/** Of one trial: the logarithm of each metric over its median. */
interface RealTrials {
  readonly metrics: readonly GateMetric[];
  readonly trials: readonly (readonly number[])[];
  /** What a pair took, in seconds. */
  readonly pairS: number;
}

/** How much slower the machine is at each trial of a gate, as a logarithm. */
type Machine = (random: Random) => () => number;

const machines: Readonly<Record<string, Machine>> = {
  'AR(1), 0.8': (random) => {
    let state = 0.1 * normal(random);
    return () => {
      state = 0.8 * state + 0.06 * normal(random);
      return state;
    };
  },
  bursts: (random) => () => (random() < 0.15 ? 0.3 + 0.3 * random() : 0),
  'twofold steps': (random) => {
    let state = 0;
    return () => {
      if (random() < 0.15) state = Math.LN2 - state;
      return state;
    };
  },
};

/** The CPU that a request takes changes less with the machine than what it waits. */
const CPU_SHARE = 0.3;
const TOLERANCE = 0.1;

type Change = (metric: GateMetric) => boolean;
const changes: Readonly<Record<string, Change>> = {
  everything: ({ kind }) => kind === 'cpu' || kind === 'latency',
  'CPU alone': ({ kind }) => kind === 'cpu',
  'all of one step': (metric) => metric.kind === 'latency' && metric.step === 'list tasks',
};

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function simulateGate(real: RealTrials, machine: Machine, size: number, change: Change, seed: number) {
  const random = seededRandom(seed);
  const state = machine(random);
  const order = quietestFirst(real.metrics);
  const places = order.map((metric) => real.metrics.indexOf(metric));
  const trial = () => {
    const own = real.trials[Math.floor(random() * real.trials.length)] ?? [];
    const slower = state();
    return order.map(({ kind }, index) => {
      const share = kind === 'latency' ? 1 : kind === 'cpu' ? CPU_SHARE : 0;
      return (own[places[index] ?? 0] ?? 0) + share * slower;
    });
  };
  const found: number[][] = order.map(() => []);
  const sides = sidesOfPairs(looks.at(-1)?.pairs ?? 0, seed);
  for (const look of looks) {
    while ((found[0]?.length ?? 0) < look.pairs) {
      const both = [trial(), trial()];
      const [base, head] = sides[found[0]?.length ?? 0]?.[0] === 'base' ? both : both.toReversed();
      for (const [index, metric] of order.entries()) {
        const injected = change(metric) ? Math.log1p(size) : 0;
        found[index]?.push((head?.[index] ?? 0) + injected - (base?.[index] ?? 0));
      }
    }
    const judged = judgeChanges(found, look, TOLERANCE).flatMap((each, index) => {
      const metric = order[index];
      return metric === undefined ? [] : [{ ...each, metric }];
    });
    const verdict = gateVerdict(judged);
    if (verdict !== 'cannot-tell') return { verdict, pairs: look.pairs };
  }
  return { verdict: 'cannot-tell', pairs: looks.at(-1)?.pairs ?? 0 } as const;
}

function row(real: RealTrials, machine: Machine, size: number, change: Change, gates: number): readonly string[] {
  const found = Array.from({ length: gates }, (_, index) => simulateGate(real, machine, size, change, 1 + index));
  const count = (verdict: string) => found.filter((each) => each.verdict === verdict).length;
  const pairs = found.map((each) => each.pairs).toSorted((one, other) => one - other);
  const minutes = (at: number) => (((pairs[Math.floor(at * (pairs.length - 1))] ?? 0) * real.pairS) / 60).toFixed(0);
  return [
    `${count('slower')} of ${gates}`,
    String(count('not-slower')),
    String(count('cannot-tell')),
    `${minutes(0.5)} (90 %: ${minutes(0.9)})`,
  ];
}

/** The residuals of real trials, so that CPU per request has this noise between pairs of them. */
function scaled(real: RealTrials, noise: number): RealTrials {
  const [quietest] = quietestFirst(real.metrics);
  const index = quietest === undefined ? 0 : real.metrics.indexOf(quietest);
  const factor = noise / Math.sqrt(2 * variance(real.trials.map((trial) => trial[index] ?? 0)));
  return { ...real, trials: real.trials.map((trial) => trial.map((value) => factor * value)) };
}

const USUAL_NOISE = 0.06;

async function simulate(): Promise<void> {
  const file = join(import.meta.dirname, 'fixtures/gate-trials.json');
  const measured: RealTrials = JSON.parse(await readFile(file, 'utf8'));
  const gates = Number(options.gates);
  const levels = options.noise.split(',').map((percent) => Number(percent) / 100);
  const real = scaled(measured, USUAL_NOISE);
  const columns = 'Slower | Not slower | Cannot tell | Minutes';
  const header = (first: string) => `\n| ${first} | ${columns} |\n|${' --- |'.repeat(first.split('|').length + 4)}`;
  const print = (...cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
  console.log(`${real.trials.length} real trials of ${real.metrics.length} metrics; a pair takes ${real.pairS} s.`);
  console.log(header('Noise of CPU per request | Change'));
  const steady = () => () => 0;
  for (const noise of levels) {
    const own = scaled(measured, noise);
    const text = `${(100 * noise).toFixed(0)} %`;
    print(text, 'none', ...row(own, steady, 0, () => false, gates));
    for (const [what, change] of Object.entries(changes)) {
      print(text, `+10 % of ${what}`, ...row(own, steady, 0.1, change, 61));
    }
  }
  console.log(header(`Machine, noise ${100 * USUAL_NOISE} % | Change`));
  for (const [name, machine] of Object.entries(machines)) {
    print(name, 'none', ...row(real, machine, 0, () => false, gates));
    for (const what of ['everything', 'CPU alone'] as const) {
      print(name, `+10 % of ${what}`, ...row(real, machine, 0.1, changes[what] ?? (() => false), 61));
    }
  }
  console.log(header('True change of everything, AR(1)'));
  const usual = machines['AR(1), 0.8'] ?? steady;
  for (const size of [0, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2]) {
    print(`+${(100 * size).toFixed(1)} %`, ...row(real, usual, size, () => true, 200));
  }
}

if (options.record !== undefined) await recordTrials(options.record);
else if (options.regressions) await regressions({ minutes: options.minutes, only: options.only });
else if (options.live !== undefined) await liveGates(Number(options.live), options.neighbour);
else await simulate();
