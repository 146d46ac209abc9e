import { isOneRate } from '../core/load.ts';
import type { RunResult } from '../core/run.ts';
import type { Target } from '../core/target.ts';
import { judgeP95At } from './judge-at-load.ts';
import { isValid, type JudgedTrial } from './judged-trial.ts';
import { levelOf } from './load-steps.ts';

/** The highest arrival rate of a tier within a p95 target: comparable also between tiers that were measured at other loads. */
export interface SustainedRate {
  /** Null where no p95 target applies: then it is the highest rate with a valid trial. */
  readonly target: Target | null;
  /** Valid and within the target, with no lower rate beyond it. Null where there is none. */
  readonly trial: JudgedTrial | null;
  /** Valid ones at lower rates whose interval lies on both sides of the target. */
  readonly openBelow: readonly JudgedTrial[];
  /** The next higher rate that was measured and what kept it out; null where there is none. Of none: what kept all out. */
  readonly next: NextRate | null;
}

export interface NextRate {
  readonly trial: JudgedTrial;
  /** `inconclusive`: its interval lies on both sides of the target. */
  readonly why: 'missed' | 'inconclusive' | 'invalid';
}

/**
 * The highest arrival rate that met its p95 target, for each target that applies to the scenario and names no load of its
 * own; equal limits once. `trials` are those of one tier and scenario. Empty where none was by one arrival rate.
 */
export function sustainedRates(
  result: Pick<RunResult, 'targets'>,
  trials: readonly JudgedTrial[],
): readonly SustainedRate[] {
  return highestWithinTargets(
    result,
    trials.filter(({ summary }) => isOneRate(summary.load)),
  );
}

/** The same of the concurrency, where no trial was by one arrival rate. */
export function sustainedLoads(
  result: Pick<RunResult, 'targets'>,
  trials: readonly JudgedTrial[],
): readonly SustainedRate[] {
  const byRate = sustainedRates(result, trials);
  if (byRate.length > 0) return byRate;
  return highestWithinTargets(
    result,
    trials.filter(({ summary }) => summary.load.model === 'closed'),
  );
}

function highestWithinTargets(
  result: Pick<RunResult, 'targets'>,
  trials: readonly JudgedTrial[],
): readonly SustainedRate[] {
  const ascending = trials.toSorted((left, right) => levelOf(left) - levelOf(right));
  if (ascending.length === 0) return [];
  const judged = ascending.map((trial) => ({
    trial,
    verdicts: judgeP95At(result, trial).filter(({ target: { appliesTo } }) => {
      return appliesTo.arrivalRatePerS === undefined && appliesTo.concurrency === undefined;
    }),
  }));
  const limits = new Map(
    (judged[0]?.verdicts ?? []).map(({ target }) => [JSON.stringify([target.comparison, target.value]), target]),
  );
  if (limits.size === 0)
    return [
      highestWithin(
        null,
        ascending.map((trial) => ({ trial, kind: isValid(trial) ? 'met' : 'invalid' })),
      ),
    ];
  return [...limits.values()].map((target) =>
    highestWithin(
      target,
      judged.map(({ trial, verdicts }) => {
        const kind = verdicts.find((verdict) => verdict.target.id === target.id)?.kind ?? 'inconclusive';
        // What an overloaded trial misses is missed all the same.
        return { trial, kind: isValid(trial) || kind === 'missed' ? kind : 'invalid' };
      }),
    ),
  );
}

type Step = { readonly trial: JudgedTrial; readonly kind: 'met' | NextRate['why'] | 'not-reached' };

/** An inconclusive rate does not end the search: a higher one that met the target counts for it. */
function highestWithin(target: Target | null, steps: readonly Step[]): SustainedRate {
  const missedAt = steps.findIndex(({ kind }) => kind === 'missed');
  const open = missedAt === -1 ? steps : steps.slice(0, missedAt);
  const at = open.findLastIndex(({ kind }) => kind === 'met');
  const next =
    at === -1 ? mostTelling(steps) : steps.slice(at + 1).find(({ trial }) => levelOf(trial) > levelOf(open[at]?.trial));
  return {
    target,
    trial: open[at]?.trial ?? null,
    openBelow: open.slice(0, Math.max(0, at)).flatMap(({ kind, trial }) => (kind === 'inconclusive' ? [trial] : [])),
    next: next === undefined ? null : { trial: next.trial, why: whyNot(next.kind) },
  };
}

/** Where no rate met the target: the lowest that missed it says more than an inconclusive or an invalid one. */
function mostTelling(steps: readonly Step[]): Step | undefined {
  return (
    steps.find(({ kind }) => kind === 'missed') ?? steps.find(({ kind }) => whyNot(kind) === 'inconclusive') ?? steps[0]
  );
}

function whyNot(kind: Step['kind']): NextRate['why'] {
  return kind === 'missed' || kind === 'invalid' ? kind : 'inconclusive';
}
