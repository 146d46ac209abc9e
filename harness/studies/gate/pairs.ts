import type { Subject } from '../../core/app.ts';
import type { GateMetric } from '../../core/gate.ts';
import type { OfferedLoad } from '../../core/load.ts';
import type { SettingValue } from '../../core/tier.ts';
import type { JudgedTrial } from '../../judging/judged-trial.ts';
import { type MetricValue, pairedMetrics, quietestFirst } from '../../judging/paired-metrics.ts';
import { readPilot } from '../../judging/pilot.ts';
import { type Side, sidesOfPairs } from '../../models/paired-change.ts';
import { exactTime, type Step, sumOfTimes, type TimeBounds, type TrialStep } from '../study.ts';

const ANSWER_CHECK_S = 1;
const PILOT_S = 5;
const PILOT_WINDOWS = 2;
const PILOT_CONCURRENCY = 25;
/** Below what either sustains, so that latency is that of the requests and not that of a queue. */
const SHARE_OF_PILOT = 0.5;
/** Until a restarted service answers; only for the time left. */
const RESTART_S = 1.5;
/** Of all pairs: with more that cannot be used, the machine is not fit for it. */
const MOST_LOST_PAIRS = 5;

/** How pairs are measured. */
export interface PairQuestion {
  readonly scenario: string;
  readonly arrivalRatePerS: number | null;
  readonly seed: number;
  readonly warmUpS: number;
  readonly durationS: number;
  readonly timeoutS: number;
}

/** What was read of base and head in one pair. */
export type Pair = Readonly<Record<Side, readonly MetricValue[]>>;

export interface MeasuredPairs {
  /** Null where the base completes nothing. */
  readonly arrivalRatePerS: number | null;
  readonly pairs: readonly Pair[];
  /** Pairs of which a trial could not be used. */
  readonly lost: number;
  /** Every trial of the head that is in a pair. */
  readonly ofHead: readonly JudgedTrial[];
}

type Steps<Result> = Generator<Step, Result, JudgedTrial | undefined>;

/**
 * Measures base and head in turns at one load, in fresh processes each time, until there are so many pairs or `isEnough`
 * says so, which is asked after each pair with the time since the first one began: a busy machine takes longer to restart.
 */
export function* measurePairs(
  group: readonly Subject[],
  question: PairQuestion,
  most: number,
  isEnough: (pairs: readonly Pair[], elapsedS: number) => boolean,
): Steps<MeasuredPairs> {
  const [base, head] = group;
  if (base === undefined || head === undefined) throw new Error('a pair has two subjects');
  for (const subject of [base, head]) {
    const check = trial(subject, question, 'answer-check', { model: 'closed', concurrency: 1 }, ANSWER_CHECK_S);
    const checked = yield check;
    if (checked?.record.trial.iterations.completed === 0)
      yield { ...check, durationS: question.timeoutS + ANSWER_CHECK_S };
  }
  const arrivalRatePerS = question.arrivalRatePerS ?? (yield* pilotRate(base, question));
  const pairs: Pair[] = [];
  const ofHead: JudgedTrial[] = [];
  let lost = 0;
  let firstAtS: number | undefined;
  let elapsedS = 0;
  const instances = changedInstances([base, head]);
  if (arrivalRatePerS === null) return { arrivalRatePerS, pairs, lost, ofHead };
  const load: OfferedLoad = { model: 'open', arrivalRatePerS, arrivals: 'constant' };
  for (const [turn, order] of sidesOfPairs(most + MOST_LOST_PAIRS, question.seed).entries()) {
    const values: Partial<Record<Side, readonly MetricValue[]>> = {};
    let trialOfHead: JudgedTrial | undefined;
    for (const side of order) {
      const subject = side === 'base' ? base : head;
      yield { kind: 'restart', subject: subject.id, instances, durationS: RESTART_S };
      const step = trial(subject, question, 'measure', load, question.durationS);
      const seen = yield { ...step, warmUpS: question.warmUpS, pair: { number: turn + 1, most } };
      if (seen !== undefined) {
        const { startedAtMonotonicS, measuredS } = seen.record.trial;
        firstAtS ??= startedAtMonotonicS;
        elapsedS = startedAtMonotonicS + measuredS - firstAtS;
      }
      const read = seen && pairedMetrics(seen);
      if (read !== undefined) values[side] = read;
      if (side === 'head') trialOfHead = seen;
    }
    const { base: before, head: after } = values;
    if (before === undefined || after === undefined) lost += 1;
    else {
      pairs.push({ base: before, head: after });
      if (trialOfHead !== undefined) ofHead.push(trialOfHead);
      if (pairs.length === most || isEnough(pairs, elapsedS)) break;
    }
    if (lost > MOST_LOST_PAIRS) break;
  }
  return { arrivalRatePerS, pairs, lost, ofHead };
}

/** What it takes to measure at least and at most so many pairs. */
export function timeOfPairs(question: PairQuestion, atLeast: number, atMost: number): TimeBounds {
  const pilotS = question.arrivalRatePerS === null ? PILOT_S * PILOT_WINDOWS : 0;
  return sumOfTimes([
    exactTime(2 * ANSWER_CHECK_S + pilotS),
    { atLeastS: atLeast * pairS(question), atMostS: atMost * pairS(question) },
  ]);
}

export function pairS({ warmUpS, durationS }: Pick<PairQuestion, 'warmUpS' | 'durationS'>): number {
  return 2 * (RESTART_S + warmUpS + durationS);
}

function trial(
  { id }: Subject,
  { scenario, timeoutS }: PairQuestion,
  purpose: TrialStep['purpose'],
  load: OfferedLoad,
  durationS: number,
): TrialStep {
  return { kind: 'trial', subject: id, scenario, purpose, load, warmUpS: 0, durationS, timeoutS };
}

function* pilotRate(base: Subject, question: PairQuestion): Steps<number | null> {
  const load: OfferedLoad = { model: 'closed', concurrency: PILOT_CONCURRENCY };
  let ratePerS: number | null = null;
  for (let window = 0; window < PILOT_WINDOWS; window += 1) {
    const seen = yield trial(base, question, 'warm-up', load, PILOT_S);
    const pilot = seen && readPilot(seen.record.trial);
    if (pilot !== undefined) ratePerS = Number((SHARE_OF_PILOT * pilot.iterationsPerS).toPrecision(3));
  }
  return ratePerS;
}

/** Processes of the app itself, and of what differs between the two; what is around them is the same for both. */
function changedInstances([base, head]: readonly [Subject, Subject]): readonly string[] {
  const isSame = (name: string, image: SettingValue | undefined) =>
    base.tier.services.some((each) => each.name === name && each.settings.image === image);
  return head.tier.services
    .filter(({ kind, name, settings }) => kind === 'api' || !isSame(name, settings.image))
    .flatMap(({ name, instances }) => Array.from({ length: instances }, (_, index) => `${name}/${index + 1}`));
}

function keyOf(metric: GateMetric): string {
  return JSON.stringify(metric);
}

/** Those that every trial of every pair has, the quietest first. */
export function metricsOfAll(pairs: readonly Pair[]): readonly GateMetric[] {
  const [first] = pairs;
  return quietestFirst(
    (first?.base ?? [])
      .map(({ metric }) => metric)
      .filter((metric) => pairs.every(({ base, head }) => readingOf(metric, base) && readingOf(metric, head))),
  );
}

/** The logarithm of head over base of each pair. */
export function changesOf(metric: GateMetric, pairs: readonly Pair[]): readonly number[] {
  return pairs.map(({ base, head }) =>
    Math.log((readingOf(metric, head)?.cost ?? 1) / (readingOf(metric, base)?.cost ?? 1)),
  );
}

export function readingOf(metric: GateMetric, values: readonly MetricValue[]): MetricValue | undefined {
  return values.find((each) => keyOf(each.metric) === keyOf(metric));
}
