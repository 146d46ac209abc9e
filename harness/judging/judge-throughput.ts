import type { Evidence, WhyNot } from '../core/findings.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { Target } from '../core/target.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { whyThroughputPessimistic } from './disturbance.ts';
import { type Bound, boundOf, inconclusive, type Judgement, met, missed, notJudged } from './judged-target.ts';
import { isValid, isValidOrOverloaded, type JudgedTrial } from './judged-trial.ts';
import {
  type LoadSteps,
  levelOf,
  loadsOf,
  NOT_SUSTAINED_RATIO,
  sustainedRequestsPerS,
  trialsFor,
  whyInvalid,
} from './load-steps.ts';
import type { PilotEstimate } from './pilot.ts';

/** More than this much more throughput at the highest concurrency means that more of it may bring still more. */
const RISE_THAT_MATTERS = 1.05;

/**
 * Successful requests per second at the best load.
 *
 * Met: at a valid load the whole interval reaches the target, or so much or more arrived and was answered as it came (the
 * throughput is the arrival rate then, give or take chance). Missed: the best does not reach it, and more load brings no
 * more: closed-loop throughput had stopped rising before the highest concurrency, no invalid trial looked better, and nothing
 * made the throughput lower than that of the system alone.
 */
export function judgeThroughput(target: Target, steps: LoadSteps): Judgement {
  const bound = boundOf(target, 'at least');
  const { trials, missing } = trialsFor(target, steps);
  const usable = trials.filter((trial) => isValidOrOverloaded(trial) && trial.summary.throughputPerS !== null);
  const offered = mostOffered(trials);
  if (offered !== null && !bound.keeps(offered.mostPerS)) return notJudged({ code: 'offers-less', ...offered });
  const best = highest(usable);
  const loads = loadsOf(trials);
  if (best === undefined) {
    return inconclusive([...whyInvalid(trials), ...missing], null, { code: 'no-valid-trial', loads });
  }
  const evidenceAt = (trial: JudgedTrial): Evidence => {
    return { code: 'throughput', load: trial.summary.load, throughputPerS: throughput(trial), loads };
  };
  const value = best.summary.throughputPerS;
  const reaching = highest(usable.filter((trial) => reaches(trial, bound)));
  if (reaching !== undefined) return met(reaching.summary.throughputPerS, evidenceAt(reaching));
  const nearest = highest(usable.filter(({ summary }) => bound.keeps(summary.throughputPerS?.high ?? 0)));
  if (nearest !== undefined) {
    const { low: lowPerS = 0, high: highPerS = 0 } = nearest.summary.throughputPerS ?? {};
    const { load } = nearest.summary;
    return inconclusive([{ code: 'throughput-straddles', load, lowPerS, highPerS }], value, evidenceAt(best));
  }
  const reasons = [
    ...usable.flatMap(whyPessimisticAt),
    ...whyMoreMayCome(target, usable, trials, best, steps),
    ...missing,
  ];
  if (reasons.length > 0) return inconclusive(reasons, value, evidenceAt(best));
  const { load } = best.summary;
  return missed({ code: 'throughput-below', load, throughputPerS: throughput(best) }, value, evidenceAt(best));
}

/**
 * The requests/s that the users of a closed-loop load would make if no answer took any time: what is left of their time
 * between requests is their own, think time above all. Null where arrivals are offered too, or too many requests failed to
 * know how long users waited.
 */
function mostOffered(trials: readonly JudgedTrial[]) {
  const [highestLoad] = trials.toSorted((left, right) => levelOf(right) - levelOf(left));
  const load = highestLoad?.summary.load;
  if (highestLoad === undefined || load === undefined || trials.some(({ summary }) => summary.load.model === 'open')) {
    return null;
  }
  const { latency, requests, record } = highestLoad;
  if (!isValid(highestLoad) || latency.count === 0 || requests.failed > NOT_SUSTAINED_RATIO * requests.all) return null;
  const inFlight = LatencyHistogram.decode(record.trial.inFlightAtEnd);
  const inFlightS = inFlight.count === 0 ? 0 : inFlight.count * inFlight.meanS;
  const ownS = levelOf(highestLoad) * record.trial.measuredS - latency.count * latency.meanS - inFlightS;
  return ownS <= 0 ? null : { load, mostPerS: (levelOf(highestLoad) * latency.count) / ownS };
}

/** Whether this load is as much as the target asks for, chance left aside. */
export function reaches(trial: JudgedTrial, bound: Bound): boolean {
  const sustained = sustainedRequestsPerS(trial);
  if (sustained !== null && bound.keeps(sustained)) return true;
  return bound.keeps(trial.summary.throughputPerS?.low ?? Number.NEGATIVE_INFINITY);
}

function whyPessimisticAt(trial: JudgedTrial): readonly WhyNot[] {
  const caveat = whyThroughputPessimistic(trial);
  return caveat === null ? [] : [{ code: 'disturbed', load: trial.summary.load, caveat }];
}

function whyMoreMayCome(
  target: Target,
  usable: readonly JudgedTrial[],
  trials: readonly JudgedTrial[],
  best: JudgedTrial,
  { pilot }: LoadSteps,
): readonly WhyNot[] {
  const invalid = trials.filter((trial) => !isValidOrOverloaded(trial));
  const looksBetter = (trial: JudgedTrial) => throughput(trial) > throughput(best) * RISE_THAT_MATTERS;
  if (target.appliesTo.concurrency !== undefined) return whyInvalid(invalid.filter(looksBetter));
  const rising = whyStillRising(usable, pilot);
  const doubtful = invalid.filter((trial) => looksBetter(trial) || (rising !== null && isMore(trial, usable)));
  return [...(rising === null ? [] : [rising]), ...whyInvalid(doubtful)];
}

/** Null where more load was seen to bring no more. */
function whyStillRising(usable: readonly JudgedTrial[], pilot: PilotEstimate | undefined): WhyNot | null {
  const open = usable.filter(({ summary: { load } }) => load.model === 'open');
  if (open.some(fellBehind)) return null;
  const closed: readonly { readonly load: OfferedLoad; readonly concurrency: number; readonly perS: number }[] = [
    ...(pilot === undefined ? [] : [closedPoint(pilot.concurrency, pilot.throughputPerS)]),
    ...usable
      .filter(({ summary: { load } }) => load.model === 'closed')
      .map((trial) => closedPoint(levelOf(trial), throughput(trial))),
  ].toSorted((left, right) => left.concurrency - right.concurrency);
  const last = closed.at(-1);
  const before = Math.max(
    ...closed.filter(({ concurrency }) => concurrency < (last?.concurrency ?? 0)).map(({ perS }) => perS),
  );
  if (last !== undefined && Number.isFinite(before)) {
    return last.perS > before * RISE_THAT_MATTERS ? { code: 'throughput-still-rising', load: last.load } : null;
  }
  const highestOpen = open.at(-1);
  if (highestOpen !== undefined) {
    const nearly = sustainedRequestsPerS(highestOpen) === null;
    return { code: 'limit-not-reached', load: highestOpen.summary.load, nearly };
  }
  return last === undefined ? null : { code: 'one-load-only', load: last.load };
}

function closedPoint(concurrency: number, perS: number) {
  return { load: { model: 'closed', concurrency }, concurrency, perS } as const;
}

/** More arrived than was answered, and chance or what is in flight at the end of a short trial does not explain it. */
function fellBehind(trial: JudgedTrial): boolean {
  if (sustainedRequestsPerS(trial) !== null) return false;
  const { iterations, measuredS } = trial.record.trial;
  const { validity, summary } = trial;
  if (validity.kind === 'invalid' && validity.overloaded) return true;
  const { iterationsPerS } = summary;
  return iterationsPerS !== null && iterationsPerS.high < ((1 - NOT_SUSTAINED_RATIO) * iterations.intended) / measuredS;
}

/** Higher than every usable load of its model. */
function isMore(trial: JudgedTrial, usable: readonly JudgedTrial[]): boolean {
  const { model } = trial.summary.load;
  return usable.every((other) => other.summary.load.model !== model || levelOf(other) < levelOf(trial));
}

function highest(trials: readonly JudgedTrial[]): JudgedTrial | undefined {
  return trials.toSorted((left, right) => throughput(right) - throughput(left))[0];
}

function throughput({ summary }: JudgedTrial): number {
  return summary.throughputPerS?.value ?? 0;
}
