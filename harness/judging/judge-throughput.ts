import type { Target } from '../core/target.ts';
import { formatBound, formatRate } from '../core/units.ts';
import { type Finding, inconclusive, met, missed, rungsFor } from './findings.ts';
import { boundOf, describeRange, isSound, type Ladder, type Rung, whyUnsound } from './rungs.ts';

/** More than this much more throughput at the highest load means that a higher load may bring still more. */
const RISE_THAT_MATTERS = 1.05;

/**
 * Successful requests per second at the best load.
 *
 * Met: at a sound load the whole interval reaches the target. Missed: the best does not reach it, and more load
 * brings no more: the throughput had stopped rising before the highest sound load, and no unsound trial looked better.
 */
export function judgeThroughput(target: Target, ladder: Ladder): Finding {
  const bound = boundOf(target, 'at least');
  const { rungs, missing } = rungsFor(target, ladder);
  const sound = rungs.filter((rung) => isSound(rung) && rung.summary.throughputPerS !== null);
  const best = highest(sound);
  if (best === undefined) {
    const reasons = [...whyUnsound(rungs), ...missing];
    return inconclusive(reasons, null, `No sound trial over ${describeRange(rungs)}.`);
  }
  const value = best.summary.throughputPerS;
  const evidence = `${describe(best)}, the most over ${describeRange(rungs)}`;
  const reaching = sound.filter(({ summary }) => bound.keeps(summary.throughputPerS?.low ?? Number.NEGATIVE_INFINITY));
  if (reaching.length > 0) {
    const reached = highest(reaching) ?? best;
    return met(reached.summary.throughputPerS, `${describe(reached)}, the most over ${describeRange(rungs)}`);
  }
  const nearest = highest(sound.filter(({ summary }) => bound.keeps(summary.throughputPerS?.high ?? 0)));
  if (nearest !== undefined) {
    const { low = 0, high = 0 } = nearest.summary.throughputPerS ?? {};
    const reason = `${nearest.name} lies somewhere in ${formatRate(low)} to ${formatRate(high)}, on both sides of ${formatBound(target)}; measure longer with --duration`;
    return inconclusive([reason], value, evidence);
  }
  const reasons = [...whyMoreMayCome(target, sound, rungs, best), ...missing];
  if (reasons.length > 0) return inconclusive(reasons, value, evidence);
  return missed(`${describe(best)} at most, not ${formatBound(target)}`, value, evidence);
}

function whyMoreMayCome(target: Target, sound: readonly Rung[], rungs: readonly Rung[], best: Rung): string[] {
  const reasons: string[] = [];
  const unsound = rungs.filter((rung) => !isSound(rung));
  const looksBetter = (rung: Rung) => throughput(rung) > throughput(best) * RISE_THAT_MATTERS;
  if (target.appliesTo.concurrency !== undefined) return [...whyUnsound(unsound.filter(looksBetter))];
  const last = sound.at(-1);
  const before = highest(sound.filter((rung) => rung.level < (last?.level ?? 0)));
  const isRising =
    last !== undefined && before !== undefined && throughput(last) > throughput(before) * RISE_THAT_MATTERS;
  if (last === undefined || before === undefined) {
    reasons.push(`only ${best.name} was measured soundly, so nobody knows if more load brings more; see --concurrency`);
  } else if (isRising) {
    reasons.push(
      `the throughput was still rising at ${last.name}, the highest sound load; measure higher ones with --concurrency`,
    );
  }
  const doubtful = unsound.filter((rung) => looksBetter(rung) || (isRising && rung.level > last.level));
  return [...reasons, ...whyUnsound(doubtful)];
}

function highest(rungs: readonly Rung[]): Rung | undefined {
  return rungs.toSorted((left, right) => throughput(right) - throughput(left))[0];
}

function throughput({ summary }: Rung): number {
  return summary.throughputPerS?.value ?? 0;
}

function describe(rung: Rung): string {
  return `${formatRate(throughput(rung))} at ${rung.name}`;
}
