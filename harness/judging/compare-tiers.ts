import type { WhyNot } from '../core/findings.ts';
import { byLoad, isSameLoad, type OfferedLoad } from '../core/load.ts';
import type { RunResult } from '../core/run.ts';
import { tierOfSubject } from '../core/setting-change.ts';
import type { Estimate } from '../core/units.ts';
import {
  type BlockFigure,
  type Change,
  changeBetween,
  holm,
  quantileFigures,
  rateFigure,
} from '../statistics/change.ts';
import { serialCorrelation } from '../statistics/correlation.ts';
import { sumInBlocks } from '../statistics/sums.ts';
import { areUnequallyDisturbed, whyPessimistic, whyThroughputPessimistic } from './disturbance.ts';
import { judgeP95At, judgeThroughputAt, type LoadVerdict } from './judge-at-load.ts';
import { isValid, type JudgedTrial } from './judged-trial.ts';
import { succeededIn, wholeSeconds } from './trial-window.ts';

/** How the tiers of a run stand to each other, at the same scenario and load. */
export interface TierComparison {
  readonly scenarios: readonly ScenarioComparison[];
  /** How many changes were examined, and so corrected for each other. */
  readonly comparisons: number;
}

export interface ScenarioComparison {
  readonly scenario: string;
  /** Rates first, ascending: each that was measured on some tier and was planned for more than one. */
  readonly loads: readonly LoadComparison[];
  /** Loads that only one tier was measured at, as each has loads of its own: nothing is compared there. */
  readonly unpaired: readonly { readonly tier: string; readonly loads: readonly OfferedLoad[] }[];
}

export interface LoadComparison {
  readonly load: OfferedLoad;
  /** One for each tier, in the order of the run. */
  readonly rows: readonly TierRow[];
}

export interface TierRow {
  readonly tier: string;
  /** Null where nothing was measured, and `why` says why. */
  readonly trial: JudgedTrial | null;
  readonly why: WhyNot | null;
  /** The tier it is compared with: the one before it in the run that ran. Null for the first. */
  readonly before: string | null;
  readonly throughput: TierChange | null;
  readonly p95: TierChange | null;
  /** This load against the documented figures; empty where nothing was measured or none applies. */
  readonly verdicts: { readonly throughput: readonly LoadVerdict[]; readonly p95: readonly LoadVerdict[] };
}

/** `unclear`: no change beyond noise. `unknown`: cannot be said, because of one of the two tiers. */
export type TierChange = { readonly kind: 'changed' | 'unclear'; readonly ratio: Estimate } | UnknownChange;

export interface UnknownChange {
  readonly kind: 'unknown';
  readonly tier: string;
  readonly why: WhyNot;
}

/** The chance that any change of a run is claimed where there is none. */
const FALSE_ALARM_RATIO = 0.05;

/**
 * Each tier of a run was started once, and what differs from one start to the next shows in no second of a trial.
 * Less than this is therefore never called a change, however sure the seconds are.
 */
export const SMALLEST_CHANGE_RATIO = 0.05;

/** Where more than this of the requests failed, p95 of the others says nothing about all. */
const MOST_FAILED_RATIO = 0.05;

/**
 * Every tier beside the one before it: throughput and p95 at each load of each scenario. Null for fewer than two tiers.
 *
 * Trials are compared by their seconds (harness/statistics/change.ts): what varies from second to second, and how alike
 * neighbouring seconds are, is taken from all trials of the scenario. Only valid trials at the same load are compared.
 * A run of four tiers makes dozens of comparisons, of which one in twenty would look like a change by chance: Holm's
 * procedure over all of them holds the chance of a single false one at 5 %. Between simulated tiers that are the same a
 * change stands in 1 to 5 of 100 whole tables, in 7 to 10 where neighbouring seconds are strongly alike; one of 30 % is seen
 * in 9 of 10 comparisons of 10 s and more (harness/statistics/change.test.ts).
 */
export function compareTiers(result: RunResult, trials: readonly JudgedTrial[]): TierComparison | null {
  const tiers = tiersOf(result);
  if (tiers.length < 2) return null;
  const scenarios = [...new Set([...result.question.scenarios, ...trials.map(({ summary }) => summary.scenario)])].map(
    (scenario) =>
      compareScenario(
        result,
        tiers,
        scenario,
        trials.filter(({ summary }) => summary.scenario === scenario),
      ),
  );
  const changes = scenarios.flatMap(({ loads }) =>
    loads.flatMap(({ rows }) => rows.flatMap((row) => [row.throughput, row.p95])),
  );
  const known = changes.filter((change) => change !== null && change.kind === 'known');
  const stands = holm(
    known.map(({ change }) => change.pValue),
    FALSE_ALARM_RATIO,
  );
  const changed = new Set(known.filter(({ change }, index) => stands[index] === true && matters(change.ratio.value)));
  const decide = (possible: PossibleChange | null): TierChange | null => {
    if (possible === null || possible.kind === 'unknown') return possible;
    return { kind: changed.has(possible) ? 'changed' : 'unclear', ratio: possible.change.ratio };
  };
  return {
    comparisons: known.length,
    scenarios: scenarios.map(({ scenario, unpaired, loads }) => ({
      scenario,
      unpaired,
      loads: loads.map(({ load, rows }) => ({
        load,
        rows: rows.map((row) => ({ ...row, throughput: decide(row.throughput), p95: decide(row.p95) })),
      })),
    })),
  };
}

function matters(ratio: number): boolean {
  return Math.abs(Math.log(ratio)) >= Math.log1p(SMALLEST_CHANGE_RATIO);
}

/** Those of a sweep are one tier in several sizes, which have a document of their own. */
function tiersOf({ subjects, trials }: RunResult): readonly string[] {
  const names = new Set([...subjects.map(({ id }) => id), ...trials.map(({ subject }) => subject)]);
  return [...names].filter((name) => name === tierOfSubject(name));
}

/** A change before all of them are corrected for each other. */
type PossibleChange = { readonly kind: 'known'; readonly change: Change } | UnknownChange;

type UndecidedRow = Omit<TierRow, 'throughput' | 'p95'> & {
  readonly throughput: PossibleChange | null;
  readonly p95: PossibleChange | null;
};

interface Figures {
  readonly throughput: ReadonlyMap<JudgedTrial, BlockFigure | null>;
  readonly p95: ReadonlyMap<JudgedTrial, BlockFigure | null>;
  readonly throughputCorrelation: number;
  readonly p95Correlation: number;
}

function compareScenario(
  result: RunResult,
  tiers: readonly string[],
  scenario: string,
  trials: readonly JudgedTrial[],
): Pick<ScenarioComparison, 'scenario' | 'unpaired'> & {
  readonly loads: readonly { load: OfferedLoad; rows: readonly UndecidedRow[] }[];
} {
  const figures = figuresOf(trials.filter(isValid));
  const all = loadsOf(trials);
  const loads = all.filter((load) => isShared(result, scenario, load, trials));
  const unpaired = all.filter((load) => !loads.includes(load));
  return {
    scenario,
    unpaired: tiers.flatMap((tier) => {
      const own = unpaired.filter((load) => wasMeasured(trials, tier, load));
      return own.length === 0 ? [] : [{ tier, loads: own }];
    }),
    loads: loads.map((load) => {
      const rows: UndecidedRow[] = [];
      for (const tier of tiers) {
        const trial = trials.findLast(({ summary }) => summary.tier === tier && isSameLoad(summary.load, load)) ?? null;
        const isAsked = trial !== null || wasAsked(result, tier, scenario, load);
        const why = trial !== null ? null : isAsked ? whyNotMeasured(result, tier) : ({ code: 'not-planned' } as const);
        // A tier that was not run here changed nothing: the next one is held against the one before it.
        const takesPart = (name: string, row: Pick<TierRow, 'why'>) =>
          !wasNotRun(result, name) && row.why?.code !== 'not-planned';
        const before = rows.findLast((row) => takesPart(row.tier, row));
        const compared = before !== undefined && takesPart(tier, { why });
        rows.push({
          tier,
          trial,
          why,
          verdicts: {
            throughput: trial === null ? [] : judgeThroughputAt(result, trial),
            p95: trial === null ? [] : judgeP95At(result, trial),
          },
          before: compared ? before.tier : null,
          throughput: compared ? possibleChange(before, { tier, trial, why }, figures, 'throughput') : null,
          p95: compared ? possibleChange(before, { tier, trial, why }, figures, 'p95') : null,
        });
      }
      return { load, rows };
    }),
  };
}

function figuresOf(trials: readonly JudgedTrial[]): Figures {
  const rates = trials.map(({ record: { trial } }) => {
    const seconds = wholeSeconds(trial);
    return rateFigure(sumInBlocks(seconds.map(succeededIn)), sumInBlocks(seconds.map(({ durationS }) => durationS)));
  });
  const withP95 = trials.filter(({ summary }) => summary.latency.p95S !== null);
  const p95 = quantileFigures(
    0.95,
    withP95.map(({ p95Blocks, latency, disturbance: { lag } }) => ({
      ...p95Blocks,
      quantileOf: (share) => latency.quantileS(share),
      least: Math.max(0, latency.quantileS(0.95 - lag.beyondRatio) - lag.lagS),
    })),
  );
  return {
    throughput: new Map(trials.map((trial, index) => [trial, rates[index] ?? null])),
    p95: new Map(withP95.map((trial, index) => [trial, p95[index] ?? null])),
    throughputCorrelation: correlationOf(rates),
    p95Correlation: correlationOf(p95),
  };
}

function correlationOf(figures: readonly (BlockFigure | null)[]): number {
  return serialCorrelation(figures.flatMap((figure) => (figure === null ? [] : [figure.deviations])));
}

type Measured = Pick<TierRow, 'tier' | 'trial' | 'why'>;

function possibleChange(
  before: Measured,
  after: Measured,
  figures: Figures,
  metric: 'throughput' | 'p95',
): PossibleChange {
  for (const side of [before, after]) {
    const why = whyNotComparable(side, metric);
    if (why !== null) return { kind: 'unknown', tier: side.tier, why };
  }
  const disturbed = whyDisturbed(before.trial, after.trial, metric);
  if (disturbed !== null) return { kind: 'unknown', ...disturbed };
  const from = before.trial === null ? null : (figures[metric].get(before.trial) ?? null);
  const to = after.trial === null ? null : (figures[metric].get(after.trial) ?? null);
  if (from === null || to === null) {
    return { kind: 'unknown', tier: (from === null ? before : after).tier, why: { code: 'too-few-answers' } };
  }
  return { kind: 'known', change: changeBetween(from, to, figures[`${metric}Correlation`]) };
}

function whyNotComparable({ trial, why }: Measured, metric: 'throughput' | 'p95'): WhyNot | null {
  if (trial === null) return why ?? { code: 'not-measured', runEnded: false };
  const { validity, summary } = trial;
  if (validity.kind === 'invalid') return { code: 'invalid', reason: validity.reasons[0] };
  if (metric === 'p95' && summary.errorRatio > MOST_FAILED_RATIO) {
    return { code: 'too-many-failed', errorRatio: summary.errorRatio };
  }
  return null;
}

/** Others may have made the change: of the two trials the one that is worse than its system. */
function whyDisturbed(
  before: JudgedTrial | null,
  after: JudgedTrial | null,
  metric: 'throughput' | 'p95',
): Pick<UnknownChange, 'tier' | 'why'> | null {
  if (before === null || after === null) return null;
  const sides = areUnequallyDisturbed(before.disturbance, after.disturbance)
    ? [before, after].map((trial) => ({ trial, caveat: whyPessimistic(trial.disturbance) }))
    : metric === 'throughput'
      ? [before, after].map((trial) => ({ trial, caveat: whyThroughputPessimistic(trial) }))
      : [];
  const worse = sides.find(({ caveat }) => caveat !== null);
  if (worse === undefined || worse.caveat === null) return null;
  const { summary } = worse.trial;
  return { tier: summary.tier, why: { code: 'disturbed', load: summary.load, caveat: worse.caveat } };
}

function wasNotRun({ subjects }: RunResult, name: string): boolean {
  return subjects.some(({ id, notRun }) => id === name && notRun.length > 0);
}

function whyNotMeasured({ subjects, status }: RunResult, name: string): WhyNot {
  const own = subjects.find(({ id }) => id === name);
  if (own !== undefined && own.notRun.length > 0) return { code: 'tier-not-run', obstacles: own.notRun };
  if (own !== undefined && own.endedEarly !== null) return { code: 'tier-ended-early', ...own.endedEarly };
  return { code: 'not-measured', runEnded: status.state !== 'finished' };
}

function loadsOf(trials: readonly JudgedTrial[]): readonly OfferedLoad[] {
  const loads: OfferedLoad[] = [];
  for (const { summary } of trials) {
    if (!loads.some((each) => isSameLoad(each, summary.load))) loads.push(summary.load);
  }
  return loads.toSorted(byLoad);
}

/** Whether more than one tier was to be measured at this load: it was asked for, or planned for more than one. */
function isShared(
  { question, subjects }: RunResult,
  scenario: string,
  load: OfferedLoad,
  trials: readonly JudgedTrial[],
): boolean {
  const { arrivalRatesPerS, concurrencies } = question;
  const given =
    load.model === 'open'
      ? arrivalRatesPerS?.includes(load.arrivalRatePerS)
      : concurrencies?.includes(load.concurrency);
  if (given === true) return true;
  const planned = subjects
    .filter((subject) => subject.planned.some((each) => each.scenario === scenario && isSameLoad(each.load, load)))
    .map(({ id }) => id);
  const measured = trials.filter(({ summary }) => isSameLoad(summary.load, load)).map(({ summary }) => summary.tier);
  return new Set([...planned, ...measured]).size > 1;
}

/** Where loads were never decided, it might have been any. */
function wasAsked({ subjects }: RunResult, tier: string, scenario: string, load: OfferedLoad): boolean {
  const planned = subjects.find(({ id }) => id === tier)?.planned ?? [];
  const own = planned.filter((each) => each.scenario === scenario);
  return own.length === 0 || own.some((each) => isSameLoad(each.load, load));
}

function wasMeasured(trials: readonly JudgedTrial[], tier: string, load: OfferedLoad): boolean {
  return trials.some(({ summary }) => summary.tier === tier && isSameLoad(summary.load, load));
}
