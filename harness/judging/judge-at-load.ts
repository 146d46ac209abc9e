import type { OfferedLoad } from '../core/load.ts';
import type { RunResult } from '../core/run.ts';
import type { MeasuredMetric, Target } from '../core/target.ts';
import { whyThroughputPessimistic } from './disturbance.ts';
import { judgeLatency } from './judge-latency.ts';
import { reaches } from './judge-throughput.ts';
import { boundOf } from './judged-target.ts';
import { isValidOrOverloaded, type JudgedTrial } from './judged-trial.ts';
import { documentedLevel, isAbout, isAt } from './load-steps.ts';

/** How one load stands to a documented figure. */
export interface LoadVerdict {
  readonly target: Target;
  /** `not-reached` is no verdict: another load may reach it. */
  readonly kind: 'met' | 'missed' | 'inconclusive' | 'not-reached';
}

/**
 * The p95 of one load against each latency target that applies to it. Unlike the verdict of the run, which is about every
 * load, it says at which of them the target is kept.
 */
export function judgeP95At(result: Pick<RunResult, 'targets'>, trial: JudgedTrial): readonly LoadVerdict[] {
  const { tier, scenario } = trial.summary;
  return targetsAt(result, trial, 'latency-p95').map((target) => ({
    target,
    kind: kindOf(
      judgeLatency(target, 'latency-p95', {
        tier,
        scenario,
        trials: [trial],
        pilot: undefined,
        missing: [],
        isAskedFor: () => true,
      }).verdict.kind,
    ),
  }));
}

/** The throughput of one load against each throughput target: whether this load reaches it. */
export function judgeThroughputAt(result: Pick<RunResult, 'targets'>, trial: JudgedTrial): readonly LoadVerdict[] {
  const { throughputPerS } = trial.summary;
  return targetsAt(result, trial, 'throughput').map((target) => {
    const bound = boundOf(target, 'at least');
    if (!isValidOrOverloaded(trial) || throughputPerS === null) return { target, kind: 'inconclusive' };
    if (reaches(trial, bound)) return { target, kind: 'met' };
    const isOpen = bound.keeps(throughputPerS.high) || whyThroughputPessimistic(trial) !== null;
    return { target, kind: isOpen ? 'inconclusive' : 'not-reached' };
  });
}

function kindOf(kind: ReturnType<typeof judgeLatency>['verdict']['kind']): LoadVerdict['kind'] {
  return kind === 'not-judged' ? 'inconclusive' : kind;
}

/** A target that names a load is about that one alone. */
function targetsAt(
  { targets }: Pick<RunResult, 'targets'>,
  trial: JudgedTrial,
  metric: MeasuredMetric,
): readonly Target[] {
  const { tier, scenario, load } = trial.summary;
  const level = documentedLevel(trial);
  return targets.filter(
    (target) =>
      target.judged.by === 'measured' &&
      target.judged.metric === metric &&
      isAbout(target, tier, scenario) &&
      isOfLoad(target, load, level),
  );
}

function isOfLoad({ appliesTo: { concurrency, arrivalRatePerS } }: Target, load: OfferedLoad, level: number): boolean {
  return (
    (concurrency === undefined || (load.model === 'closed' && concurrency === level)) &&
    (arrivalRatePerS === undefined || (load.model === 'open' && isAt(level, arrivalRatePerS)))
  );
}
