import type { Estimate } from '../core/estimate.ts';
import { byLoad, isSameLoad, type OfferedLoad } from '../core/load.ts';
import type { RunResult } from '../core/run.ts';
import { formatRatio } from '../core/units.ts';
import { type BlockFigure, type Change, changeBetween, quantileFigures, rateFigure } from '../statistics/change.ts';
import { holm } from '../statistics/holm.ts';
import { serialCorrelation } from '../statistics/serial-correlation.ts';
import { sumInBlocks } from '../statistics/time-blocks.ts';
import { succeededIn } from './interval-throughput.ts';
import { judgeP95At, judgeThroughputAt, type LoadVerdict } from './judge-at-load.ts';
import { p95Blocks } from './p95-blocks.ts';
import type { JudgedTrial } from './summary.ts';
import { wholeSeconds } from './whole-seconds.ts';

/** How the tiers of a run stand to each other, at the same scenario and load. */
export interface TierComparison {
  readonly scenarios: readonly ScenarioComparison[];
  /** How many changes were looked at, and so corrected for each other. */
  readonly comparisons: number;
}

export interface ScenarioComparison {
  readonly scenario: string;
  /** Rates first, ascending: each that was measured on some tier and was asked of more than one. */
  readonly loads: readonly LoadComparison[];
  /** Loads that only one tier was measured at, as each has a ladder of its own: nothing is compared there. */
  readonly alone: readonly { readonly tier: string; readonly loads: readonly OfferedLoad[] }[];
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
  readonly why: string | null;
  /** The tier it is compared with: the one before it in the run that ran. Null for the first. */
  readonly before: string | null;
  readonly throughput: TierChange | null;
  readonly p95: TierChange | null;
  /** This load against the documented figures; empty where nothing was measured or none applies. */
  readonly verdicts: { readonly throughput: readonly LoadVerdict[]; readonly p95: readonly LoadVerdict[] };
}

/** `unclear`: no change beyond noise. `unknown`: cannot be said. */
export type TierChange =
  | { readonly kind: 'changed' | 'unclear'; readonly ratio: Estimate }
  | { readonly kind: 'unknown'; readonly why: string };

/** The chance that any change of a run is claimed where there is none. */
const FALSE_ALARM_RATIO = 0.05;

/**
 * Each tier of a run was brought up once, and what differs from one bring-up to the next shows in no second of a trial.
 * Less than this is therefore never called a change, however sure the seconds are.
 */
export const SMALLEST_CHANGE_RATIO = 0.05;

/** Where more than this of the requests failed, p95 of the others says nothing of all. */
const MOST_FAILED_RATIO = 0.05;

/**
 * Every tier beside the one before it: throughput and p95 at each load of each scenario. Null for fewer than two tiers.
 *
 * Trials are compared by their seconds (harness/statistics/change.ts): what varies from second to second, and how alike
 * neighbouring seconds are, is taken from all trials of the scenario. Only sound trials at the same load are compared.
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
      looksAt(
        result,
        tiers,
        scenario,
        trials.filter(({ summary }) => summary.scenario === scenario),
      ),
  );
  const looks = scenarios.flatMap(({ loads }) =>
    loads.flatMap(({ rows }) => rows.flatMap((row) => [row.throughput, row.p95])),
  );
  const known = looks.filter((look) => look !== null && look.kind === 'known');
  const stands = holm(
    known.map(({ change }) => change.pValue),
    FALSE_ALARM_RATIO,
  );
  const changed = new Set(known.filter(({ change }, index) => stands[index] === true && matters(change.ratio.value)));
  const decide = (look: Look | null): TierChange | null => {
    if (look === null || look.kind === 'unknown') return look;
    return { kind: changed.has(look) ? 'changed' : 'unclear', ratio: look.change.ratio };
  };
  return {
    comparisons: known.length,
    scenarios: scenarios.map(({ scenario, alone, loads }) => ({
      scenario,
      alone,
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

function tiersOf({ subjects, trials }: RunResult): readonly string[] {
  return [...new Set([...subjects.map(({ id }) => id), ...trials.map(({ subject }) => subject)])];
}

/** What is known of a change before all of them are looked at together. */
type Look = { readonly kind: 'known'; readonly change: Change } | { readonly kind: 'unknown'; readonly why: string };

type UndecidedRow = Omit<TierRow, 'throughput' | 'p95'> & {
  readonly throughput: Look | null;
  readonly p95: Look | null;
};

interface Figures {
  readonly throughput: ReadonlyMap<JudgedTrial, BlockFigure | null>;
  readonly p95: ReadonlyMap<JudgedTrial, BlockFigure | null>;
  readonly throughputCorrelation: number;
  readonly p95Correlation: number;
}

function looksAt(
  result: RunResult,
  tiers: readonly string[],
  scenario: string,
  trials: readonly JudgedTrial[],
): Pick<ScenarioComparison, 'scenario' | 'alone'> & {
  readonly loads: readonly { load: OfferedLoad; rows: readonly UndecidedRow[] }[];
} {
  const figures = figuresOf(trials.filter(isSound));
  const all = loadsOf(trials);
  const loads = all.filter((load) => isShared(result, scenario, load, trials));
  const alone = all.filter((load) => !loads.includes(load));
  return {
    scenario,
    alone: tiers.flatMap((tier) => {
      const own = alone.filter((load) => wasMeasured(trials, tier, load));
      return own.length === 0 ? [] : [{ tier, loads: own }];
    }),
    loads: loads.map((load) => {
      const rows: UndecidedRow[] = [];
      for (const tier of tiers) {
        const trial = trials.findLast(({ summary }) => summary.tier === tier && isSameLoad(summary.load, load)) ?? null;
        const isAsked = trial !== null || wasAsked(result, tier, scenario, load);
        const why = trial !== null ? null : isAsked ? whyNotMeasured(result, tier) : NOT_ON_ITS_LADDER;
        // A tier that was not run here changed nothing: the next one is held against the one before it.
        const takesPart = (name: string, row: Pick<TierRow, 'why'>) =>
          !wasNotRun(result, name) && row.why !== NOT_ON_ITS_LADDER;
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
          throughput: compared ? lookAt(before, { tier, trial, why }, figures, 'throughput') : null,
          p95: compared ? lookAt(before, { tier, trial, why }, figures, 'p95') : null,
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
    withP95.map(({ record }) => p95Blocks(record.trial)),
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

function lookAt(before: Measured, after: Measured, figures: Figures, metric: 'throughput' | 'p95'): Look {
  const obstacle = [before, after].map((side) => whyNotComparable(side, metric)).find((why) => why !== null);
  if (obstacle !== undefined) return { kind: 'unknown', why: obstacle };
  const from = before.trial === null ? null : (figures[metric].get(before.trial) ?? null);
  const to = after.trial === null ? null : (figures[metric].get(after.trial) ?? null);
  if (from === null || to === null) {
    return { kind: 'unknown', why: `${(from === null ? before : after).tier}: too few answers` };
  }
  return { kind: 'known', change: changeBetween(from, to, figures[`${metric}Correlation`]) };
}

function whyNotComparable({ tier, trial, why }: Measured, metric: 'throughput' | 'p95'): string | null {
  if (trial === null) return `${tier}: ${why ?? 'not measured'}`;
  const { validity, errorRatio } = trial.summary;
  // What to do about it stands with the trial.
  if (validity.kind === 'invalid') return `${tier}: not sound, ${validity.reasons[0].split(';')[0]}`;
  if (metric === 'p95' && errorRatio > MOST_FAILED_RATIO)
    return `${tier}: ${formatRatio(errorRatio)} of the requests failed`;
  return null;
}

function isSound({ summary }: JudgedTrial): boolean {
  return summary.validity.kind === 'valid';
}

function wasNotRun({ subjects }: RunResult, name: string): boolean {
  return subjects.some(({ id, notRun }) => id === name && notRun.length > 0);
}

function whyNotMeasured({ subjects, status }: RunResult, name: string): string {
  const own = subjects.find(({ id }) => id === name);
  if (own !== undefined && own.notRun.length > 0) return `not run: ${own.notRun.join('; ')}`;
  if (own !== undefined && own.endedEarly !== null) return `ended early: ${own.endedEarly}`;
  return status.state === 'finished' ? 'not measured' : 'not measured before the run ended';
}

function loadsOf(trials: readonly JudgedTrial[]): readonly OfferedLoad[] {
  const loads: OfferedLoad[] = [];
  for (const { summary } of trials) {
    if (!loads.some((each) => isSameLoad(each, summary.load))) loads.push(summary.load);
  }
  return loads.toSorted(byLoad);
}

/** Whether more than one tier was to be measured at this load: it was asked for, or stands on more than one ladder. */
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

const NOT_ON_ITS_LADDER = 'not a load of its ladder';

/** A ladder that was never decided may have had any load. */
function wasAsked({ subjects }: RunResult, tier: string, scenario: string, load: OfferedLoad): boolean {
  const planned = subjects.find(({ id }) => id === tier)?.planned ?? [];
  const own = planned.filter((each) => each.scenario === scenario);
  return own.length === 0 || own.some((each) => isSameLoad(each.load, load));
}

function wasMeasured(trials: readonly JudgedTrial[], tier: string, load: OfferedLoad): boolean {
  return trials.some(({ summary }) => summary.tier === tier && isSameLoad(summary.load, load));
}
