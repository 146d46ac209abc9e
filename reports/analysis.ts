import { byLoad, describeLoad, isSameLoad } from '../harness/core/load.ts';
import type { RunQuestion, RunResult } from '../harness/core/run.ts';
import type { PlannedLoad, StudyFacts, StudyStatus, SubjectFacts } from '../harness/core/study-record.ts';
import type { TrialRecord } from '../harness/core/trial.ts';
import { formatSeconds } from '../harness/core/units.ts';
import { compareTiers, type TierComparison } from '../harness/judging/compare-tiers.ts';
import { judgeTargets } from '../harness/judging/judge.ts';
import { judgeTrials } from '../harness/judging/judge-trial.ts';
import type { JudgedTarget, JudgedTrial } from '../harness/judging/judged-trial.ts';
import { sustainedRates } from '../harness/judging/sustained-rate.ts';
import { busiestSources } from './busiest.ts';
import type { ChartDescription } from './chart.ts';
import { distributionChart, latencyChart, throughputChart } from './charts.ts';
import { comparisonCharts } from './comparison-charts.ts';
import { describeNote, describeObstacle } from './describe/notes.ts';
import { type FaultAnalysis, faultsOf } from './faults.ts';
import { list, loadWords, plural } from './figures.ts';
import { rateChart } from './rate-charts.ts';
import { resourceLineCharts } from './resource-line.ts';
import type { ScenarioAnalysis } from './scenario-analysis.ts';
import { timeLineChart } from './time-line.ts';
import { type ViewsAnalysis, viewsOf } from './views.ts';
import { whatTiersBought } from './what-tiers-bought.ts';

/** What a run says, in the order a report tells it. Every format is made from this and nothing else. */
export interface Analysis {
  readonly question: RunQuestion;
  readonly facts: StudyFacts;
  readonly status: StudyStatus;
  /** One sentence on how far the run came; null when it finished. */
  readonly incomplete: string | null;
  readonly tiers: readonly TierAnalysis[];
  /** Null for a run of one tier. */
  readonly comparison: ComparisonAnalysis | null;
}

/** How the tiers stand to each other. */
export interface ComparisonAnalysis {
  readonly comparison: TierComparison;
  /** Of each scenario: over arrival rates, over numbers of users. */
  readonly charts: readonly ChartDescription[];
  /** What the tiers bought on this machine and what they did not. */
  readonly inWords: string;
}

export interface TierAnalysis {
  readonly name: string;
  readonly title: string;
  /** Null when the run ended before the tier was up. */
  readonly facts: SubjectFacts | null;
  readonly scenarios: readonly ScenarioAnalysis[];
  /** Measured ones first; those that were not judged last. */
  readonly targets: readonly JudgedTarget[];
  /** Which processes were busy at the highest load, as facts: `login at concurrency 100: api/1 used 198 % of a core`. */
  readonly busiest: readonly string[];
  /** Without what the charts of the comparison show already. */
  readonly charts: readonly ChartDescription[];
  /** Trials by arrival rate as other ways of measuring would have read them; null where there are none. */
  readonly views: ViewsAnalysis | null;
  /** Loads that were planned and not measured. */
  readonly notMeasured: readonly PlannedLoad[];
  /** How it was warmed up before the first trial of each scenario: `login 10 s, crud 5 s`. */
  readonly warmUps: string;
  /** Made on purpose; no measurements. */
  readonly faults: readonly FaultAnalysis[];
  /** Anything a reader should know before believing the figures. */
  readonly notes: readonly string[];
}

/** A pure function of the results folder: the same result gives the same analysis, whenever and wherever. */
export function analyse(result: RunResult): Analysis {
  const trials = judgeTrials(result);
  const judged = judgeTargets(result, trials);
  const names = [...result.subjects.map(({ id }) => id), ...result.trials.map(({ subject }) => subject)];
  const comparison = compareTiers(result, trials);
  const tiers = [...new Set(names)].map((name) =>
    analyseTier(
      name,
      result,
      trials.filter(({ record }) => record.subject === name),
      judged.filter(({ tier }) => tier === name),
      comparison !== null,
    ),
  );
  const trialsOf = (scenario: string) =>
    tiers.map(({ name, scenarios }) => ({
      tier: name,
      trials: scenarios.find((each) => each.name === scenario)?.trials ?? [],
    }));
  return {
    question: result.question,
    facts: result.facts,
    status: result.status,
    incomplete: describeIncomplete(result.status),
    tiers,
    comparison:
      comparison === null
        ? null
        : {
            comparison,
            charts: comparison.scenarios.flatMap(({ scenario }) =>
              comparisonCharts(scenario, trialsOf(scenario), judged),
            ),
            inWords: whatTiersBought(comparison, tiers),
          },
  };
}

/** Every chart of a report, in its order. */
export function allCharts({ tiers, comparison }: Analysis): readonly ChartDescription[] {
  return [
    ...(comparison?.charts ?? []),
    ...tiers.flatMap(({ charts, views, faults }) => [
      ...charts,
      ...(views === null ? [] : [views.chart]),
      ...faults.flatMap(({ chart }) => (chart === null ? [] : [chart])),
    ]),
  ];
}

function analyseTier(
  name: string,
  result: RunResult,
  trials: readonly JudgedTrial[],
  judged: readonly JudgedTarget[],
  isCompared: boolean,
): TierAnalysis {
  const facts = result.subjects.find(({ id }) => id === name) ?? null;
  const scenarioNames = new Set([
    ...(facts === null || facts.notRun.length === 0 ? result.question.scenarios : []),
    ...trials.map(({ summary }) => summary.scenario),
  ]);
  const scenarios = [...scenarioNames].map((scenario) => {
    const own = trials.filter(({ summary }) => summary.scenario === scenario).toSorted(inOrder);
    return { name: scenario, trials: own, sustained: sustainedRates(result, own) };
  });
  const notMeasured = (facts?.planned ?? []).filter(
    ({ scenario, load }) =>
      !trials.some(({ summary }) => summary.scenario === scenario && isSameLoad(summary.load, load)),
  );
  const targets = judged.toSorted((left, right) => targetOrder(left) - targetOrder(right));
  const own = result.trials.filter(({ subject }) => subject === name);
  const ladder = own.filter(({ purpose }) => purpose !== 'fault');
  const charts = [
    ...scenarios.map((scenario) => rateChart(name, scenario, targets)),
    ...(isCompared ? [] : [throughputChart(name, scenarios, targets), latencyChart(name, scenarios, targets)]),
    distributionChart(name, scenarios, targets),
    timeLineChart(name, result.facts.startedAt, ladder),
    ...resourceLineCharts(name, result.facts.startedAt, ladder),
  ];
  return {
    name,
    title: facts?.tier.title ?? name,
    facts,
    scenarios,
    targets,
    busiest: busiestSources(scenarios),
    charts: charts.filter((chart) => chart !== null),
    views: viewsOf(name, scenarios),
    notMeasured,
    warmUps: describeWarmUps(own),
    faults: faultsOf(own),
    notes: [...tierNotes(facts, scenarios, trials), ...notMeasuredNotes(notMeasured), ...faultNotes(own)],
  };
}

function describeWarmUps(trials: readonly TrialRecord[]): string {
  const windows = trials.filter(({ purpose }) => purpose === 'warm-up');
  return [...Map.groupBy(windows, ({ trial }) => trial.plan.scenario)]
    .map(([scenario, own]) => `${scenario} ${formatSeconds(own.reduce((sum, { trial }) => sum + trial.measuredS, 0))}`)
    .join(', ');
}

function inOrder({ summary: left }: JudgedTrial, { summary: right }: JudgedTrial): number {
  return byLoad(left.load, right.load) || left.sequence - right.sequence;
}

const judgementOrder = { measured: 0, setting: 1, model: 2, 'not-yet': 3 } as const;

function targetOrder({ target, verdict }: JudgedTarget): number {
  return judgementOrder[target.judged.by] + (verdict.kind === 'not-judged' ? 10 : 0);
}

function describeIncomplete(status: StudyStatus): string | null {
  switch (status.state) {
    case 'finished':
      return null;
    case 'running':
      return 'This run has not ended: it is still going on, or it was killed. What was measured until then is shown.';
    case 'interrupted':
      return 'This run was interrupted before its end. What was measured until then is shown.';
    case 'failed':
      return `This run failed (${status.code}): ${sentence(status.what)} ${sentence(status.nextStep)} What was measured until then is shown.`;
  }
}

/** Messages of errors end with or without a full stop. */
function sentence(text: string): string {
  return /[.!?]$/u.test(text) ? text : `${text}.`;
}

/** `crud: planned and not measured: 500/s and 1,000/s` */
function notMeasuredNotes(planned: readonly PlannedLoad[]): readonly string[] {
  return [...Map.groupBy(planned, ({ scenario }) => scenario)].map(
    ([scenario, own]) => `${scenario}: planned and not measured: ${list(own.map(({ load }) => loadWords(load)))}`,
  );
}

/** What holds for several faults is told once. */
function faultNotes(trials: readonly TrialRecord[]): readonly string[] {
  const notes = trials.flatMap(({ fault, notes: own }) =>
    fault === undefined ? [] : own.map((note) => ({ note: describeNote(note), instance: fault.instance })),
  );
  return [...Map.groupBy(notes, ({ note }) => note)].map(([note, own]) => {
    const instances = list([...new Set(own.map(({ instance }) => instance))]);
    return `Fault of ${instances}: ${note}`;
  });
}

function tierNotes(
  facts: SubjectFacts | null,
  scenarios: readonly ScenarioAnalysis[],
  trials: readonly JudgedTrial[],
): readonly string[] {
  const notes: string[] = (facts?.notRun ?? []).map((why) => `Not run: ${describeObstacle(why)}`);
  if (facts !== null && facts.endedEarly !== null) notes.push(`Ended early: ${facts.endedEarly}`);
  notes.push(...(facts?.notes ?? []).map(describeNote));
  if (facts === null) notes.push('The run ended before the facts of this tier were stored.');
  for (const { name, trials: own } of scenarios) {
    const sound = own.filter(({ validity }) => validity.kind === 'valid').length;
    if (own.length === 0) notes.push(`${name}: no trial was measured.`);
    else if (sound === 0)
      notes.push(`${name}: no trial is sound, so no figure of it can be trusted. Its table in the report says why.`);
    else if (sound < own.length) {
      notes.push(
        `${name}: ${own.length - sound} of ${plural(own.length, 'trial')} not sound. Its table in the report says why.`,
      );
    }
  }
  for (const { record, summary } of trials) {
    const place = `${summary.scenario}, ${describeLoad(summary.load)}`;
    if (record.trial.stopped) notes.push(`${place}: stopped after ${formatSeconds(record.trial.measuredS)}`);
    if (record.samples.length === 0) notes.push(`${place}: no probe gave samples, so what was busy is not known.`);
    for (const { step, outcome, message } of record.trial.failureExamples) {
      notes.push(`${place}: first ${outcome} of '${step}': ${message}`);
    }
    for (const note of record.notes) notes.push(`${place}: ${describeNote(note)}`);
  }
  return [...new Set(notes)];
}
