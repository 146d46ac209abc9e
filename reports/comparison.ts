import type { RunResult } from '../harness/core/run.ts';
import type { Estimate } from '../harness/core/units.ts';
import { compareTiers, type ScenarioComparison } from '../harness/judging/compare-tiers.ts';
import { judgeTrials } from '../harness/judging/judge-trial.ts';
import {
  effectOn,
  type ResultDifference,
  resultDifferences,
  type TierPair,
} from '../harness/judging/result-differences.ts';
import {
  type Quantity,
  SMALLEST_DIFFERENCE_RATIO,
  type TierDifference,
  tierDifferences,
} from '../harness/judging/tier-differences.ts';
import { ratioOfGroups } from '../harness/statistics/group-ratio.ts';
import { mean } from '../harness/statistics/sums.ts';
import { type Analysis, analyse, type ScenarioAnalysis } from './analysis.ts';

/** Results of `run` side by side, each held against the first: what may be compared, and what became more or less. */

/** Several results of one kind are repeats: then each start of the system is one observation. */
export interface ResultGroup {
  readonly name: string;
  readonly results: readonly [RunResult, ...RunResult[]];
}

export interface ResultPair {
  readonly before: ResultGroup;
  readonly after: ResultGroup;
  readonly differences: readonly ResultDifference[];
  readonly tiers: readonly TierPair[];
  readonly figures: readonly TierDifference[];
  /** Latency and throughput where both were measured at the same load; empty with repeats. */
  readonly loads: readonly { readonly tier: string; readonly scenario: ScenarioComparison }[];
  readonly verdict: 'met' | 'missed' | 'inconclusive';
}

export function compareGroups([first, ...others]: readonly ResultGroup[]): readonly ResultPair[] {
  return first === undefined ? [] : others.map((after) => comparePair(first, after));
}

function comparePair(before: ResultGroup, after: ResultGroup): ResultPair {
  const [from, to] = [before.results[0], after.results[0]];
  const tiers = tierPairs(from, to);
  const differences = resultDifferences(from, to, tiers);
  const sides = [before, after].map(({ results }) => results.map(analyse));
  const labelsOf = (pair: TierPair) => labels(before, after, pair, tiers.length > 1);
  const figures = tiers.flatMap((pair) => figuresOf(pair, sides[0] ?? [], sides[1] ?? [], labelsOf(pair)));
  const allowed = figures.filter(({ quantity, scenario, tier }) => {
    const own = tiers.find((pair) => labelsOf(pair)[1] === tier)?.[1] ?? tier;
    const effect = effectOn(differences, own, scenario);
    return effect !== 'all' && (quantity.code !== 'sustained-rate' || !['loads', 'rates'].includes(effect));
  });
  const isRepeated = before.results.length + after.results.length > 2;
  const loads = isRepeated
    ? []
    : tiers.flatMap((pair) =>
        loadsOf(pair, from, to, labelsOf(pair))
          .filter(({ scenario }) => !['all', 'loads'].includes(effectOn(differences, pair[1], scenario)))
          .map((scenario) => ({ tier: pair[1], scenario })),
      );
  return { before, after, differences, tiers, figures: allowed, loads, verdict: verdictOf(allowed, loads) };
}

/** Those of one name, or the only one of each. */
function tierPairs(before: RunResult, after: RunResult): readonly TierPair[] {
  const [from, to] = [before, after].map(({ subjects }) => subjects.filter(({ notRun }) => notRun.length === 0));
  const names = (from ?? []).map(({ id }) => id).filter((id) => to?.some((other) => other.id === id));
  if (names.length > 0) return names.map((name) => [name, name]);
  const [one, other] = [from?.[0], to?.[0]];
  return from?.length === 1 && to?.length === 1 && one !== undefined && other !== undefined ? [[one.id, other.id]] : [];
}

type Labels = readonly [before: string, after: string];

/** `A`, or `A (pooled)` where several tiers are compared. */
function labels(
  { name: from }: ResultGroup,
  { name: to }: ResultGroup,
  [one, other]: TierPair,
  several: boolean,
): Labels {
  const label = (name: string, tier: string) => (several ? `${name} (${tier})` : name);
  return [label(from, one), label(to, other)];
}

function figuresOf(
  [one, other]: TierPair,
  before: readonly Analysis[],
  after: readonly Analysis[],
  [from, to]: Labels,
): readonly TierDifference[] {
  const [first, second] = [scenariosOf(before, one), scenariosOf(after, other)];
  return [...first].flatMap(([scenario, ours]) => {
    const theirs = second.get(scenario);
    const [own] = ours;
    const [counterpart] = theirs ?? [];
    if (theirs === undefined || own === undefined || counterpart === undefined) return [];
    return ours.length + theirs.length === 2
      ? tierDifferences(scenario, [comparedTier(own, from), comparedTier(counterpart, to)])
      : repeatedFigures(scenario, [from, to], ours, theirs);
  });
}

type OfTier = ScenarioAnalysis & Pick<Analysis['tiers'][number], 'facts'>;

function scenariosOf(analyses: readonly Analysis[], tier: string): ReadonlyMap<string, readonly OfTier[]> {
  const own = analyses.flatMap(({ tiers }) => tiers.filter(({ name }) => name === tier));
  return Map.groupBy(
    own.flatMap(({ scenarios, facts }) => scenarios.map((scenario) => ({ ...scenario, facts }))),
    ({ name }) => name,
  );
}

function comparedTier({ searched, demands, facts }: OfTier, tier: string) {
  return { tier, rate: searched, limit: searched?.above?.limit ?? null, demands, notes: facts?.notes ?? [] };
}

function repeatedFigures(
  scenario: string,
  [before, tier]: Labels,
  ours: readonly OfTier[],
  theirs: readonly OfTier[],
): readonly TierDifference[] {
  const services = new Set(ours.flatMap(({ demands }) => (demands?.services ?? []).map(({ service }) => service)));
  const quantities: readonly Quantity[] = [
    { code: 'sustained-rate' },
    { code: 'cpu-per-request', service: null },
    ...[...services].map((service) => ({ code: 'cpu-per-request' as const, service })),
  ];
  return quantities.flatMap((quantity): TierDifference[] => {
    const [from, to] = [ours, theirs].map((all) => all.flatMap((each) => valueIn(quantity, each) ?? []));
    const ratio = ratioOfGroups(from ?? [], to ?? []);
    if (ratio === null || from === undefined || to === undefined) return [];
    const about = { scenario, before, tier, quantity };
    return [decided(ratio, { ...about, ratio, valueBefore: mean(from), valueAfter: mean(to) })];
  });
}

function valueIn(quantity: Quantity, { searched, demands }: ScenarioAnalysis): number | null {
  if (quantity.code === 'sustained-rate') return searched?.valuePerS ?? null;
  const own = (demands?.services ?? []).filter(({ service }) => service === (quantity.service ?? service));
  return own.length === 0 ? null : own.reduce((total, { cpuS }) => total + cpuS, 0);
}

type Figures = Omit<Extract<TierDifference, { verdict: 'no-difference' }>, 'verdict'>;

function decided({ low, high }: Estimate, figures: Figures): TierDifference {
  const [least, most] = [1 - SMALLEST_DIFFERENCE_RATIO, 1 + SMALLEST_DIFFERENCE_RATIO];
  if (low > most || high < least) return { ...figures, verdict: 'different', causes: [] };
  if (low >= least && high <= most) return { ...figures, verdict: 'no-difference' };
  return { ...figures, verdict: 'open', why: { code: 'interval-too-wide' } };
}

/** The trials of both as those of two tiers of one run. */
function loadsOf(
  [one, other]: TierPair,
  before: RunResult,
  after: RunResult,
  [from, to]: Labels,
): readonly ScenarioComparison[] {
  const side = (result: RunResult, id: string, label: string) => ({
    subjects: result.subjects.filter((subject) => subject.id === id).map((subject) => ({ ...subject, id: label })),
    trials: result.trials.filter(({ subject }) => subject === id).map((trial) => ({ ...trial, subject: label })),
  });
  const [first, second] = [side(before, one, from), side(after, other, to)];
  const scenarios = before.question.scenarios.filter((scenario) => after.question.scenarios.includes(scenario));
  // Sequences are of one run: those of the second follow, so that what repeats what stays known.
  const last = Math.max(0, ...first.trials.map(({ sequence }) => sequence));
  const moved = second.trials.map(({ sequence, repeats, ...trial }) => ({
    ...trial,
    sequence: sequence + last,
    ...(repeats !== undefined && { repeats: repeats + last }),
  }));
  const both: RunResult = {
    ...after,
    question: { ...after.question, scenarios, arrivalRatesPerS: [], concurrencies: [] },
    subjects: [...first.subjects, ...second.subjects],
    trials: [...first.trials, ...moved],
    targets: [],
  };
  const judged = [
    ...judgeTrials({ facts: before.facts, trials: first.trials }),
    ...judgeTrials({ facts: after.facts, trials: moved }),
  ];
  return (compareTiers(both, judged)?.scenarios ?? []).filter(({ loads }) => loads.length > 0);
}

/** Worse: less is sustained, more CPU is taken, or latency at the same load is higher. */
function verdictOf(figures: ResultPair['figures'], loads: ResultPair['loads']): ResultPair['verdict'] {
  const changes = loads.flatMap(({ scenario }) => scenario.loads.flatMap(({ rows }) => rows));
  const isWorse =
    figures.some(isWorseFigure) ||
    changes.some(
      ({ p95, throughput }) =>
        (p95?.kind === 'changed' && p95.ratio.value > 1) ||
        (throughput?.kind === 'changed' && throughput.ratio.value < 1),
    );
  if (isWorse) return 'missed';
  const main = figures.filter(({ quantity }) => quantity.code === 'sustained-rate' || quantity.service === null);
  const isCompared = main.length > 0 || changes.some(({ p95 }) => p95?.kind === 'unclear' || p95?.kind === 'changed');
  return isCompared && main.every(({ verdict }) => verdict !== 'open') ? 'met' : 'inconclusive';
}

export function isWorseFigure(figure: TierDifference): boolean {
  if (figure.verdict !== 'different') return false;
  return figure.quantity.code === 'sustained-rate' ? figure.ratio.value < 1 : figure.ratio.value > 1;
}
