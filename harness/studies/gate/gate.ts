import type { Subject } from '../../core/app.ts';
import {
  type GateAnswer,
  type GatedMetric,
  type GateMetric,
  type GateQuestion,
  gateAnswerSchema,
  gateQuestionSchema,
} from '../../core/gate.ts';
import type { OfferedLoad } from '../../core/load.ts';
import type { JudgedTrial } from '../../judging/judged-trial.ts';
import { gateVerdict, type JudgedMetric, type MetricValue, pairedMetrics } from '../../judging/paired-metrics.ts';
import { readPilot } from '../../judging/pilot.ts';
import { judgeChanges, looks, type Side, sidesOfPairs } from '../../models/paired-change.ts';
import { median } from '../../statistics/sums.ts';
import { exactTime, type Step, type Study, sumOfTimes, type TrialStep } from '../study.ts';

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

type Pair = Readonly<Record<Side, readonly MetricValue[]>>;

/** Did a change make the app slower? Base and head run side by side and are measured in turns, in fresh processes each time. */
export const gate: Study<GateQuestion, GateAnswer> = {
  name: 'gate',
  question: gateQuestionSchema,
  answer: gateAnswerSchema,
  scenarios: ({ scenario }) => [scenario],
  groups: (subjects) => [subjects],
  *steps(group, question): Generator<Step, GateAnswer, JudgedTrial | undefined> {
    const [base, head] = baseAndHead(group);
    for (const subject of [base, head]) {
      const check = trial(subject, question, 'answer-check', { model: 'closed', concurrency: 1 }, ANSWER_CHECK_S);
      const checked = yield check;
      if (checked?.record.trial.iterations.completed === 0)
        yield { ...check, durationS: question.timeoutS + ANSWER_CHECK_S };
    }
    const arrivalRatePerS = question.arrivalRatePerS ?? (yield* pilotRate(base, question));
    const pairs: Pair[] = [];
    const answer = (judged: readonly JudgedMetric[], lostPairs: number): GateAnswer => ({
      base: base.id,
      head: head.id,
      scenario: question.scenario,
      arrivalRatePerS,
      pairs: pairs.length,
      lostPairs,
      verdict: gateVerdict(judged),
      metrics: judged.map((each) => gated(each, pairs)),
    });
    if (arrivalRatePerS === null) return answer([], 0);

    const load: OfferedLoad = { model: 'open', arrivalRatePerS, arrivals: 'constant' };
    const allowed = looksWithin(question);
    const most = allowed.at(-1)?.pairs ?? 0;
    let lost = 0;
    let judged: readonly JudgedMetric[] = [];
    for (const [turn, order] of sidesOfPairs(most + MOST_LOST_PAIRS, question.seed).entries()) {
      const values: Partial<Record<Side, readonly MetricValue[]>> = {};
      for (const side of order) {
        const subject = side === 'base' ? base : head;
        yield { kind: 'restart', subject: subject.id, instances: appInstances(subject), durationS: RESTART_S };
        const step = trial(subject, question, 'measure', load, question.durationS);
        const seen = yield { ...step, warmUpS: question.warmUpS, pair: { number: turn + 1, most } };
        const read = seen && pairedMetrics(seen);
        if (read !== undefined) values[side] = read;
      }
      const { base: before, head: after } = values;
      if (before === undefined || after === undefined) lost += 1;
      else pairs.push({ base: before, head: after });
      if (lost > MOST_LOST_PAIRS) break;
      const look = allowed.find((each) => each.pairs === pairs.length);
      if (look === undefined || before === undefined || after === undefined) continue;
      const metrics = metricsOfAll(pairs);
      const changes = judgeChanges(
        metrics.map((metric) => changesOf(metric, pairs)),
        look,
        question.toleranceRatio,
      );
      judged = changes.flatMap((change, index) => {
        const metric = metrics[index];
        return metric === undefined ? [] : [{ ...change, metric }];
      });
      if (gateVerdict(judged) !== 'cannot-tell' || pairs.length === most) break;
    }
    return answer(judged, lost);
  },
  estimate(_group, question) {
    const all = looksWithin(question);
    const pilotS = question.arrivalRatePerS === null ? PILOT_S * PILOT_WINDOWS : 0;
    return sumOfTimes([
      exactTime(2 * ANSWER_CHECK_S + pilotS),
      {
        atLeastS: (all[0]?.pairs ?? 0) * pairS(question),
        atMostS: (all.at(-1)?.pairs ?? 0) * pairS(question),
      },
    ]);
  },
  verdict(answers) {
    const [answer] = answers;
    if (answer === undefined || answer.verdict === 'cannot-tell') return 'inconclusive';
    return answer.verdict === 'slower' ? 'missed' : 'met';
  },
};

function baseAndHead(group: readonly Subject[]): readonly [base: Subject, head: Subject] {
  const [base, head] = group;
  if (base === undefined || head === undefined) throw new Error('a gate compares two subjects');
  return [base, head];
}

function trial(
  { id }: Subject,
  { scenario, timeoutS }: GateQuestion,
  purpose: TrialStep['purpose'],
  load: OfferedLoad,
  durationS: number,
): TrialStep {
  return { kind: 'trial', subject: id, scenario, purpose, load, warmUpS: 0, durationS, timeoutS };
}

/** Null where the base completes nothing. */
function* pilotRate(base: Subject, question: GateQuestion): Generator<Step, number | null, JudgedTrial | undefined> {
  const load: OfferedLoad = { model: 'closed', concurrency: PILOT_CONCURRENCY };
  let ratePerS: number | null = null;
  for (let window = 0; window < PILOT_WINDOWS; window += 1) {
    const seen = yield trial(base, question, 'warm-up', load, PILOT_S);
    const pilot = seen && readPilot(seen.record.trial);
    if (pilot !== undefined) ratePerS = Number((SHARE_OF_PILOT * pilot.iterationsPerS).toPrecision(3));
  }
  return ratePerS;
}

/** Processes of the app itself: what is around it is the same for both. */
function appInstances({ tier }: Subject): readonly string[] {
  return tier.services
    .filter(({ kind }) => kind === 'api')
    .flatMap(({ name, instances }) => Array.from({ length: instances }, (_, index) => `${name}/${index + 1}`));
}

function pairS({ warmUpS, durationS }: GateQuestion): number {
  return 2 * (RESTART_S + warmUpS + durationS);
}

/** The looks that the budget allows; the first one always. */
function looksWithin(question: GateQuestion) {
  return looks.filter(({ pairs }, index) => index === 0 || pairs * pairS(question) <= question.budgetS);
}

function keyOf(metric: GateMetric): string {
  return JSON.stringify(metric);
}

/** Those that every trial of every pair has. */
function metricsOfAll(pairs: readonly Pair[]): readonly GateMetric[] {
  const [first] = pairs;
  return (first?.base ?? [])
    .map(({ metric }) => metric)
    .filter((metric) => pairs.every(({ base, head }) => costOf(metric, base) && costOf(metric, head)));
}

function costOf(metric: GateMetric, values: readonly MetricValue[]): number | undefined {
  return values.find((each) => keyOf(each.metric) === keyOf(metric))?.cost;
}

function changesOf(metric: GateMetric, pairs: readonly Pair[]): readonly number[] {
  return pairs.map(({ base, head }) => Math.log((costOf(metric, head) ?? 1) / (costOf(metric, base) ?? 1)));
}

function gated({ metric, kind, ratio, noise }: JudgedMetric, pairs: readonly Pair[]): GatedMetric {
  const finite = (end: number) => (Number.isFinite(end) ? end : null);
  const medianOf = (side: Side) =>
    median(
      pairs
        .flatMap((pair) => pair[side].filter((each) => keyOf(each.metric) === keyOf(metric)))
        .map(({ value }) => value),
    ) ?? 0;
  return {
    metric,
    kind,
    ratio: { value: ratio.value, low: finite(ratio.low), high: finite(ratio.high) },
    noise: finite(noise),
    base: medianOf('base'),
    head: medianOf('head'),
  };
}
