import type { Target } from '../core/target.ts';
import { formatBound, formatRate } from '../core/units.ts';
import { type Finding, inconclusive, met, missed, rungsFor } from './findings.ts';
import type { PilotEstimate } from './pilot.ts';
import {
  type Bound,
  boundOf,
  describeRange,
  isValidOrOverloaded,
  type Ladder,
  NOT_SUSTAINED_RATIO,
  type Rung,
  sustainedRequestsPerS,
  whyInvalid,
} from './rungs.ts';

/** More than this much more throughput at the most users means that more of them may bring still more. */
const RISE_THAT_MATTERS = 1.05;

/**
 * Successful requests per second at the best load.
 *
 * Met: at a sound load the whole interval reaches the target, or so much or more arrived and was answered as it came (the
 * throughput is the arrival rate then, give or take chance). Missed: the best does not reach it, and more load brings no
 * more: waiting users had stopped getting more out of it before the highest number of them, and no unsound trial looked
 * better.
 */
export function judgeThroughput(target: Target, ladder: Ladder): Finding {
  const bound = boundOf(target, 'at least');
  const { rungs, missing } = rungsFor(target, ladder);
  const sound = rungs.filter((rung) => isValidOrOverloaded(rung) && rung.summary.throughputPerS !== null);
  const best = highest(sound);
  if (best === undefined) {
    const reasons = [...whyInvalid(rungs), ...missing];
    return inconclusive(reasons, null, `No sound trial over ${describeRange(rungs)}.`);
  }
  const value = best.summary.throughputPerS;
  const evidence = `${describe(best)}, the most over ${describeRange(rungs)}`;
  const reaching = sound.filter((rung) => reaches(rung, bound));
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
  const reasons = [...whyMoreMayCome(target, sound, rungs, best, ladder), ...missing];
  if (reasons.length > 0) return inconclusive(reasons, value, evidence);
  return missed(`${describe(best)} at most, not ${formatBound(target)}`, value, evidence);
}

/** At this load it is as much as the target asks for, chance left aside. */
export function reaches(rung: Rung, bound: Bound): boolean {
  const carried = sustainedRequestsPerS(rung);
  if (carried !== null && bound.keeps(carried)) return true;
  return bound.keeps(rung.summary.throughputPerS?.low ?? Number.NEGATIVE_INFINITY);
}

function whyMoreMayCome(
  target: Target,
  sound: readonly Rung[],
  rungs: readonly Rung[],
  best: Rung,
  { pilot }: Ladder,
): string[] {
  const unsound = rungs.filter((rung) => !isValidOrOverloaded(rung));
  const looksBetter = (rung: Rung) => throughput(rung) > throughput(best) * RISE_THAT_MATTERS;
  if (target.appliesTo.concurrency !== undefined) return [...whyInvalid(unsound.filter(looksBetter))];
  const rising = whyStillRising(sound, pilot);
  const doubtful = unsound.filter((rung) => looksBetter(rung) || (rising !== null && isMore(rung, sound)));
  return [...(rising === null ? [] : [rising]), ...whyInvalid(doubtful)];
}

/** Null where more load was seen to bring no more. */
function whyStillRising(sound: readonly Rung[], probe: PilotEstimate | undefined): string | null {
  const open = sound.filter(({ summary: { load } }) => load.model === 'open');
  if (open.some(fellBehind)) return null;
  const waiting = [
    ...(probe === undefined
      ? []
      : [{ level: probe.concurrency, name: `concurrency ${probe.concurrency}`, perS: probe.throughputPerS }]),
    ...sound
      .filter(({ summary: { load } }) => load.model === 'closed')
      .map((rung) => ({ level: rung.level, name: rung.name, perS: throughput(rung) })),
  ].toSorted((left, right) => left.level - right.level);
  const last = waiting.at(-1);
  const before = Math.max(...waiting.filter(({ level }) => level < (last?.level ?? 0)).map(({ perS }) => perS));
  if (last !== undefined && Number.isFinite(before)) {
    return last.perS > before * RISE_THAT_MATTERS
      ? `the throughput was still rising at ${last.name}, the highest sound load; measure higher ones with --concurrency`
      : null;
  }
  const highestOpen = open.at(-1);
  return highestOpen === undefined
    ? `only ${last?.name ?? 'no load'} was measured soundly, so nobody knows if more load brings more; see --concurrency`
    : `${sustainedRequestsPerS(highestOpen) === null ? 'nearly all' : 'all'} that arrived at ${highestOpen.name} was answered, so more may be; measure higher rates with --rate`;
}

/** More arrived than was answered, and chance or what is under way at the end of a short trial does not explain it. */
function fellBehind(rung: Rung): boolean {
  if (sustainedRequestsPerS(rung) !== null) return false;
  const { iterations, measuredS } = rung.record.trial;
  const { iterationsPerS, validity } = rung.summary;
  if (validity.kind === 'invalid' && validity.overloaded) return true;
  return iterationsPerS !== null && iterationsPerS.high < ((1 - NOT_SUSTAINED_RATIO) * iterations.intended) / measuredS;
}

/** Higher than every sound load of its kind. */
function isMore(rung: Rung, sound: readonly Rung[]): boolean {
  const { model } = rung.summary.load;
  return sound.every(({ level, summary: { load } }) => load.model !== model || level < rung.level);
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
