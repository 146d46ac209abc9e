import type { Evidence, WhyNot } from '../core/findings.ts';
import type { Target } from '../core/target.ts';
import { proportionInterval } from '../statistics/binomial.ts';
import { type Bound, boundOf, inconclusive, type Judgement, met, missed } from './judged-target.ts';
import { isValid, isValidOrOverloaded, type JudgedTrial } from './judged-trial.ts';
import { type LoadSteps, loadsOf, ofEachModel, p95WithFailuresS, trialsFor, whyInvalid } from './load-steps.ts';

/**
 * p95 of all requests of a scenario, at each load that was measured, or at the one the target names.
 *
 * Met: at every load the whole interval keeps the target, also p95 with what failed counted as never answered, and every
 * trial is valid. Missed: at some valid load the whole interval lies beyond it, or so many requests failed that fewer than
 * 95 % were answered. A generator at its limit makes latencies longer, so an invalid trial is no miss either, unless all
 * that is wrong is that it is overloaded.
 */
export function judgeLatency(target: Target, steps: LoadSteps): Judgement {
  const bound = boundOf(target, 'at most');
  const { trials, missing } = trialsFor(target, steps);
  if (trials.length === 0) return inconclusive(missing);
  const evidence = (...at: readonly JudgedTrial[]): Evidence => ({
    code: 'p95',
    at: at.map(({ summary: { load, latency } }) => ({ load, p95S: latency.p95S?.value ?? null })),
    loads: loadsOf(trials),
    metUpTo: metUpTo(trials, bound),
  });
  const beyond = trials.filter((trial) => isValidOrOverloaded(trial) && isBeyond(trial, bound));
  const [first, last = first] = [beyond[0], beyond.at(-1)];
  if (first !== undefined && last !== undefined) {
    return missed(violationAt(first), first.summary.latency.p95S, evidence(...new Set([first, last])));
  }
  const worst = trials.toSorted((left, right) => highS(right) - highS(left)).slice(0, 1);
  const value = worst[0]?.summary.latency.p95S ?? null;
  const open = trials.filter((trial) => !isValid(trial) || !isWithin(trial, bound));
  const reasons = [...whyInvalid(open), ...open.filter(isValid).map((trial) => whyOpen(trial, bound)), ...missing];
  return reasons.length === 0 ? met(value, evidence(...worst)) : inconclusive(reasons, value, evidence(...worst));
}

function violationAt(trial: JudgedTrial) {
  const { load, errorRatio, latency } = trial.summary;
  return hasTooFewAnswers(trial)
    ? ({ code: 'fewer-than-95-percent-answered', load, errorRatio } as const)
    : ({ code: 'p95-above', load, p95S: latency.p95S?.value ?? null } as const);
}

/** A request that failed was not answered in time either. */
function hasTooFewAnswers({ requests: { failed, all } }: JudgedTrial): boolean {
  return (proportionInterval(failed, all)?.low ?? 0) > 0.05;
}

function isBeyond(trial: JudgedTrial, bound: Bound): boolean {
  const { p95S } = trial.summary.latency;
  return hasTooFewAnswers(trial) || (p95S !== null && !bound.keeps(p95S.low));
}

function isWithin(trial: JudgedTrial, bound: Bound): boolean {
  const { p95S } = trial.summary.latency;
  return p95S !== null && bound.keeps(p95S.high) && bound.keeps(p95WithFailuresS(trial));
}

function whyOpen(trial: JudgedTrial, bound: Bound): WhyNot {
  const { load, latency } = trial.summary;
  const { failed, all: requests } = trial.requests;
  if (latency.p95S === null) return { code: 'too-few-for-p95', load, succeeded: requests - failed };
  const { low: lowS, high: highS } = latency.p95S;
  if (!bound.keeps(highS)) return { code: 'p95-straddles', load, lowS, highS };
  const p95S = p95WithFailuresS(trial);
  return { code: 'p95-with-failures', load, failed, requests, p95S: Number.isFinite(p95S) ? p95S : null };
}

/** Up to which load of each model every trial is valid and keeps the target. */
function metUpTo(trials: readonly JudgedTrial[], bound: Bound): Extract<Evidence, { code: 'p95' }>['metUpTo'] {
  return ofEachModel(trials).flatMap((group) => {
    const firstOpen = group.findIndex((trial) => !isValid(trial) || !isWithin(trial, bound));
    const last = firstOpen === -1 ? group.at(-1) : group[firstOpen - 1];
    return last === undefined ? [] : [last.summary.load];
  });
}

function highS({ summary: { latency } }: JudgedTrial): number {
  return latency.p95S?.high ?? Number.POSITIVE_INFINITY;
}
