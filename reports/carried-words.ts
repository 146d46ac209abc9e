import { describeLoad, loadLevel } from '../harness/core/load.ts';
import { formatBound, formatRatio, formatSeconds } from '../harness/core/units.ts';
import type { JudgedTrial } from '../harness/judging/judged-trial.ts';
import type { NextRate, SustainedRate } from '../harness/judging/sustained-rate.ts';

/** How far a tier came by arrival rate, in words: the same in every format. */

/** `1,500/s at p95 40 ms`, or that there is no such rate. */
export function carriedText({ trial, next }: SustainedRate): string {
  if (trial === null) return next?.why === 'invalid' ? 'no rate, as none is sound' : 'no measured rate';
  return `${describeLoad(trial.summary.load)} at ${figuresText(trial)}`;
}

/** `p95 40 ms with 0.2 % errors` */
function figuresText({ summary: { latency, errorRatio } }: JudgedTrial): string {
  const p95 = latency.p95S === null ? 'too few samples for p95' : `p95 ${formatSeconds(latency.p95S.value)}`;
  return errorRatio === 0 ? p95 : `${p95} with ${formatRatio(errorRatio)} errors`;
}

/** What other rates did: `500/s leaves it open with p95 210 ms; 2,000/s missed it with p95 1.2 s`. */
export function otherRatesText({ openBelow, next, target }: SustainedRate): string {
  return [
    ...openBelow.map((trial) => `${describeLoad(trial.summary.load)} leaves it open with ${figuresText(trial)}`),
    next === null ? 'no higher rate was measured' : nextText(next, target === null),
  ].join('; ');
}

function nextText({ trial, why }: NextRate, isOnlyAboutSoundness: boolean): string {
  const rate = describeLoad(trial.summary.load);
  switch (why) {
    case 'missed':
      return `${rate} missed it with ${figuresText(trial)}`;
    case 'inconclusive':
      return `${rate} leaves it open with ${figuresText(trial)}`;
    case 'invalid':
      return `${rate} ${isOnlyAboutSoundness ? 'was measured too, but ' : ''}is not sound`;
  }
}

/** `< 200 ms`; of no target, what it stands for then. */
export function carriedTargetText({ target }: SustainedRate): string {
  return target === null ? 'none: the highest sound rate' : formatBound(target);
}

/** `crud carried 1,500/s at p95 40 ms (target < 200 ms); 2,000/s missed it with p95 1.2 s` */
export function carriedSentence(scenario: string, carried: SustainedRate): string {
  const text = carriedText(carried);
  if (carried.target === null) {
    return carried.trial === null
      ? `${scenario}: no arrival rate was measured soundly`
      : `${scenario} carried ${text}, the highest sound rate; there is no p95 target to hold it against`;
  }
  return `${scenario} carried ${text} (target ${formatBound(carried.target)}); ${otherRatesText(carried)}`;
}

/** A tier of several. */
export interface CarriedByTier {
  readonly name: string;
  readonly scenarios: readonly { readonly name: string; readonly sustained: readonly SustainedRate[] }[];
}

/**
 * `Within p95 < 200 ms of crud cached carried 1,500/s at p95 40 ms and pooled 700/s at p95 120 ms`: a sentence for each
 * scenario and target. Of tiers with ladders of their own it is what can be said of all.
 */
export function carriedByTiers(tiers: readonly CarriedByTier[]): readonly string[] {
  const all = tiers.flatMap(({ name: tier, scenarios }) =>
    scenarios.flatMap(({ name: scenario, sustained }) => sustained.map((each) => ({ tier, scenario, carried: each }))),
  );
  const groups = Map.groupBy(all, ({ scenario, carried }) => JSON.stringify([scenario, carriedTargetText(carried)]));
  return [...groups.values()].map((own) => {
    const ranked = own.toSorted((left, right) => levelOf(right.carried) - levelOf(left.carried));
    const [first] = ranked;
    if (first === undefined) return '';
    const { target } = first.carried;
    const parts = ranked.map(({ tier, carried }, index) => {
      const most = carried.next === null ? ', the highest rate it was measured at' : '';
      return `${tier} ${index === 0 ? 'carried ' : ''}${carriedText(carried)}${most}`;
    });
    const within = target === null ? 'Without a p95 target' : `Within p95 ${formatBound(target)}`;
    return `${within} of ${first.scenario} ${parts.join('; ')}.`;
  });
}

function levelOf({ trial }: SustainedRate): number {
  return trial === null ? 0 : loadLevel(trial.summary.load);
}
