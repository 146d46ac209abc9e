import type { Evidence, WhyNot } from '../core/findings.ts';
import type { Target } from '../core/target.ts';
import type { Interval, StepResult } from '../core/trial.ts';
import type { Estimate } from '../core/units.ts';
import { drawResamples, ratioEstimate, seededRandom } from '../statistics/block-bootstrap.ts';
import { minimumBlocks, sum, sumInBlocks } from '../statistics/sums.ts';
import { boundOf, inconclusive, type Judgement, met, missed, notJudged } from './judged-target.ts';
import { isValidOrOverloaded, type JudgedTrial } from './judged-trial.ts';
import { judgedLoads, type LoadSteps, loadsOf, whyInvalid } from './load-steps.ts';
import { wholeSeconds } from './trial-window.ts';

interface Bytes {
  readonly trial: JudgedTrial;
  /** Null: of all requests together. */
  readonly step: string | null;
  /** Mean bytes of the body of a response; null where there were too few responses or seconds for an interval. */
  readonly mean: Estimate | null;
}

/**
 * Mean bytes of the body of a response, whatever its status, at each load that is asked for: of all requests together or of
 * each step by itself. Met: at every load the whole interval keeps the target. Missed: at some load it lies beyond it. How
 * long a response took is no part of it, so that a lag of the generator or other work on the machine decides nothing here.
 */
export function judgeResponseBytes(target: Target, steps: LoadSteps): Judgement {
  const isAtLeast = target.comparison === '>' || target.comparison === '>=';
  const bound = boundOf(target, isAtLeast ? 'at least' : 'at most');
  const { trials, missing } = judgedLoads(target, steps);
  const usable = trials.filter(isValidOrOverloaded);
  const found = usable.flatMap((trial) => bytesOf(target, trial));
  if (usable.length > 0 && found.length === 0) {
    return notJudged({ code: 'other-steps', steps: target.appliesTo.steps ?? [] });
  }
  const decisiveOf = ({ low, high }: Estimate): number => (isAtLeast ? -low : high);
  const worst = found.toSorted((left, right) => sortKey(right.mean, decisiveOf) - sortKey(left.mean, decisiveOf))[0];
  const evidenceOf = ({ trial, step, mean }: Bytes): Evidence => {
    return { code: 'bytes', load: trial.summary.load, step, meanBytes: mean?.value ?? null, loads: loadsOf(usable) };
  };
  const beyond = found.find(({ mean }) => mean !== null && !bound.keeps(isAtLeast ? mean.high : mean.low));
  if (beyond?.mean) {
    const { trial, step, mean } = beyond;
    const violation = { code: 'bytes-beyond', load: trial.summary.load, step, meanBytes: mean.value } as const;
    return missed(violation, mean, evidenceOf(beyond));
  }
  const reasons = [...whyInvalid(trials.filter((trial) => !isValidOrOverloaded(trial))), ...missing];
  for (const { trial, step, mean } of found) {
    const at = { load: trial.summary.load, step };
    if (mean === null) reasons.push({ code: 'too-few-responses', ...at, neededS: minimumBlocks });
    else if (!bound.keeps(isAtLeast ? mean.low : mean.high)) {
      reasons.push({ code: 'bytes-straddle', ...at, lowBytes: mean.low, highBytes: mean.high } satisfies WhyNot);
    }
  }
  if (worst === undefined) return inconclusive(reasons);
  return reasons.length === 0
    ? met(worst.mean, evidenceOf(worst))
    : inconclusive(reasons, worst.mean, evidenceOf(worst));
}

function sortKey(mean: Estimate | null, decisiveOf: (mean: Estimate) => number): number {
  return mean === null ? Number.POSITIVE_INFINITY : decisiveOf(mean);
}

function bytesOf({ judged, appliesTo }: Target, trial: JudgedTrial): readonly Bytes[] {
  const names = appliesTo.steps;
  const isEach = names !== undefined || (judged.by === 'measured' && judged.each === 'step');
  if (!isEach) return [{ trial, step: null, mean: meanBytes(trial, () => true) }];
  return trial.record.trial.steps
    .filter(({ name }) => names?.includes(name) ?? true)
    .map(({ name }) => ({ trial, step: name, mean: meanBytes(trial, (step) => step.name === name) }));
}

/** The value is over the whole window; the interval comes from its whole seconds, as that of a rate. */
function meanBytes({ record: { trial } }: JudgedTrial, isOf: (step: StepResult) => boolean): Estimate | null {
  const bytesIn = ({ steps }: Pick<Interval, 'steps'>): number =>
    sum(steps.filter(isOf).map(({ responseBytes = 0 }) => responseBytes));
  const responsesIn = ({ steps }: Pick<Interval, 'steps'>): number =>
    sum(steps.filter(isOf).flatMap(({ statuses }) => Object.values(statuses)));
  if (trial.steps.some(({ responseBytes }) => responseBytes === undefined)) return null;
  const seconds = wholeSeconds(trial);
  const responses = sumInBlocks(seconds.map(responsesIn));
  const resamples = drawResamples(responses.length, seededRandom(trial.plan.seed));
  const estimate = ratioEstimate(sumInBlocks(seconds.map(bytesIn)), responses, resamples);
  const all = responsesIn(trial);
  const hasFew = responses.filter((count) => count > 0).length < minimumBlocks;
  if (estimate === null || hasFew) return null;
  const value = bytesIn(trial) / all;
  return { value, low: Math.min(value, estimate.low), high: Math.max(value, estimate.high) };
}
