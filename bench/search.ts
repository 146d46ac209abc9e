import { parseArgs } from 'node:util';
import {
  type CountedTrial,
  type RateBracket,
  type SearchEvidence,
  type SearchSettings,
  type SearchStep,
  searchSustainedRate,
} from '../harness/models/sustained-rate-search.ts';
import { seededRandom } from '../harness/statistics/block-bootstrap.ts';
import { type KnownServer, knownServers, WARM_UP_S } from '../test-support/known-capacity.ts';

/**
 * The search for the sustained rate on simulated servers whose truth is known, beside two others: how often the bracket
 * holds the truth, how wide it is, and how many seconds of trials it takes. Writes the table of docs/search.md.
 *
 *   npm run bench:search -- --seeds 100
 */
const { values: options } = parseArgs({ options: { seeds: { type: 'string', default: '100' } } });
const seeds = Number(options.seeds);

type Search = (
  settings: SearchSettings,
) => Generator<Pick<SearchStep, 'ratePerS' | 'durationS'>, RateBracket, SearchEvidence>;

const precise = { precisionRatio: 0.05, trialS: 5, budgetS: 300 };
const quick = { precisionRatio: 0.1, trialS: 2.5, budgetS: 30 };
const contenders: readonly { readonly name: string; readonly search: Search; readonly settings: typeof precise }[] = [
  { name: 'tierbench, 5 %', search: searchSustainedRate, settings: precise },
  { name: 'tierbench, quick', search: searchSustainedRate, settings: quick },
  { name: 'bisection, 60 s trials', search: bisection, settings: { ...precise, trialS: 60, budgetS: 1200 } },
  { name: 'isotonic regression', search: isotonic, settings: { ...precise, trialS: 10 } },
];

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

function runOnce(server: KnownServer, search: Search, settings: typeof precise, seed: number) {
  const random = seededRandom(seed * 7919);
  const generator = search({
    ...settings,
    goals: [{ id: 'p95', allowedRatio: 0.05 }],
    startPerS: 0.85 * server.capacityPerS,
    lowestPerS: 1,
    highestPerS: 20 * server.capacityPerS,
  });
  let atS = 0;
  let trialsS = 0;
  let next = generator.next();
  while (next.done !== true) {
    const { ratePerS, durationS } = next.value;
    const counts = server.trial(ratePerS, durationS, atS, random);
    atS += durationS + WARM_UP_S;
    trialsS += durationS;
    next = generator.next({ kind: 'counted', goals: [counts] });
  }
  const { lowPerS, highPerS } = next.value;
  const truth = server.truthPerS(atS);
  return {
    holds: (lowPerS === null || lowPerS <= truth) && (highPerS === null || highPerS >= truth),
    width: lowPerS === null || highPerS === null ? Number.POSITIVE_INFINITY : highPerS / lowPerS - 1,
    trialsS,
  };
}

const percent = (ratio: number) => (Number.isFinite(ratio) ? `${(100 * ratio).toFixed(0)} %` : 'open');
console.log(`| server | noise | ${contenders.map(({ name }) => name).join(' | ')} |`);
console.log(`| --- | --- |${' --- |'.repeat(contenders.length)}`);
for (const noise of [0, 0.03, 0.08]) {
  for (const server of knownServers(noise)) {
    const cells = contenders.map(({ search, settings }) => {
      const runs = Array.from({ length: seeds }, (_, seed) => runOnce(server, search, settings, seed + 1));
      const widths = runs.map(({ width }) => width).toSorted((left, right) => left - right);
      const at = (share: number) => percent(widths[Math.floor(share * seeds)] ?? Number.NaN);
      const took = runs.reduce((total, { trialsS }) => total + trialsS, 0) / seeds;
      return `${runs.filter(({ holds }) => holds).length}; ${at(0.5)}, ${at(0.9)}; ${took.toFixed(0)} s`;
    });
    console.log(`| ${server.name} | ${percent(noise)} | ${cells.join(' | ')} |`);
  }
}
