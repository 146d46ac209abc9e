import type { Target } from '../core/target.ts';
import { formatBound, formatNumber, formatRatio } from '../core/units.ts';
import { proportionInterval } from '../statistics/proportion-interval.ts';
import { type Finding, inconclusive, met, missed, rungsFor } from './findings.ts';
import { boundOf, describeRange, isValid, type Ladder, type Rung, whyInvalid } from './rungs.ts';

/**
 * Requests that failed or were never sent, of all.
 *
 * Missed: at some sound load the whole interval lies beyond the target. Met: no load was beyond it, every trial is
 * sound, and the interval of all loads together keeps it. Together, because few failures take many requests to rule
 * out: 0.1 % takes 3,700 without a failure, which a slow scenario does not reach at each load.
 */
export function judgeErrorRatio(target: Target, ladder: Ladder): Finding {
  const bound = boundOf(target, 'at most');
  const { rungs, missing } = rungsFor(target, ladder);
  if (rungs.length === 0) return inconclusive(missing, null, 'The load it names was not measured.');
  for (const rung of rungs) {
    const ratio = proportionInterval(rung.bad, rung.all);
    if (!isValid(rung) || ratio === null || bound.keeps(ratio.low)) continue;
    const what = `${failures([rung])} at ${rung.name}`;
    return missed(`${what}, ${formatRatio(ratio.value)}, not ${formatBound(target)}`, ratio, what);
  }
  const together = proportionInterval(total(rungs, 'bad'), total(rungs, 'all'));
  const evidence = `${failures(rungs)} over ${describeRange(rungs)}`;
  const beyond = rungs.filter((rung) => isValid(rung) && !bound.keeps(rung.summary.errorRatio));
  const reasons = [
    ...whyInvalid(rungs),
    ...beyond.map((rung) => `${failures([rung])} at ${rung.name}: too few requests to tell that from chance`),
    ...missing,
  ];
  if (together === null || !bound.keeps(together.high)) {
    const upTo = together === null ? '' : `, which allows for up to ${formatRatio(together.high)}`;
    reasons.push(`${evidence}${upTo}; measure more of them with --duration`);
  }
  return reasons.length === 0 ? met(together, evidence) : inconclusive(reasons, together, evidence);
}

function failures(rungs: readonly Rung[]): string {
  return `${formatNumber(total(rungs, 'bad'))} of ${formatNumber(total(rungs, 'all'))} requests failed`;
}

function total(rungs: readonly Rung[], what: 'bad' | 'all'): number {
  return rungs.reduce((sum, rung) => sum + rung[what], 0);
}
