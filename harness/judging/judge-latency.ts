import type { Evidence, WhyNot } from '../core/findings.ts';
import type { LatencyMetric, Target } from '../core/target.ts';
import { proportionInterval } from '../statistics/binomial.ts';
import { samplesNeeded } from '../statistics/quantile-ranks.ts';
import { whyPessimistic } from './disturbance.ts';
import { type Bound, boundOf, inconclusive, type Judgement, met, missed, notJudged } from './judged-target.ts';
import { type Answers, isValid, isValidOrOverloaded, type JudgedTrial } from './judged-trial.ts';
import { estimateLatency, type LatencyMeasure } from './latency-summary.ts';
import { judgedLoads, type LoadSteps, loadsOf, ofEachModel, whyInvalid } from './load-steps.ts';

/** What a latency target asks of a trial. */
interface Asked {
  readonly metric: LatencyMetric;
  readonly measure: LatencyMeasure;
  readonly bound: Bound;
  /** The trial's requests: all together, or each step that the target is about. */
  readonly answersOf: (trial: JudgedTrial) => readonly Answers[];
}

/** The chance that each end of a 95 % interval misses. */
const MISS_PROBABILITY = 0.025;

const measures: Readonly<Record<LatencyMetric, LatencyMeasure>> = {
  'latency-p50': 0.5,
  'latency-p90': 0.9,
  'latency-p95': 0.95,
  'latency-p99': 0.99,
  'latency-p99.9': 0.999,
  'latency-mean': 'mean',
  'latency-max': 'max',
};

/**
 * Latency at each load that is asked for (`judgedLoads`), of all requests together or of each step by itself.
 *
 * Met: at every load and for every step the whole interval keeps the target, also with what failed counted as never
 * answered, and every trial is valid. Missed: at some valid load the whole interval of a step lies beyond it, or so many of
 * its requests failed that too few were answered for the percentile. That all of several steps keep it is as sure as each
 * of them; that one does not is held to Holm's procedure, because one of ten may look slow by chance. A generator at its
 * limit makes latencies longer, so an invalid trial is no miss either, unless all that is wrong is that it is overloaded.
 * Nor is a trial on a machine that others use: alone the system is no slower, so that what it meets is met.
 */
export function judgeLatency(target: Target, metric: LatencyMetric, steps: LoadSteps): Judgement {
  const asked = whatIsAsked(target, metric);
  const { trials, missing } = judgedLoads(target, steps);
  if (trials.length === 0) return inconclusive(missing);
  if (trials.every((trial) => asked.answersOf(trial).length === 0 && trial.answers.steps.length > 0)) {
    return notJudged({ code: 'other-steps', steps: target.appliesTo.steps ?? [] });
  }
  const evidence = (...at: readonly JudgedTrial[]): Evidence => ({
    code: 'latency',
    metric,
    at: at.map((trial) => ({ load: trial.summary.load, ...valueOfSlowest(asked, asked.answersOf(trial)) })),
    loads: loadsOf(trials),
    metUpTo: metUpTo(steps.trials, asked),
  });
  const beyond = trials.flatMap((trial) => {
    const counts = isValidOrOverloaded(trial) && whyPessimistic(trial.disturbance) === null;
    const slow = counts ? stepsBeyond(asked, trial) : [];
    return slow.length > 0 ? [{ trial, slow }] : [];
  });
  const [first, last = first] = [beyond[0], beyond.at(-1)];
  if (first !== undefined && last !== undefined) {
    const at = new Set([first.trial, last.trial]);
    return missed(violationAt(asked, first.trial, first.slow), estimate(asked, first.slow), evidence(...at));
  }
  const highS = (trial: JudgedTrial) => estimate(asked, asked.answersOf(trial))?.high ?? Number.POSITIVE_INFINITY;
  const worst = trials.toSorted((left, right) => highS(right) - highS(left)).slice(0, 1);
  const value = worst[0] === undefined ? null : estimate(asked, asked.answersOf(worst[0]));
  const reasons = [
    ...whyInvalid(trials.filter((trial) => !isValid(trial))),
    ...trials.filter(isValid).flatMap((trial) => whyOpen(asked, trial)),
    ...missing,
  ];
  return reasons.length === 0 ? met(value, evidence(...worst)) : inconclusive(reasons, value, evidence(...worst));
}

function whatIsAsked({ judged, appliesTo, ...target }: Target, metric: LatencyMetric): Asked {
  const names = appliesTo.steps;
  const isEach = names !== undefined || (judged.by === 'measured' && judged.each === 'step');
  return {
    metric,
    measure: measures[metric],
    bound: boundOf(target, 'at most'),
    answersOf: ({ answers: { all, steps } }) =>
      isEach ? steps.filter(({ step, requests }) => requests.all > 0 && (names?.includes(step ?? '') ?? true)) : [all],
  };
}

/** Holm's procedure: what is found at the level for all of them leaves fewer, which are held to a wider level. */
function stepsBeyond(asked: Asked, trial: JudgedTrial): readonly Answers[] {
  const answers = asked.answersOf(trial);
  let found: readonly Answers[] = [];
  for (;;) {
    const level = MISS_PROBABILITY / Math.max(1, answers.length - found.length);
    const now = answers.filter((each) => isBeyond(asked, each, level));
    if (now.length <= found.length) return found;
    found = now;
  }
}

function isBeyond(asked: Asked, answers: Answers, missProbability: number): boolean {
  if (hasTooFewAnswers(asked, answers, missProbability)) return true;
  const found = estimateLatency(answers.latency, asked.measure, missProbability);
  return found !== null && !asked.bound.keeps(found.low);
}

/** A request that failed was not answered in time either. A mean is of those that were answered. */
function hasTooFewAnswers({ measure }: Asked, { requests }: Answers, missProbability: number): boolean {
  if (measure === 'mean') return false;
  const mayFailRatio = measure === 'max' ? 0 : 1 - measure;
  return (proportionInterval(requests.failed, requests.all, missProbability)?.low ?? 0) > mayFailRatio;
}

/** With what failed counted as never answered: infinite where fewer were answered than the percentile takes. */
function withFailuresS({ measure }: Asked, { latency: { histogram }, requests: { failed, all } }: Answers): number {
  if (measure === 'mean') return histogram.meanS;
  if (measure === 'max') return failed > 0 ? Number.POSITIVE_INFINITY : histogram.maxS;
  const rank = Math.ceil(measure * all - 1e-9);
  return rank > all - failed ? Number.POSITIVE_INFINITY : histogram.valueAtRankS(rank);
}

/** Empty where every step keeps the target. */
function whyOpen(asked: Asked, trial: JudgedTrial): readonly WhyNot[] {
  const { metric, measure, bound } = asked;
  const caveat = whyPessimistic(trial.disturbance);
  if (caveat !== null && stepsBeyond(asked, trial).length > 0) {
    return [{ code: 'disturbed', load: trial.summary.load, caveat }];
  }
  return asked.answersOf(trial).flatMap((answers): WhyNot[] => {
    const { step, latency, requests } = answers;
    const at = { load: trial.summary.load, metric, step };
    const found = estimateLatency(latency, measure);
    if (found === null) {
      const needed = samplesNeeded(typeof measure === 'number' ? measure : 0.5);
      return [{ code: 'too-few-for-percentile', ...at, succeeded: latency.histogram.count, needed }];
    }
    if (!bound.keeps(found.high)) return [{ code: 'latency-straddles', ...at, lowS: found.low, highS: found.high }];
    const valueS = withFailuresS(asked, answers);
    if (bound.keeps(valueS)) return [];
    const { failed, all } = requests;
    const shown = Number.isFinite(valueS) ? valueS : null;
    return [{ code: 'latency-with-failures', ...at, failed, requests: all, valueS: shown }];
  });
}

function violationAt(asked: Asked, { summary: { load } }: JudgedTrial, slow: readonly Answers[]) {
  const { metric } = asked;
  const steps = slow.flatMap(({ step }) => step ?? []);
  const failing = slow.find((answers) => hasTooFewAnswers(asked, answers, MISS_PROBABILITY));
  if (failing !== undefined) {
    const { failed, all } = failing.requests;
    return { code: 'too-few-answered', load, metric, step: failing.step, errorRatio: failed / all, steps } as const;
  }
  return { code: 'latency-above', load, metric, ...valueOfSlowest(asked, slow), steps } as const;
}

/** The one with the highest end of its interval. */
function slowestOf(asked: Asked, answers: readonly Answers[]): Answers | undefined {
  const highS = (each: Answers) => estimateLatency(each.latency, asked.measure)?.high ?? Number.POSITIVE_INFINITY;
  return answers.toSorted((left, right) => highS(right) - highS(left))[0];
}

function estimate(asked: Asked, answers: readonly Answers[]) {
  const slowest = slowestOf(asked, answers);
  return slowest === undefined ? null : estimateLatency(slowest.latency, asked.measure);
}

function valueOfSlowest(asked: Asked, answers: readonly Answers[]) {
  return { step: slowestOf(asked, answers)?.step ?? null, valueS: estimate(asked, answers)?.value ?? null };
}

/** Up to which load of each model every trial is valid and keeps the target. */
function metUpTo(trials: readonly JudgedTrial[], asked: Asked): Extract<Evidence, { code: 'latency' }>['metUpTo'] {
  return ofEachModel(trials).flatMap((group) => {
    const firstOpen = group.findIndex((trial) => !isValid(trial) || whyOpen(asked, trial).length > 0);
    const last = firstOpen === -1 ? group.at(-1) : group[firstOpen - 1];
    return last === undefined ? [] : [last.summary.load];
  });
}
