import type { RunResult } from '../core/run.ts';
import type { SubjectFacts } from '../core/study-record.ts';
import type { MeasuredMetric, Target } from '../core/target.ts';
import { type Finding, inconclusive, notJudged } from './findings.ts';
import { judgeConcurrency } from './judge-concurrency.ts';
import { judgeDataSize, judgeSetting } from './judge-configuration.ts';
import { judgeErrorRatio } from './judge-error-ratio.ts';
import { judgeLatency } from './judge-latency.ts';
import { judgeThroughput } from './judge-throughput.ts';
import { type Ladder, ladderOf, type Rung, rungOf } from './rungs.ts';
import type { JudgedTarget, JudgedTrial } from './summary.ts';

/**
 * Every target that applies to the tiers of a run, judged by what was measured: once for each tier, and where it is
 * about requests once for each scenario. A run that ended early is judged by what there is. `trials` are its measured
 * trials, summarized.
 *
 * What can never happen: `met` by a trial that is unsound, and `met` for slower or fewer answers where faster and more
 * would be `missed`.
 */
export function judgeTargets(result: RunResult, trials: readonly JudgedTrial[]): JudgedTarget[] {
  const rungs = trials.map(rungOf);
  return result.subjects.flatMap((tierFacts) =>
    result.targets
      .filter(({ appliesTo }) => appliesTo.tiers.length === 0 || appliesTo.tiers.includes(tierFacts.tier.name))
      .flatMap((target) => judgeForTier(target, tierFacts, result, rungs)),
  );
}

/** Of all that was judged: what was not judged says nothing, and where nothing was, nothing is met. */
export function overallVerdict(judged: readonly JudgedTarget[]): 'met' | 'missed' | 'inconclusive' {
  const kinds = new Set(judged.map(({ verdict }) => verdict.kind));
  return kinds.has('missed') ? 'missed' : kinds.has('met') && !kinds.has('inconclusive') ? 'met' : 'inconclusive';
}

function judgeForTier(
  target: Target,
  tierFacts: SubjectFacts,
  result: RunResult,
  rungs: readonly Rung[],
): readonly JudgedTarget[] {
  const { judged } = target;
  const tier = tierFacts.tier.name;
  const about = (scenario: string | null, finding: Finding): JudgedTarget => ({ target, tier, scenario, ...finding });
  if (judged.by === 'not-yet') return [about(null, notJudged(judged.why))];
  if (judged.by === 'model') {
    return [about(null, notJudged(`It is derived by the model '${judged.model}', which a run does not compute.`))];
  }
  const [obstacle, ...others] = tierFacts.notRun;
  if (obstacle !== undefined) {
    return [about(null, inconclusive([obstacle, ...others], null, 'The tier was not run here.'))];
  }
  if (judged.by === 'setting') return [about(null, judgeSetting(target, judged.option, tierFacts.tier))];
  if (judged.metric === 'data-size') {
    return [
      about(
        null,
        judgeDataSize(
          target,
          tierFacts,
          rungs.filter(({ record }) => record.subject === tier),
        ),
      ),
    ];
  }
  const { metric } = judged;
  const { scenarios } = target.appliesTo;
  const run = scenariosOf(result).filter((scenario) => scenarios.length === 0 || scenarios.includes(scenario));
  if (run.length === 0) {
    return [about(null, notJudged(`It is about ${scenarios.join(' and ')}, not run here: --scenario ${scenarios[0]}`))];
  }
  return run.map((scenario) => {
    const ladder = ladderOf(result, rungs, tier, scenario);
    return about(
      scenario,
      ladder.rungs.length === 0 ? nothingMeasured(ladder) : judgeBy[metric](target, ladder, result),
    );
  });
}

const judgeBy: Readonly<
  Record<Exclude<MeasuredMetric, 'data-size'>, (target: Target, ladder: Ladder, result: RunResult) => Finding>
> = {
  'latency-p95': judgeLatency,
  'error-ratio': judgeErrorRatio,
  throughput: judgeThroughput,
  concurrency: judgeConcurrency,
};

function scenariosOf({ question, trials }: RunResult): string[] {
  return [...new Set([...question.scenarios, ...trials.map(({ trial }) => trial.plan.scenario)])];
}

function nothingMeasured({ scenario }: Ladder): Finding {
  const reason = `the run ended before a trial of ${scenario} was measured; run it again to the end`;
  return inconclusive([reason], null, 'Nothing was measured.');
}
