import type { Evidence, WhyNot } from '../core/findings.ts';
import type { RunResult } from '../core/run.ts';
import type { Target } from '../core/target.ts';
import { proportionInterval } from '../statistics/binomial.ts';
import { whyPessimistic } from './disturbance.ts';
import { type Bound, boundOf, exactly, inconclusive, type Judgement, met, missed } from './judged-target.ts';
import { isValid, type JudgedTrial } from './judged-trial.ts';
import { isAbout, type LoadSteps, levelOf, loadsOf, lowestValid, trialsFor, whyInvalid } from './load-steps.ts';

/**
 * Requests that failed or were never sent, of all that a tier was sent: `steps` are those of its scenarios.
 *
 * Missed: at some valid load the whole interval lies beyond the target. Met: no load was beyond it, every trial is valid,
 * and the interval of all loads together keeps it. Together, because few failures take many requests to rule out: 0.1 %
 * takes 3,700 without a failure, which a slow scenario does not reach.
 */
export function judgeErrorRatio(target: Target, steps: readonly LoadSteps[]): Judgement {
  const bound = boundOf(target, 'at most');
  const found = steps.map((each) => {
    const { trials, missing } = trialsFor(target, each);
    return { trials: withoutEndOfSearch(trials, each, target, bound), missing };
  });
  const trials = found.flatMap((each) => each.trials);
  const missing = steps.flatMap(({ scenario, trials: own }, index): readonly WhyNot[] =>
    own.length === 0 ? [{ code: 'no-trial-of-scenario', scenario }] : (found[index]?.missing ?? []),
  );
  if (trials.length === 0) return inconclusive(missing);
  for (const trial of trials) {
    const { failed, all } = trial.requests;
    const ratio = proportionInterval(failed, all);
    if (counts(trial) && ratio !== null && !bound.keeps(ratio.low)) {
      return missed(failuresAbove(trial, bound), ratio, failuresOf([trial]));
    }
  }
  const evidence = failuresOf(trials);
  const { failed, requests } = evidence;
  const together = proportionInterval(failed, requests);
  const beyond = trials.filter((trial) => isValid(trial) && !bound.keeps(trial.summary.errorRatio));
  const straddles = together === null || !bound.keeps(together.high);
  const reasons = [
    ...whyInvalid(trials),
    ...beyond.map(whyNoMiss),
    ...missing,
    ...(straddles
      ? [{ code: 'error-ratio-straddles', failed, requests, highRatio: together?.high ?? null } as const]
      : []),
  ];
  return reasons.length === 0 ? met(together, evidence) : inconclusive(reasons, together, evidence);
}

/** A search ends beyond what the system sustains: that it fails there is no miss. Its lowest rate always counts. */
function withoutEndOfSearch(
  trials: readonly JudgedTrial[],
  { isAskedFor }: LoadSteps,
  target: Target,
  bound: Bound,
): readonly JudgedTrial[] {
  const lowest = lowestValid(trials);
  return trials.filter(
    (trial) =>
      trial === lowest || isAskedFor(trial, target) || (isValid(trial) && bound.keeps(trial.summary.errorRatio)),
  );
}

/** What a load may fail where no target of the run says how much. */
const DEFAULT_ERROR_RATIO = 0.001;

/**
 * Does the system serve this many users at once? Met when a valid trial with at least that many answered at least as many
 * requests, so that nobody need have waited for nothing, and failed no more than the error target allows. How fast they
 * were served is judged by the latency target.
 */
export function judgeConcurrency(target: Target, steps: LoadSteps, { targets }: RunResult): Judgement {
  const { limit } = boundOf(target, 'at least');
  const concurrency = Math.max(limit, target.appliesTo.concurrency ?? 0);
  const { trials, missing } = trialsFor({ ...target, appliesTo: { ...target.appliesTo, concurrency } }, steps);
  const trial = trials.find(isValid) ?? trials[0];
  if (trial === undefined) return inconclusive(missing);
  const { load } = trial.summary;
  const value = exactly(levelOf(trial));
  const evidence = failuresOf([trial]);
  if (!isValid(trial)) return inconclusive(whyInvalid(trials), value, evidence);
  const allowed = errorBound(targets, steps);
  const ratio = proportionInterval(trial.requests.failed, trial.requests.all);
  if (ratio !== null && allowed.keeps(ratio.value)) {
    const answered = trial.requests.all - trial.requests.failed;
    if (answered >= value.value) return met(value, evidence);
    return inconclusive([{ code: 'users-not-answered', load, answered }], value, evidence);
  }
  if (counts(trial) && ratio !== null && !allowed.keeps(ratio.low)) {
    return missed(failuresAbove(trial, allowed), value, evidence);
  }
  return inconclusive([whyNoMiss(trial)], value, evidence);
}

/** Whether it may miss a target: requests may time out because others use the machine. */
function counts(trial: JudgedTrial): boolean {
  return isValid(trial) && whyPessimistic(trial.disturbance) === null;
}

function errorBound(targets: readonly Target[], { tier, scenario }: LoadSteps): Bound {
  const target = targets.find(
    (each) => each.judged.by === 'measured' && each.judged.metric === 'error-ratio' && isAbout(each, tier, scenario),
  );
  if (target !== undefined) return boundOf(target, 'at most');
  return { limit: DEFAULT_ERROR_RATIO, keeps: (ratio) => ratio < DEFAULT_ERROR_RATIO };
}

function failuresOf(trials: readonly JudgedTrial[]): Extract<Evidence, { code: 'failures' }> {
  return {
    code: 'failures',
    failed: trials.reduce((sum, { requests }) => sum + requests.failed, 0),
    requests: trials.reduce((sum, { requests }) => sum + requests.all, 0),
    loads: loadsOf(trials),
  };
}

function failuresAbove({ summary, requests: { failed, all } }: JudgedTrial, { limit }: Bound) {
  const { scenario, load } = summary;
  return { code: 'failures-above', scenario, load, failed, requests: all, limitRatio: limit } as const;
}

function whyNoMiss({ summary, disturbance, requests: { failed, all } }: JudgedTrial): WhyNot {
  const { scenario, load } = summary;
  const caveat = whyPessimistic(disturbance);
  if (caveat !== null) return { code: 'disturbed', load, caveat };
  return { code: 'failures-may-be-chance', scenario, load, failed, requests: all };
}
