import { parseArgs } from 'node:util';
import { readRunOptions } from '../cli/run-options.ts';
import {
  type CountedTrial,
  type RateBracket,
  type SearchEvidence,
  type SearchSettings,
  type SearchStep,
  searchSustainedRate,
} from '../harness/models/sustained-rate-search.ts';
import { seededRandom } from '../harness/statistics/block-bootstrap.ts';
import { searchSettings, searchWarmUpS } from '../harness/studies/run/search-rate.ts';
import { ERROR_GOAL_RATIO, type KnownServer, knownServers, otherServers } from '../test-support/known-capacity.ts';
import { searchLive } from './search-live.ts';

/**
 * The search for the sustained rate on simulated servers whose truth is known, with the settings of `tierbench run` and of
 * `run --quick`: how often the bracket holds the truth, how wide it is, and how many seconds of trials it takes. Beside two
 * other searches where asked for. Writes the tables of docs/search.md.
 *
 *   npm run bench:search -- --seeds 100 [--noise 0,3,8] [--rivals]
 *   npm run bench:search -- --live [--seeds 20]   quick searches of two real servers instead
 */
const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string' },
    live: { type: 'boolean', default: false },
    noise: { type: 'string', default: '0,3,8' },
    rivals: { type: 'boolean', default: false },
  },
});
const seeds = Number(options.seeds ?? (options.live ? '20' : '100'));
if (options.live) {
  await searchLive(readRunOptions({ quick: true }).question, seeds);
  process.exit();
}

type Search = (
  settings: SearchSettings,
) => Generator<Pick<SearchStep, 'ratePerS' | 'durationS'>, RateBracket, SearchEvidence>;

interface Contender {
  readonly name: string;
  readonly search: Search;
  readonly quick: boolean;
  readonly others?: Partial<SearchSettings>;
}

const contenders: readonly Contender[] = [
  { name: '`run`', search: searchSustainedRate, quick: false },
  { name: '`run --quick`', search: searchSustainedRate, quick: true },
  ...(options.rivals ? rivals() : []),
];

function rivals(): readonly Contender[] {
  return [
    { name: 'bisection, 60 s trials', search: bisection, quick: false, others: { trialS: 60, budgetS: 1200 } },
    { name: 'isotonic regression', search: isotonic, quick: false },
  ];
}

/** By the sign of each trial, never measured twice. */
function* bisection(settings: SearchSettings): ReturnType<Search> {
  let lowPerS: number | null = null;
  let highPerS: number | null = null;
  let rate = settings.startPerS;
  for (let usedS = 0; usedS + settings.trialS <= settings.budgetS; usedS += settings.trialS) {
    if (missed(settings, yield { ratePerS: rate, durationS: settings.trialS })) highPerS = rate;
    else lowPerS = rate;
    if (lowPerS !== null && highPerS !== null && highPerS <= lowPerS * (1 + settings.precisionRatio)) break;
    if (lowPerS === null) rate /= 1.15;
    else if (highPerS === null) rate *= 1.15;
    else rate = Math.sqrt(lowPerS * highPerS);
  }
  return { lowPerS, highPerS };
}

/** The next trial where the logarithm of the bad ratio, made monotone and interpolated, crosses its goal. */
function* isotonic(settings: SearchSettings): ReturnType<Search> {
  const trials: CountedTrial[] = [];
  let bracket: RateBracket = { lowPerS: null, highPerS: null };
  let rate = settings.startPerS;
  for (let usedS = 0; usedS + settings.trialS <= settings.budgetS; usedS += settings.trialS) {
    const step = { ratePerS: rate, durationS: settings.trialS };
    const evidence = yield step;
    if (evidence.kind === 'counted') trials.push({ ...step, goals: evidence.goals });
    const points = monotone(
      trials
        .toSorted((left, right) => left.ratePerS - right.ratePerS)
        .map(({ ratePerS, goals: [counts = { bad: 0, all: 1 }] }) => ({
          x: Math.log(ratePerS),
          y: Math.log((counts.bad + 0.5) / (counts.all + 1) / 0.05),
          weight: 1,
        })),
    );
    const below = points.findLast(({ y }) => y <= 0);
    const above = points.find(({ y }) => y > 0);
    bracket = { lowPerS: below ? Math.exp(below.x) : null, highPerS: above ? Math.exp(above.x) : null };
    if (!below) rate /= 1.15;
    else if (!above) rate *= 1.15;
    else {
      if (above.x - below.x <= Math.log(1 + settings.precisionRatio)) break;
      const share = Math.min(0.9, Math.max(0.1, -below.y / (above.y - below.y)));
      rate = Math.exp(below.x + share * (above.x - below.x));
    }
  }
  return bracket;
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly weight: number;
}

/** Pool adjacent violators: neighbours that fall get their common mean. */
function monotone(points: readonly Point[]): readonly Point[] {
  const blocks: Point[][] = [];
  const meanOf = (block: readonly Point[] = []) => block.reduce((total, { y }) => total + y, 0) / block.length;
  for (const point of points) {
    blocks.push([point]);
    while (blocks.length > 1 && meanOf(blocks.at(-2)) > meanOf(blocks.at(-1))) {
      blocks.push([...(blocks.splice(-2, 1)[0] ?? []), ...(blocks.pop() ?? [])]);
    }
  }
  return blocks.flatMap((block) => block.map((point) => ({ ...point, y: meanOf(block) })));
}

function missed({ goals: [goal] }: SearchSettings, evidence: SearchEvidence): boolean {
  const counts = evidence.kind === 'counted' ? evidence.goals[0] : undefined;
  return counts !== undefined && counts.bad > (goal?.allowedRatio ?? 0) * counts.all;
}

/** What the pilot trial reads, as a share of what the server serves: too much where it batches, too little with few users. */
const pilots = [0.6, 0.85, 1, 1.2];
/** Rates that a document names, as shares of the true rate: none, near, too low and too high. */
const documented = [[], [0.95], [0.3], [1.5], [0.5, 2]];

function runOnce(server: KnownServer, { search, quick, others }: Contender, seed: number) {
  const random = seededRandom(seed * 7919);
  const { question } = readRunOptions({ quick });
  const pilot = { iterationsPerS: server.capacityPerS * (pilots[seed % pilots.length] ?? 1) };
  const first = (documented[seed % documented.length] ?? []).map((share) => share * server.truthPerS(0));
  const goals = [
    { id: 'p95', allowedRatio: 0.05 },
    ...(server.name === 'errors' ? [{ id: 'errors', allowedRatio: ERROR_GOAL_RATIO }] : []),
  ];
  const generator = search({ ...searchSettings(question, goals, pilot, first), ...others });
  let atS = 0;
  let trialsS = 0;
  let next = generator.next();
  while (next.done !== true) {
    const { ratePerS, durationS } = next.value;
    const warmUpS = searchWarmUpS(question);
    const { all, bad, failed = 0 } = server.trial(ratePerS, { warmUpS, durationS, atS }, random);
    atS += durationS + warmUpS;
    trialsS += durationS;
    next = generator.next({
      kind: 'counted',
      goals: [
        { all, bad },
        { all, bad: failed },
      ].slice(0, goals.length),
    });
  }
  const { lowPerS, highPerS } = next.value;
  const truths = [server.truthPerS(atS), server.lowestMissPerS ?? server.truthPerS(atS)];
  return {
    holds: truths.some((truth) => (lowPerS ?? 0) <= truth && (highPerS ?? Number.POSITIVE_INFINITY) >= truth),
    width: lowPerS === null || highPerS === null ? Number.POSITIVE_INFINITY : highPerS / lowPerS - 1,
    trialsS,
  };
}

const percent = (ratio: number) => (Number.isFinite(ratio) ? `${(100 * ratio).toFixed(0)} %` : 'open');
console.log(`| server | noise | ${contenders.map(({ name }) => name).join(' | ')} |`);
console.log(`| --- | --- |${' --- |'.repeat(contenders.length)}`);
for (const noise of options.noise.split(',').map((percentage) => Number(percentage) / 100)) {
  for (const server of [...knownServers(noise), ...otherServers(noise)]) {
    const cells = contenders.map((contender) => {
      const runs = Array.from({ length: seeds }, (_, seed) => runOnce(server, contender, seed + 1));
      const widths = runs.map(({ width }) => width).toSorted((left, right) => left - right);
      const at = (share: number) => percent(widths[Math.floor(share * seeds)] ?? Number.NaN);
      const took = runs.reduce((total, { trialsS }) => total + trialsS, 0) / seeds;
      return `${runs.filter(({ holds }) => holds).length}; ${at(0.5)}, ${at(0.9)}; ${took.toFixed(0)} s`;
    });
    console.log(`| ${server.name} | ${percent(noise)} | ${cells.join(' | ')} |`);
  }
}
