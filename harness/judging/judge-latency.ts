import type { Target } from '../core/target.ts';
import { formatBound, formatNumber, formatRatio, formatSeconds } from '../core/units.ts';
import { proportionInterval } from '../statistics/proportion-interval.ts';
import { type Finding, inconclusive, met, missed, rungsFor } from './findings.ts';
import {
  type Bound,
  boundOf,
  describeRange,
  isValid,
  isValidOrOverloaded,
  type Ladder,
  ofEachModel,
  p95WithFailuresS,
  type Rung,
  whyInvalid,
} from './rungs.ts';

/**
 * p95 of all requests of a scenario, at each load that was measured, or at the one the target names.
 *
 * Met: at every load the whole interval keeps the target, also p95 with what failed counted as never answered, and every
 * trial is sound. Missed: at some sound load the whole
 * interval lies beyond it, or so many requests failed that fewer than 95 % were answered at all. A generator at its limit
 * makes latencies longer, so an unsound trial is no miss either, unless all that is wrong is that its latency grew.
 */
export function judgeLatency(target: Target, ladder: Ladder): Finding {
  const bound = boundOf(target, 'at most');
  const { rungs, missing } = rungsFor(target, ladder);
  if (rungs.length === 0) return inconclusive(missing, null, 'The load it names was not measured.');
  const firstMiss = rungs.find((rung) => isValidOrOverloaded(rung) && isBeyond(rung, bound));
  if (firstMiss !== undefined) return missedFrom(firstMiss, target, bound, rungs);
  const open = rungs.filter((rung) => !isValid(rung) || !isWithin(rung, bound));
  const worst = rungs.toSorted((left, right) => highS(right) - highS(left))[0];
  const value = worst?.summary.latency.p95S ?? null;
  if (open.length === 0 && missing.length === 0) {
    return met(value, `${describeP95(worst)}, the worst of ${describeRange(rungs)}`);
  }
  const reasons = [
    ...whyInvalid(open),
    ...open.filter(isValid).map((rung) => `${rung.name}: ${whyOpen(rung, target, bound)}`),
    ...missing,
  ];
  return inconclusive(reasons, value, `${describeP95(worst)}; ${metUpTo(rungs, bound)}`);
}

function missedFrom(first: Rung, target: Target, bound: Bound, rungs: readonly Rung[]): Finding {
  const last = rungs.findLast((rung) => isValidOrOverloaded(rung) && isBeyond(rung, bound)) ?? first;
  const violation = hasTooFewAnswers(first)
    ? `${first.name}: ${formatRatio(first.summary.errorRatio)} of the requests failed, so fewer than 95 % were answered at all`
    : `${describeP95(first)}, not ${formatBound(target)}`;
  const evidence = [describeP95(first), ...(last === first ? [] : [describeP95(last)]), metUpTo(rungs, bound)];
  return missed(violation, first.summary.latency.p95S, evidence.join('; '));
}

/** A request that failed was not answered in time either. */
function hasTooFewAnswers({ bad, all }: Rung): boolean {
  return (proportionInterval(bad, all)?.low ?? 0) > 0.05;
}

function isBeyond(rung: Rung, bound: Bound): boolean {
  const { p95S } = rung.summary.latency;
  return hasTooFewAnswers(rung) || (p95S !== null && !bound.keeps(p95S.low));
}

function isWithin(rung: Rung, bound: Bound): boolean {
  const { p95S } = rung.summary.latency;
  return p95S !== null && bound.keeps(p95S.high) && bound.keeps(p95WithFailuresS(rung));
}

function whyOpen(rung: Rung, target: Target, bound: Bound): string {
  const { summary, bad, all } = rung;
  const { p95S } = summary.latency;
  if (p95S === null) {
    return `${all - bad} successful requests are too few for p95; measure longer with --duration`;
  }
  if (bound.keeps(p95S.high)) {
    const withFailuresS = p95WithFailuresS(rung);
    const then = Number.isFinite(withFailuresS)
      ? `p95 is ${formatSeconds(withFailuresS)}`
      : 'fewer than 95 % were answered';
    return `${formatNumber(bad)} of ${formatNumber(all)} requests failed: with those counted as never answered ${then}; mend the failures first`;
  }
  const interval = `${formatSeconds(p95S.low)} to ${formatSeconds(p95S.high)}`;
  return `p95 lies somewhere in ${interval}, on both sides of ${formatBound(target)}; measure longer with --duration`;
}

function describeP95(rung: Rung | undefined): string {
  if (rung === undefined) return 'p95 unknown';
  const { p95S } = rung.summary.latency;
  return `p95 ${p95S === null ? 'unknown' : formatSeconds(p95S.value)} at ${rung.name}`;
}

/** Up to which load every trial is sound and keeps the target. */
function metUpTo(rungs: readonly Rung[], bound: Bound): string {
  const names = ofEachModel(rungs).flatMap((group) => {
    const firstOpen = group.findIndex((rung) => !isValid(rung) || !isWithin(rung, bound));
    const last = firstOpen === -1 ? group.at(-1) : group[firstOpen - 1];
    return last === undefined ? [] : [last.name];
  });
  return names.length === 0 ? 'met at no sound load' : `met up to ${names.join(' and ')}`;
}

function highS({ summary: { latency } }: Rung): number {
  return latency.p95S?.high ?? Number.POSITIVE_INFINITY;
}
