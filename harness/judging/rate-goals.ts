import type { Reason } from '../core/findings.ts';
import { isLatencyMetric, type LatencyMetric, type Target } from '../core/target.ts';
import type { GoalCounts, SearchEvidence, SearchGoal } from '../models/sustained-rate-search.ts';
import { undisturbed, whyPessimistic } from './disturbance.ts';
import { boundOf } from './judged-target.ts';
import type { Answers, JudgedTrial, LatencySample } from './judged-trial.ts';
import { isAbout } from './load-steps.ts';

/** A target as a share of requests that may be bad: that is what a search for the sustained rate counts. */
export interface RateGoal extends SearchGoal {
  /** Null for the goal that stands in where no latency target applies: what is offered is answered. */
  readonly target: Target | null;
  /** `lag`: so much of each latency counts as the instrument's own. */
  countsIn(trial: JudgedTrial, lag: LatencySample['lag']): GoalCounts;
}

/** Percentiles as shares; the mean and the maximum are no share of requests and are judged after the search. */
const quantiles: Readonly<Partial<Record<LatencyMetric, number>>> = {
  'latency-p50': 0.5,
  'latency-p90': 0.9,
  'latency-p95': 0.95,
  'latency-p99': 0.99,
  'latency-p99.9': 0.999,
};

/** A target of no errors at all is a ratio too. */
const LEAST_RATIO = 1e-9;

/** Of a step that is rarer, chance decides: one slow request of ten is more than the target allows. */
const FEWEST_ALLOWED = 2;

/** Where no latency target applies: an overloaded system answers less than is offered. */
const UNANSWERED_RATIO = 0.05;

/** The goals that a rate of the scenario must keep on the tier; targets that name a load are about that load alone. */
export function rateGoals(targets: readonly Target[], tier: string, scenario: string): readonly RateGoal[] {
  const own = targets.filter(
    (target) =>
      isAbout(target, tier, scenario) &&
      target.appliesTo.concurrency === undefined &&
      target.appliesTo.arrivalRatePerS === undefined,
  );
  const latencies = own.flatMap(latencyGoal);
  return [...latencies, ...own.flatMap(errorGoal), ...(latencies.length === 0 ? [answeredGoal] : [])];
}

function latencyGoal(target: Target): RateGoal[] {
  const { judged, appliesTo } = target;
  if (judged.by !== 'measured' || !isLatencyMetric(judged.metric)) return [];
  const quantile = quantiles[judged.metric];
  if (quantile === undefined) return [];
  const { limit } = boundOf(target, 'at most');
  const names = appliesTo.steps;
  const isEach = names !== undefined || judged.each === 'step';
  return [
    {
      id: target.id,
      target,
      allowedRatio: 1 - quantile,
      countsIn({ answers: { all, steps } }, lag) {
        const named = isEach ? steps.filter(({ step }) => names?.includes(step ?? '') ?? true) : [all];
        const telling = named.filter(({ requests }) => requests.all * (1 - quantile) >= FEWEST_ALLOWED);
        const asked = telling.length > 0 ? telling : [all];
        const counts = asked.map((answers) => slowerThan(answers, limit, lag));
        return counts.toSorted((one, other) => badRatio(other) - badRatio(one))[0] ?? { bad: 0, all: 0 };
      },
    },
  ];
}

function errorGoal(target: Target): RateGoal[] {
  if (target.judged.by !== 'measured' || target.judged.metric !== 'error-ratio') return [];
  const { limit } = boundOf(target, 'at most');
  return [
    {
      id: target.id,
      target,
      allowedRatio: Math.max(limit, LEAST_RATIO),
      countsIn: ({ requests: { failed, all } }) => ({ bad: failed, all }),
    },
  ];
}

const answeredGoal: RateGoal = {
  id: 'answered',
  target: null,
  allowedRatio: UNANSWERED_RATIO,
  countsIn({ record: { trial } }) {
    const { intended, completed, failed } = trial.iterations;
    return { bad: Math.max(0, intended - (completed - failed)), all: intended };
  },
};

/** A request that failed was not answered in time either. */
function slowerThan(
  { latency: { histogram }, requests: { failed, all } }: Answers,
  limitS: number,
  { lagS, beyondRatio }: LatencySample['lag'],
): GoalCounts {
  let slower = 0;
  for (const { valueS, count } of histogram.buckets()) if (valueS > limitS + lagS) slower += count;
  return { bad: Math.max(0, slower - Math.ceil(beyondRatio * histogram.count)) + failed, all };
}

function badRatio({ bad, all }: GoalCounts): number {
  return all === 0 ? 0 : bad / all;
}

/** What each reason for which a trial is invalid says to a search; null: what was counted stands. */
const limitOf: Readonly<Record<Reason['code'], Extract<SearchEvidence, { kind: 'invalid' }>['limit'] | null>> = {
  stopped: 'other',
  'service-crashed': 'other',
  // Overload: too many requests in flight, and queues that grow.
  'never-answered': null,
  'not-offered': null,
  'throughput-drift': null,
  'throughput-settled-late': null,
  'latency-drift': null,
  // Bad requests are pooled over the trials at one rate.
  'too-few-seconds': null,
  'too-few-requests': null,
  'cpu-stolen': 'machine',
  'foreign-cpu': 'machine',
  'generator-out-of-resources': 'generator',
  'generator-busy': 'generator',
  'near-generator-limit': 'generator',
};

/**
 * What a trial says to the search. Others on the machine, and an instrument that is late, make latencies longer and never
 * shorter: a trial that keeps its goals all the same is evidence, and one that misses them is none, unless it does so with
 * the lag of the instrument subtracted.
 */
export function searchEvidence(trial: JudgedTrial, goals: readonly RateGoal[]): SearchEvidence {
  const reasons = trial.validity.kind === 'invalid' ? trial.validity.reasons : [];
  const limits = new Set(reasons.flatMap(({ code }) => limitOf[code] ?? []));
  const countsWith = (lag: LatencySample['lag']) => goals.map((goal) => goal.countsIn(trial, lag));
  const counted = countsWith(undisturbed.lag);
  const isEmpty = counted.some(({ all }) => all === 0);
  if (isEmpty) return { kind: 'invalid', limit: 'other' };
  const limit = (['other', 'generator', 'machine'] as const).find((each) => limits.has(each));
  if (limit !== undefined) return { kind: 'invalid', limit };
  if (misses(goals, counted)) {
    const { disturbance } = trial;
    if (whyPessimistic(disturbance) !== null) return { kind: 'invalid', limit: 'machine' };
    if (!misses(goals, countsWith(disturbance.lag))) return { kind: 'invalid', limit: 'generator' };
  }
  return { kind: 'counted', goals: counted };
}

function misses(goals: readonly RateGoal[], counts: readonly GoalCounts[]): boolean {
  return goals.some(({ allowedRatio }, index) => badRatio(counts[index] ?? { bad: 0, all: 0 }) > allowedRatio);
}
