import { describeLoad, isSameLoad, loadLevel, type OfferedLoad } from '../core/load.ts';
import type { RunResult } from '../core/run.ts';
import type { Target } from '../core/target.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { requestCounts } from './summarize.ts';
import type { SummarizedTrial } from './summary.ts';

/** One measured load of a scenario: what targets are judged by. */
export interface Rung extends SummarizedTrial {
  /** Requests that were not answered rightly or not sent, and all. */
  readonly bad: number;
  readonly all: number;
  /** Concurrency or arrival rate. */
  readonly level: number;
  /** `concurrency 100` */
  readonly name: string;
}

/** The loads that were measured for one scenario of one tier. */
export interface Ladder {
  readonly tier: string;
  readonly scenario: string;
  /** By ascending load. */
  readonly rungs: readonly Rung[];
  /** What the run was to measure and did not. */
  readonly missing: readonly OfferedLoad[];
}

export function rungOf({ measured, summary }: SummarizedTrial): Rung {
  const { load } = summary;
  return { measured, summary, ...requestCounts(measured.trial), level: loadLevel(load), name: describeLoad(load) };
}

export function ladderOf(result: RunResult, rungs: readonly Rung[], tier: string, scenario: string): Ladder {
  const own = rungs
    .filter(({ measured }) => measured.tier === tier && measured.trial.plan.scenario === scenario)
    .toSorted((left, right) => left.level - right.level);
  const planned = result.facts.tiers.find((facts) => facts.tier.name === tier)?.planned ?? [];
  const missing = planned
    .filter((each) => each.scenario === scenario && !own.some(({ summary }) => isSameLoad(summary.load, each.load)))
    .map(({ load }) => load);
  return { tier, scenario, rungs: own, missing };
}

export function isSound({ summary }: Rung): boolean {
  return summary.soundness.kind === 'sound';
}

/** p95 when what failed counts as never answered: infinite where fewer than 95 % were answered. */
export function p95WithFailuresS({ measured, bad, all }: Rung): number {
  const rank = Math.ceil(0.95 * all - 1e-9);
  if (rank > all - bad) return Number.POSITIVE_INFINITY;
  const { steps } = measured.trial;
  return LatencyHistogram.merged(steps.map(({ latency }) => LatencyHistogram.decode(latency))).valueAtRankS(rank);
}

/** `concurrency 50, 100: the generator was busy ...`: each kind of reason once, with the figures of the highest such load. */
export function whyUnsound(rungs: readonly Rung[]): readonly string[] {
  const reasons = rungs.flatMap(({ name, summary: { soundness } }) =>
    soundness.kind === 'unsound' ? soundness.reasons.map((reason) => ({ name, reason })) : [],
  );
  const alike = Map.groupBy(reasons, ({ reason }) => reason.replaceAll(/[\d.,]+ ?(?:%|[µm]?s\b|\/s)?/gu, '#'));
  return [...alike.values()].map((group) => {
    const [first = '', ...others] = [...new Set(group.map(({ name }) => name))];
    const names = [first, ...others.map((name) => name.replace('concurrency ', ''))].join(', ');
    return `${names}: ${group.at(-1)?.reason ?? ''}`;
  });
}

/** `concurrency 1 to 100` */
export function describeRange(rungs: readonly Rung[]): string {
  const first = rungs.at(0);
  const last = rungs.at(-1);
  if (first === undefined || last === undefined) return 'no load';
  return first.level === last.level ? first.name : `${first.name} to ${last.level}`;
}

/** The value a measurement must not exceed or must reach: of a range the end that can be missed. */
export function boundOf({ value, comparison }: Target, side: 'at most' | 'at least'): Bound {
  const limit = typeof value === 'number' ? value : value[side === 'at most' ? 1 : 0];
  return side === 'at most'
    ? { limit, keeps: comparison === '<' ? (it) => it < limit : (it) => it <= limit }
    : { limit, keeps: comparison === '>' ? (it) => it > limit : (it) => it >= limit };
}

export interface Bound {
  readonly limit: number;
  readonly keeps: (value: number) => boolean;
}
