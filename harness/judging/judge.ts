import { isNonEmpty } from '../core/findings.ts';
import type { RunResult } from '../core/run.ts';
import { isChanged, type SubjectFacts } from '../core/study-record.ts';
import type { Target } from '../core/target.ts';
import type { SettingReader } from '../core/tier-setting.ts';
import { judgeResponseBytes } from './judge-bytes.ts';
import { judgeDataSize, judgeSetting } from './judge-configuration.ts';
import { judgeConcurrency, judgeErrorRatio } from './judge-failures.ts';
import { judgeLatency } from './judge-latency.ts';
import { judgeThroughput } from './judge-throughput.ts';
import { inconclusive, type JudgedTarget, type Judgement, notJudged } from './judged-target.ts';
import type { JudgedTrial } from './judged-trial.ts';
import { loadStepsOf } from './load-steps.ts';

/**
 * Every target that applies to the tiers of a run, judged by what was measured: once for each tier, and where it is about
 * requests once for each scenario. A run that ended early is judged by what there is. `trials` are its judged trials;
 * `readSetting` knows in which unit a setting is written. Tiers that a sweep changes are not judged: that a smaller one
 * misses a target is what a sweep asks about, and no miss of the tier.
 *
 * What can never happen: `met` by a trial that is invalid, and `met` for slower or fewer answers where faster and more
 * would be `missed`.
 */
export function judgeTargets(
  result: RunResult,
  trials: readonly JudgedTrial[],
  readSetting: SettingReader,
): JudgedTarget[] {
  return result.subjects.flatMap((tierFacts) => {
    if (isChanged(tierFacts)) return [];
    const { name } = tierFacts.tier;
    const targets = result.targets.filter(({ appliesTo: { tiers } }) => tiers.length === 0 || tiers.includes(name));
    const own = { ...result, targets };
    return targets.flatMap((target) => judgeForTier(target, tierFacts, own, trials, readSetting));
  });
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
  trials: readonly JudgedTrial[],
  readSetting: SettingReader,
): readonly JudgedTarget[] {
  const { judged } = target;
  const tier = tierFacts.id;
  const about = (scenario: string | null, judgement: Judgement): JudgedTarget => {
    return { target, tier, scenario, ...judgement };
  };
  if (judged.by === 'not-yet') return [about(null, notJudged({ code: 'not-yet', detail: judged.why }))];
  if (judged.by === 'model') return [about(null, notJudged({ code: 'model-only', model: judged.model }))];
  if (isNonEmpty(tierFacts.notRun)) {
    return [about(null, inconclusive([{ code: 'tier-not-run', obstacles: tierFacts.notRun }]))];
  }
  if (judged.by === 'setting') return [about(null, judgeSetting(target, tierFacts.tier, result.targets, readSetting))];
  const { metric } = judged;
  if (metric === 'data-size') {
    const own = trials.filter(({ summary }) => summary.tier === tier);
    return [about(null, judgeDataSize(target, tierFacts, own))];
  }
  const { scenarios } = target.appliesTo;
  const run = scenariosOf(result).filter((scenario) => scenarios.length === 0 || scenarios.includes(scenario));
  if (run.length === 0) return [about(null, notJudged({ code: 'other-scenarios', scenarios }))];
  const steps = run.map((scenario) => loadStepsOf(result, trials, tier, scenario));
  const notMeasured = (scenario: string) => ({ code: 'no-trial-of-scenario', scenario }) as const;
  if (metric === 'error-ratio') {
    return [about(null, judgeErrorRatio(target, steps))];
  }
  return steps.map((each) => {
    const { scenario } = each;
    if (each.trials.length === 0) return about(scenario, inconclusive([notMeasured(scenario)]));
    if (metric === 'throughput') return about(scenario, judgeThroughput(target, each));
    if (metric === 'concurrency') return about(scenario, judgeConcurrency(target, each, result));
    if (metric === 'response-bytes') return about(scenario, judgeResponseBytes(target, each));
    return about(scenario, judgeLatency(target, metric, each));
  });
}

function scenariosOf({ question, trials }: RunResult): string[] {
  return [...new Set([...question.scenarios, ...trials.map(({ trial }) => trial.plan.scenario)])];
}
