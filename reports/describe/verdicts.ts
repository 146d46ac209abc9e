import type { Evidence, Violation, WhyNot } from '../../harness/core/findings.ts';
import { describeLoad, type OfferedLoad } from '../../harness/core/load.ts';
import type { LatencyMetric, Target } from '../../harness/core/target.ts';
import {
  formatBound,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../../harness/core/units.ts';
import { list } from '../text.ts';
import { describeObstacle } from './notes.ts';
import { describeCaveat, describeReason, describer } from './reasons.ts';

/** Why something was not judged, compared or measured, or what keeps a verdict open; without the next step. */
export const describeWhyNot = describer<WhyNot>({
  'tier-not-run': ({ obstacles }) => `not run: ${obstacles.map(describeObstacle).join('; ')}`,
  'tier-ended-early': ({ detail }) => `ended early: ${detail}`,
  'not-measured': ({ runEnded }) => (runEnded ? 'not measured before the run ended' : 'not measured'),
  'not-planned': () => 'not planned for this tier',
  'planned-load-not-measured': ({ load }) => `${describeLoad(load)} was not measured`,
  'no-load-as-high': ({ model, level }) =>
    model === 'closed'
      ? `no concurrency of ${formatNumber(level)} or more was measured`
      : `no arrival rate of ${formatNumber(level)} requests/s or more was measured`,
  'no-trial-of-scenario': ({ scenario }) => `the run ended before a trial of ${scenario} was measured`,
  invalid: ({ reason }) => `invalid: ${describeReason(reason)}`,
  'too-many-failed': ({ errorRatio }) => `${formatRatio(errorRatio)} of the requests failed`,
  'too-few-answers': () => 'too few answers',
  'not-yet': ({ detail }) => detail,
  'model-only': ({ model }) => `It is derived by the model '${model}', which a run does not compute.`,
  'other-steps': ({ steps }) => `It is about ${list(steps)}, which the scenario does not send.`,
  'offers-less': ({ load, mostPerS }) =>
    `The users of the scenario pause: ${describeLoad(load)} makes at most ${formatRate(mostPerS)}, however fast the answers are.`,
  'other-scenarios': ({ scenarios }) => `It is about ${list(scenarios)}, not run here.`,
  'data-unknown': () => 'The data was not made by this run, so nobody knows how much there is.',
  'no-such-service': ({ kind }) => `The tier has no ${kind}.`,
  'setting-open': ({ option }) => `The tier leaves ${option} open.`,
  'switched-off': ({ option }) => `The tier has ${option} off.`,
  'follows-other': ({ target, document }) => `The tier follows ${document} instead (${target}).`,
  disturbed: ({ load, caveat }) =>
    `${describeLoad(load)}: ${describeCaveat(caveat)}${caveat.code === 'instrument-lag' ? '; users who waited for that sent fewer requests' : ''}`,
  'invalid-trials': ({ loads, reason }) => `${loadList(loads)}: ${describeReason(reason)}`,
  'too-few-for-percentile': ({ succeeded, needed, ...at }) =>
    `${describeLoad(at.load)}: ${formatNumber(succeeded)} successful requests${ofStep(at)} are too few for ${measureOf(at)}, which takes ${formatNumber(needed)} or more`,
  'latency-straddles': ({ lowS, highS, ...at }) =>
    `${describeLoad(at.load)}: ${measureOf(at)}${ofStep(at)} lies somewhere in ${formatSeconds(lowS)} to ${formatSeconds(highS)}, on both sides of the target`,
  'latency-with-failures': ({ failed, requests, valueS, ...at }) =>
    `${describeLoad(at.load)}: ${failures(failed, requests)}${ofStep(at)}: with those counted as never answered ${valueS === null ? `too few were answered for ${measureOf(at)}` : `${measureOf(at)} is ${formatSeconds(valueS)}`}`,
  'too-few-responses': ({ load, step, neededS }) =>
    `${describeLoad(load)}: too few responses${ofStep({ step })} for the mean of their bytes, which takes some in ${neededS} whole seconds or more`,
  'bytes-straddle': ({ load, step, lowBytes, highBytes }) =>
    `${describeLoad(load)}: a response${ofStep({ step })} has somewhere in ${formatQuantity(lowBytes, 'bytes')} to ${formatQuantity(highBytes, 'bytes')} on average, on both sides of the target`,
  'failures-may-be-chance': ({ scenario, load, failed, requests }) =>
    `${failures(failed, requests)} in ${scenario} at ${describeLoad(load)}: too few requests to tell that from chance`,
  'error-ratio-straddles': ({ failed, requests, highRatio }) =>
    `${failures(failed, requests)}${highRatio === null ? '' : `, which allows for up to ${formatRatio(highRatio)}`}`,
  'users-not-answered': ({ load, answered }) =>
    `only ${formatNumber(answered)} requests were answered at ${describeLoad(load)}, so some users never were`,
  'throughput-straddles': ({ load, lowPerS, highPerS }) =>
    `${describeLoad(load)}: throughput lies somewhere in ${formatRate(lowPerS)} to ${formatRate(highPerS)}, on both sides of the target`,
  'throughput-still-rising': ({ load }) =>
    `the throughput was still rising at ${describeLoad(load)}, the highest valid load`,
  'one-load-only': ({ load }) =>
    `only ${describeLoad(load)} has a valid trial, so nobody knows if more load brings more`,
  'limit-not-reached': ({ load, nearly }) =>
    `${nearly ? 'nearly all' : 'all'} that arrived at ${describeLoad(load)} was answered, so more may be`,
  'too-little-data': ({ unit, amount }) => `only ${formatQuantity(amount, unit)} were there`,
});

/** How the target was missed: `p95 612 ms at concurrency 100, not < 200 ms`. */
export function describeViolation(violation: Violation, target: Target): string {
  const isAboutValue = violation.code !== 'failures-above' && violation.code !== 'too-few-answered';
  return `${describeMiss(violation)}${isAboutValue ? `, not ${formatBound(target)}` : ''}`;
}

const describeMiss = describer<Violation>({
  'latency-above': ({ valueS, steps, ...at }) => `${latencyOf(at, valueS)}${andOthers(at, steps)}`,
  'too-few-answered': ({ errorRatio, steps, ...at }) =>
    `${formatRatio(errorRatio)} of the requests${ofStep(at)} failed at ${describeLoad(at.load)}, so too few were answered for ${measureOf(at)}${andOthers(at, steps)}`,
  'failures-above': ({ scenario, load, failed, requests, limitRatio }) =>
    `${failures(failed, requests)} in ${scenario} at ${describeLoad(load)}, ${formatRatio(failed / requests)}, more than ${formatRatio(limitRatio)}`,
  'bytes-beyond': bytesAt,
  'throughput-below': ({ load, throughputPerS }) => `${formatRate(throughputPerS)} at ${describeLoad(load)} at most`,
  'setting-differs': setting,
});

/** What the verdict rests on: `p95 612 ms at concurrency 100; met up to concurrency 10`. */
export const describeEvidence = describer<Evidence>({
  latency: ({ metric, at, loads, metUpTo }) => {
    const points = at.map(({ valueS, ...where }) => latencyOf({ metric, ...where }, valueS));
    const met = metUpTo.length === 0 ? 'met at no valid load' : `met up to ${list(metUpTo.map(describeLoad))}`;
    return [...points, `measured over ${loadRange(loads)}`, met].join('; ');
  },
  bytes: ({ loads, ...at }) => `${bytesAt(at)}, measured over ${loadRange(loads)}`,
  failures: ({ failed, requests, loads }) =>
    `${failures(failed, requests)} ${loads.length === 1 ? 'at' : 'over'} ${loadRange(loads)}`,
  throughput: ({ load, throughputPerS, loads }) =>
    `${formatRate(throughputPerS)} at ${describeLoad(load)}, measured over ${loadRange(loads)}`,
  'no-valid-trial': ({ loads }) => `no valid trial over ${loadRange(loads)}`,
  data: ({ amounts, validTrials }) =>
    `${describeAmounts(amounts)}; ${formatNumber(validTrials)} valid ${validTrials === 1 ? 'trial' : 'trials'} ran on them`,
  setting,
});

/** `1.2 kB a response of list tasks at 300/s` */
function bytesAt(at: { load: OfferedLoad; step: string | null; meanBytes: number | null }): string {
  const bytes = at.meanBytes === null ? 'unknown bytes' : formatQuantity(at.meanBytes, 'bytes');
  return `${bytes} a response${ofStep(at)} at ${describeLoad(at.load)}`;
}

interface LatencyAt {
  readonly metric: LatencyMetric;
  readonly load: OfferedLoad;
  readonly step: string | null;
}

/** `p95 of read task 612 ms at 300/s` */
function latencyOf(at: LatencyAt, valueS: number | null): string {
  return `${measureOf(at)}${ofStep(at)} ${valueS === null ? 'unknown' : formatSeconds(valueS)} at ${describeLoad(at.load)}`;
}

function measureOf({ metric }: Pick<LatencyAt, 'metric'>): string {
  return metric.replace('latency-', '');
}

function ofStep({ step }: Pick<LatencyAt, 'step'>): string {
  return step === null ? '' : ` of ${step}`;
}

/** `, and of list tasks and me too` */
function andOthers({ step }: Pick<LatencyAt, 'step'>, steps: readonly string[]): string {
  const others = steps.filter((name) => name !== step);
  return others.length === 0 ? '' : `, and of ${list(others)} too`;
}

function failures(failed: number, requests: number): string {
  return `${formatNumber(failed)} of ${formatNumber(requests)} requests failed`;
}

/** `1,000 users and 100,000 tasks` */
export function describeAmounts(amounts: Readonly<Record<string, number>>): string {
  return Object.entries(amounts)
    .map(([unit, amount]) => formatQuantity(amount, unit))
    .join(' and ');
}

function setting({ option, value, unit, tier }: { option: string; value: number; unit: string; tier: string }): string {
  return `${option} is ${formatQuantity(value, unit)} in tier ${tier}`;
}

/** `300/s, concurrency 50, 100`: the word once, before the first concurrency. */
function loadList(loads: readonly OfferedLoad[]): string {
  const firstClosed = loads.findIndex(({ model }) => model === 'closed');
  return loads
    .map((load, index) => (load.model === 'closed' && index > firstClosed ? `${load.concurrency}` : describeLoad(load)))
    .join(', ');
}

/** `10/s to 300/s and concurrency 1 to 100`, of loads in ascending order. */
function loadRange(loads: readonly OfferedLoad[]): string {
  const ranges = [...Map.groupBy(loads, ({ model }) => model).values()].map((group) => {
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined) return '';
    if (group.length === 1) return describeLoad(first);
    return `${describeLoad(first)} to ${last.model === 'closed' ? last.concurrency : describeLoad(last)}`;
  });
  return ranges.length === 0 ? 'no load' : ranges.join(' and ');
}
