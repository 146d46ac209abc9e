import { byLoad, describeLoad, isOneRate, isSameLoad, loadLevel, type OfferedLoad } from '../core/load.ts';
import type { RunResult } from '../core/run.ts';
import type { Target } from '../core/target.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { type PilotEstimate, pilotOf, wholeRequests } from './pilot.ts';
import { type RequestCounts, requestCounts } from './summarize.ts';
import type { JudgedTrial } from './summary.ts';

/** One measured load of a scenario: what targets are judged by. */
export interface Rung extends JudgedTrial, RequestCounts {
  /** Concurrency or arrival rate. */
  readonly level: number;
  /** `concurrency 100` */
  readonly name: string;
}

/** The loads that were measured for one scenario of one tier. */
export interface Ladder {
  readonly tier: string;
  readonly scenario: string;
  /** Arrival rates first, then numbers of users; each ascending. */
  readonly rungs: readonly Rung[];
  /** Undefined where nothing was warmed up. */
  readonly pilot: PilotEstimate | undefined;
  /** What the run was to measure and did not. */
  readonly missing: readonly OfferedLoad[];
}

export function rungOf({ record, summary }: JudgedTrial): Rung {
  const { load } = summary;
  return { record, summary, ...requestCounts(record.trial), level: loadLevel(load), name: describeLoad(load) };
}

export function ladderOf(result: RunResult, rungs: readonly Rung[], tier: string, scenario: string): Ladder {
  const own = rungs
    .filter(({ record }) => record.subject === tier && record.trial.plan.scenario === scenario)
    .toSorted((left, right) => byLoad(left.summary.load, right.summary.load));
  const planned = result.subjects.find(({ id }) => id === tier)?.planned ?? [];
  const missing = planned
    .filter((each) => each.scenario === scenario && !own.some(({ summary }) => isSameLoad(summary.load, each.load)))
    .map(({ load }) => load);
  return { tier, scenario, rungs: own, pilot: pilotOf(result.trials, tier, scenario), missing };
}

export function isValid({ summary }: Rung): boolean {
  return summary.validity.kind === 'valid';
}

/**
 * Sound, or unsound only as its latency grew: to measure longer would have read more, so what it misses is missed; and its
 * throughput is as sound as any.
 */
export function isValidOrOverloaded({ summary: { validity } }: Rung): boolean {
  return validity.kind === 'valid' || validity.overloaded;
}

/** p95 when what failed counts as never answered: infinite where fewer than 95 % were answered. */
export function p95WithFailuresS({ record, bad, all }: Rung): number {
  const rank = Math.ceil(0.95 * all - 1e-9);
  if (rank > all - bad) return Number.POSITIVE_INFINITY;
  const { steps } = record.trial;
  return LatencyHistogram.merged(steps.map(({ latency }) => LatencyHistogram.decode(latency))).valueAtRankS(rank);
}

/** `300/s, concurrency 50, 100: the generator was busy ...`: each kind of reason once, with the figures of the highest such load. */
export function whyInvalid(rungs: readonly Rung[]): readonly string[] {
  const reasons = rungs.flatMap(({ name, summary: { validity } }) =>
    validity.kind === 'invalid' ? validity.reasons.map((reason) => ({ name, reason })) : [],
  );
  const alike = Map.groupBy(reasons, ({ reason }) => reason.replaceAll(/[\d.,]+ ?(?:%|[µm]?s\b|\/s)?/gu, '#'));
  return [...alike.values()].map((group) => {
    const names = [...new Set(group.map(({ name }) => name))];
    // The word once, before the first number of users.
    const firstOfUsers = names.findIndex((name) => name.startsWith('concurrency '));
    const short = names.map((name, index) => (index > firstOfUsers ? name.replace('concurrency ', '') : name));
    return `${short.join(', ')}: ${group.at(-1)?.reason ?? ''}`;
  });
}

/** Arrivals and users are two kinds of load: which of two of them is more, nobody can say. */
export function ofEachModel(rungs: readonly Rung[]): readonly (readonly Rung[])[] {
  return [...Map.groupBy(rungs, ({ summary: { load } }) => load.model).values()];
}

/** `10/s to 300/s and concurrency 1 to 100` */
export function describeRange(rungs: readonly Rung[]): string {
  if (rungs.length === 0) return 'no load';
  const ranges = ofEachModel(rungs).map((group) => {
    const [first, last] = [group[0]?.name ?? '', group.at(-1)?.name ?? ''];
    return first === last ? first : `${first} to ${last.replace('concurrency ', '')}`;
  });
  return ranges.join(' and ');
}

/**
 * An open load answered as it came: by how many requests/s it was offered. Null where a hundredth or more of what was due
 * was not completed rightly within the window, and for closed loads, which offer what is answered.
 */
export function sustainedRequestsPerS({ record: { trial }, all, dropped }: Rung): number | null {
  const { plan, iterations } = trial;
  if (plan.load.model === 'closed' || !isOneRate(plan.load) || iterations.completed === 0) return null;
  const carried = (iterations.completed - iterations.failed) / iterations.intended;
  if (carried < 1 - NOT_SUSTAINED_RATIO) return null;
  return (plan.load.arrivalRatePerS * (all - dropped)) / iterations.completed;
}

/**
 * What a load offers in the words of the documents: requests/s, where arrivals are iterations; of waiting users their
 * number. `requestsPerIteration` is that of the probe, by which rates were chosen, or else what the trial itself had.
 */
export function documentedLevel(rung: Rung, requestsPerIteration = ownRequestsPerIteration(rung)): number {
  const { load } = rung.summary;
  return load.model === 'closed' ? rung.level : rung.level * wholeRequests(requestsPerIteration);
}

function ownRequestsPerIteration({ record: { trial }, all, dropped }: Rung): number {
  return trial.iterations.completed === 0 ? 1 : (all - dropped) / trial.iterations.completed;
}

/** Where so much of what was due was not answered rightly, not all of it was carried. */
export const NOT_SUSTAINED_RATIO = 0.01;

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
