import { byLoad, isOneRate, isSameLoad, loadLevel } from '../harness/core/load.ts';
import type { RunQuestion, RunResult, SustainedRateAnswer } from '../harness/core/run.ts';
import { tierOfSubject } from '../harness/core/setting-change.ts';
import type { PlannedLoad, StudyFacts, StudyStatus, SubjectFacts } from '../harness/core/study-record.ts';
import type { Target } from '../harness/core/target.ts';
import type { TrialRecord } from '../harness/core/trial.ts';
import { type Bottleneck, type BottleneckUnknown, bottleneckOf } from '../harness/judging/bottleneck.ts';
import { compareTiers, type TierComparison } from '../harness/judging/compare-tiers.ts';
import { type DemandOfSteps, type Demands, demandsOf, demandsOfSteps } from '../harness/judging/demands.ts';
import { judgeTargets } from '../harness/judging/judge.ts';
import { judgeTrials } from '../harness/judging/judge-trial.ts';
import type { JudgedTarget } from '../harness/judging/judged-target.ts';
import type { JudgedTrial } from '../harness/judging/judged-trial.ts';
import type { LatencyViews } from '../harness/judging/latency-views.ts';
import { type RateGoal, rateGoals, searchEvidence } from '../harness/judging/rate-goals.ts';
import { describeRecovery, type Recovery } from '../harness/judging/recovery.ts';
import { type SustainedRate, sustainedLoads } from '../harness/judging/sustained-rate.ts';
import { type TierDifference, tierDifferences } from '../harness/judging/tier-differences.ts';
import { bracketOf } from '../harness/models/sustained-rate-search.ts';
import { settingInUnit, shippedTypes } from '../harness/services/registry.ts';

/** A run, judged: what every format of its report is made from. Data only. */
export interface Analysis {
  readonly question: RunQuestion;
  readonly facts: StudyFacts;
  readonly status: StudyStatus;
  readonly subjects: readonly SubjectFacts[];
  readonly targets: readonly Target[];
  readonly tiers: readonly TierAnalysis[];
  /** Null for a run of one tier. */
  readonly comparison: TierComparison | null;
  /** Of each tier to the one before it, by scenario. */
  readonly differences: readonly TierDifference[];
}

export interface TierAnalysis {
  readonly name: string;
  readonly title: string;
  /** Null when the run ended before the tier was up. */
  readonly facts: SubjectFacts | null;
  readonly scenarios: readonly ScenarioAnalysis[];
  /** Over all scenarios; empty where they tell no step from the others. */
  readonly stepDemands: readonly DemandOfSteps[];
  /** Measured ones first; those that were not judged last. */
  readonly targets: readonly JudgedTarget[];
  /** Loads that were planned and not measured. */
  readonly notMeasured: readonly PlannedLoad[];
  readonly faults: readonly FaultAnalysis[];
  /** All of the tier, warm-ups and faults too, in the order they were measured. */
  readonly records: readonly TrialRecord[];
}

export interface ScenarioAnalysis {
  readonly name: string;
  /** Measured ones: by arrival rate, by rates that change, by numbers of users, each by ascending load. */
  readonly trials: readonly JudgedTrial[];
  /** The highest load within each p95 target. */
  readonly sustained: readonly Sustained[];
  /** Null where the loads were given by hand, or no search began. */
  readonly searched: SearchedRate | null;
  /** Null where no probe saw a service work. */
  readonly demands: Demands | null;
  /** Of the trial at the highest load; null without trials. */
  readonly atHighest: Limit | null;
  /** Trials that can be read by more than one way of measuring. */
  readonly views: readonly { readonly trial: JudgedTrial; readonly views: LatencyViews }[];
}

/** The highest arrival rate that meets the targets, as the search found it. */
export interface SearchedRate extends SustainedRateAnswer {
  /** What the rate had to meet; empty where no target applies. */
  readonly goals: readonly Target[];
  /** The lowest trial that is above the sustained rate, and what limited it. */
  readonly above: { readonly trial: JudgedTrial; readonly limit: Limit } | null;
  /** The highest trial that is not above it. */
  readonly at: JudgedTrial | null;
}

export type Limit = Bottleneck | BottleneckUnknown;

export interface Sustained extends SustainedRate {
  /** What limited the next higher load, where that missed the target. */
  readonly limit: Limit | null;
}

/** A fault that was made on purpose. */
export interface FaultAnalysis {
  readonly record: TrialRecord;
  readonly recovery: Recovery;
}

/** A pure function of the results folder: the same result gives the same analysis, whenever and wherever. */
export function analyse(result: RunResult): Analysis {
  const trials = judgeTrials(result);
  const judged = judgeTargets(result, trials, settingInUnit);
  const names = [...result.subjects.map(({ id }) => id), ...result.trials.map(({ subject }) => subject)];
  const tiers = [...new Set(names)].map((name) => analyseTier(name, result, trials, judged));
  return {
    question: result.question,
    facts: result.facts,
    status: result.status,
    subjects: result.subjects,
    targets: result.targets,
    tiers,
    comparison: compareTiers(result, trials),
    differences: differencesOf(tiers),
  };
}

function differencesOf(tiers: readonly TierAnalysis[]): readonly TierDifference[] {
  // What a sweep changes in a tier is no other tier.
  const own = tiers.filter(({ name }) => name === tierOfSubject(name));
  const all = own.flatMap(({ name: tier, facts, scenarios }) =>
    scenarios.map(({ name: scenario, searched: rate, demands }) => {
      return { scenario, tier, rate, limit: rate?.above?.limit ?? null, demands, notes: facts?.notes ?? [] };
    }),
  );
  return [...Map.groupBy(all, ({ scenario }) => scenario)].flatMap(([scenario, own]) => tierDifferences(scenario, own));
}

function analyseTier(
  name: string,
  result: RunResult,
  allTrials: readonly JudgedTrial[],
  judged: readonly JudgedTarget[],
): TierAnalysis {
  const facts = result.subjects.find(({ id }) => id === name) ?? null;
  const trials = allTrials.filter(({ record }) => record.subject === name);
  const scenarioNames = new Set([
    ...(wasRun(facts) ? result.question.scenarios : []),
    ...trials.map(({ summary }) => summary.scenario),
  ]);
  const records = result.trials.filter(({ subject }) => subject === name);
  const scenarios = [...scenarioNames].map((scenario) => {
    const own = trials.filter(({ summary }) => summary.scenario === scenario).toSorted(inOrder);
    const context = contextOf(result.facts, facts);
    const views = own.flatMap((trial) => (trial.views === null ? [] : [{ trial, views: trial.views }]));
    const limitOf = ({ record }: JudgedTrial) => bottleneckOf(record, context);
    const highest = mainLoads(own).at(-1);
    const sustained = sustainedLoads(result, own).map((each) => ({
      ...each,
      limit: each.next?.why === 'missed' ? limitOf(each.next.trial) : null,
    }));
    return {
      name: scenario,
      trials: own,
      sustained,
      searched: searchedRate(result, name, scenario, own, limitOf),
      demands: demandsOf(own, context),
      atHighest: highest === undefined ? null : limitOf(highest),
      views,
    };
  });
  return {
    name,
    title: facts?.tier.title ?? name,
    facts,
    scenarios,
    stepDemands: demandsOfSteps(scenarios),
    targets: judged
      .filter(({ tier }) => tier === name)
      .toSorted((left, right) => targetOrder(left) - targetOrder(right)),
    notMeasured: (facts?.planned ?? []).filter(
      ({ scenario, load }) =>
        !trials.some(({ summary }) => summary.scenario === scenario && isSameLoad(summary.load, load)),
    ),
    faults: records.flatMap((record) =>
      record.fault === undefined ? [] : [{ record, recovery: describeRecovery(record) }],
    ),
    records,
  };
}

/** As the study concluded; of a run that was stopped, what its trials say so far. */
function searchedRate(
  result: RunResult,
  tier: string,
  scenario: string,
  trials: readonly JudgedTrial[],
  limitOf: (trial: JudgedTrial) => Limit,
): SearchedRate | null {
  const goals = rateGoals(result.targets, tier, scenario);
  const rates = byRate(trials);
  const answer = result.answers.find(({ subject }) => subject === tier);
  const concluded = answer?.scenarios.find((each) => each.scenario === scenario)?.sustainedRate;
  const found = answer === undefined && result.question.arrivalRatesPerS === null ? soFar(goals, rates) : concluded;
  if (found === undefined || found === null) return null;
  const { lowPerS, highPerS, valuePerS } = found;
  const split = valuePerS ?? highPerS ?? lowPerS ?? 0;
  const above =
    rates.find((trial) => loadLevel(trial.summary.load) > split) ?? (lowPerS === null ? rates[0] : undefined);
  return {
    ...found,
    goals: goals.flatMap(({ target }) => target ?? []),
    above: above === undefined ? null : { trial: above, limit: limitOf(above) },
    at: rates.findLast((trial) => loadLevel(trial.summary.load) <= split) ?? null,
  };
}

function soFar(goals: readonly RateGoal[], trials: readonly JudgedTrial[]): SustainedRateAnswer | null {
  const counted = trials.flatMap((trial) => {
    const evidence = searchEvidence(trial, goals);
    const { durationS } = trial.record.trial.plan;
    return evidence.kind === 'counted'
      ? [{ ratePerS: loadLevel(trial.summary.load), durationS, goals: evidence.goals }]
      : [];
  });
  if (counted.length === 0) return null;
  const bracket = bracketOf(goals, counted);
  return { ...bracket, valuePerS: null, end: 'stopped', binding: null, shape: null, monotone: true };
}

/** What services use up, as the subject runs here. */
export function contextOf({ placement }: Pick<StudyFacts, 'placement'>, facts: SubjectFacts | null) {
  const services = (facts?.tier.services ?? []).map(({ name, kind, instances, connectsTo, resources: { cpus } }) => ({
    name,
    instances,
    cpus,
    resources: shippedTypes.get(kind)?.resources ?? [],
    connectsTo: Object.values(connectsTo),
  }));
  return { services, systemCpus: placement === null ? null : placement.systemCpus.length };
}

export function wasRun(facts: SubjectFacts | null): boolean {
  return facts === null || facts.notRun.length === 0;
}

function inOrder({ summary: left }: JudgedTrial, { summary: right }: JudgedTrial): number {
  return byLoad(left.load, right.load) || left.sequence - right.sequence;
}

const judgementOrder = { measured: 0, setting: 1, model: 2, 'not-yet': 3 } as const;

function targetOrder({ target, verdict }: JudgedTarget): number {
  return judgementOrder[target.judged.by] + (verdict.kind === 'not-judged' ? 10 : 0);
}

/** Those by one arrival rate: the points of a curve over it. */
export function byRate(trials: readonly JudgedTrial[]): readonly JudgedTrial[] {
  return trials.filter(({ summary }) => isOneRate(summary.load));
}

/** Those by a number of users. */
export function byUsers(trials: readonly JudgedTrial[]): readonly JudgedTrial[] {
  return trials.filter(({ summary }) => summary.load.model === 'closed');
}

/** The loads that the run is about: arrival rates, and numbers of users where there are none. */
export function mainLoads(trials: readonly JudgedTrial[]): readonly JudgedTrial[] {
  return [byRate(trials), byUsers(trials), trials].find((own) => own.length > 0) ?? [];
}
