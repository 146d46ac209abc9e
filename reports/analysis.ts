import { describeLoad, loadLevel } from '../harness/core/load.ts';
import type { RunFacts, RunResult, RunStatus, TierFacts } from '../harness/core/run.ts';
import type { MeasuredTrial } from '../harness/core/trial.ts';
import { formatSeconds } from '../harness/core/units.ts';
import { compareTiers, type TierComparison } from '../harness/judging/compare-tiers.ts';
import { judgeTargets } from '../harness/judging/judge.ts';
import { summarizeTrials } from '../harness/judging/summarize.ts';
import type { JudgedTarget, SummarizedTrial } from '../harness/judging/summary.ts';
import { busiestSources } from './busiest.ts';
import type { ChartDescription } from './chart.ts';
import { distributionChart, latencyChart, throughputChart } from './charts.ts';
import { comparisonChart } from './comparison-charts.ts';
import { type FaultAnalysis, faultsOf } from './faults.ts';
import { list, plural } from './figures.ts';
import { resourceLineCharts } from './resource-line.ts';
import type { ScenarioAnalysis } from './scenario-analysis.ts';
import { timeLineChart } from './time-line.ts';
import { whatTiersBought } from './what-tiers-bought.ts';

/** What a run says, in the order a report tells it. Every format is made from this and nothing else. */
export interface Analysis {
  readonly facts: RunFacts;
  readonly status: RunStatus;
  /** One sentence on how far the run came; null when it finished. */
  readonly incomplete: string | null;
  readonly tiers: readonly TierAnalysis[];
  /** Null for a run of one tier. */
  readonly comparison: ComparisonAnalysis | null;
}

/** How the tiers stand to each other. */
export interface ComparisonAnalysis {
  readonly comparison: TierComparison;
  /** One for each scenario. */
  readonly charts: readonly ChartDescription[];
  /** What the tiers bought on this machine and what they did not. */
  readonly inWords: string;
}

export interface TierAnalysis {
  readonly name: string;
  readonly title: string;
  /** Null when the run ended before the tier was up. */
  readonly facts: TierFacts | null;
  readonly scenarios: readonly ScenarioAnalysis[];
  /** Measured ones first; those that were not judged last. */
  readonly targets: readonly JudgedTarget[];
  /** Which processes were busy at the highest load, as facts: `login at concurrency 100: api/1 used 198 % of a core`. */
  readonly busiest: readonly string[];
  /** Without what the charts of the comparison show already. */
  readonly charts: readonly ChartDescription[];
  /** How it was warmed up before the first trial of each scenario: `login 10 s, crud 5 s`. */
  readonly warmUps: string;
  /** Made on purpose; no measurements. */
  readonly faults: readonly FaultAnalysis[];
  /** Anything a reader should know before believing the figures. */
  readonly notes: readonly string[];
}

/** A pure function of the results folder: the same result gives the same analysis, whenever and wherever. */
export function analyse(result: RunResult): Analysis {
  const trials = summarizeTrials(result);
  const judged = judgeTargets(result, trials);
  const names = [...result.facts.tiers.map(({ tier }) => tier.name), ...result.trials.map(({ tier }) => tier)];
  const comparison = compareTiers(result, trials);
  return {
    facts: result.facts,
    status: result.status,
    incomplete: describeIncomplete(result.status),
    tiers: [...new Set(names)].map((name) =>
      analyseTier(
        name,
        result,
        trials.filter(({ measured }) => measured.tier === name),
        judged.filter(({ tier }) => tier === name),
        comparison !== null,
      ),
    ),
    comparison:
      comparison === null
        ? null
        : {
            comparison,
            charts: comparison.scenarios
              .map((scenario) => comparisonChart(scenario, judged))
              .filter((chart) => chart !== null),
            inWords: whatTiersBought(comparison),
          },
  };
}

/** Every chart of a report, in its order. */
export function allCharts({ tiers, comparison }: Analysis): readonly ChartDescription[] {
  return [
    ...(comparison?.charts ?? []),
    ...tiers.flatMap(({ charts, faults }) => [
      ...charts,
      ...faults.flatMap(({ chart }) => (chart === null ? [] : [chart])),
    ]),
  ];
}

function analyseTier(
  name: string,
  result: RunResult,
  trials: readonly SummarizedTrial[],
  judged: readonly JudgedTarget[],
  isCompared: boolean,
): TierAnalysis {
  const facts = result.facts.tiers.find(({ tier }) => tier.name === name) ?? null;
  const scenarioNames = new Set([
    ...(facts === null || facts.notRun.length === 0 ? result.facts.settings.scenarios : []),
    ...trials.map(({ summary }) => summary.scenario),
  ]);
  const scenarios = [...scenarioNames].map((scenario) => ({
    name: scenario,
    trials: trials.filter(({ summary }) => summary.scenario === scenario).toSorted(byLoad),
  }));
  const targets = judged.toSorted((left, right) => targetOrder(left) - targetOrder(right));
  const own = result.trials.filter(({ tier }) => tier === name);
  const ladder = own.filter(({ purpose }) => purpose !== 'fault');
  const charts = [
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
    warmUps: describeWarmUps(own),
    faults: faultsOf(own),
    notes: [...tierNotes(facts, scenarios, trials), ...faultNotes(own)],
  };
}

function describeWarmUps(trials: readonly MeasuredTrial[]): string {
  const windows = trials.filter(({ purpose }) => purpose === 'warm-up');
  return [...Map.groupBy(windows, ({ trial }) => trial.plan.scenario)]
    .map(([scenario, own]) => `${scenario} ${formatSeconds(own.reduce((sum, { trial }) => sum + trial.measuredS, 0))}`)
    .join(', ');
}

function byLoad(left: SummarizedTrial, right: SummarizedTrial): number {
  return loadLevel(left.summary.load) - loadLevel(right.summary.load) || left.summary.sequence - right.summary.sequence;
}

const judgementOrder = { measured: 0, setting: 1, model: 2, 'not-yet': 3 } as const;

function targetOrder({ target, verdict }: JudgedTarget): number {
  return judgementOrder[target.judged.by] + (verdict.kind === 'not-judged' ? 10 : 0);
}

function describeIncomplete(status: RunStatus): string | null {
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

/** What holds for several faults is told once. */
function faultNotes(trials: readonly MeasuredTrial[]): readonly string[] {
  const notes = trials.flatMap(({ fault, notes: own }) =>
    fault === undefined ? [] : own.map((note) => ({ note, instance: fault.instance })),
  );
  return [...Map.groupBy(notes, ({ note }) => note)].map(([note, own]) => {
    const instances = list([...new Set(own.map(({ instance }) => instance))]);
    return `Fault of ${instances}: ${note}`;
  });
}

function tierNotes(
  facts: TierFacts | null,
  scenarios: readonly ScenarioAnalysis[],
  trials: readonly SummarizedTrial[],
): readonly string[] {
  const notes: string[] = (facts?.notRun ?? []).map((why) => `Not run: ${why}`);
  if (facts !== null && facts.endedEarly !== null) notes.push(`Ended early: ${facts.endedEarly}`);
  notes.push(...(facts?.notes ?? []));
  if (facts === null) notes.push('The run ended before the facts of this tier were stored.');
  for (const { name, trials: own } of scenarios) {
    const sound = own.filter(({ summary }) => summary.soundness.kind === 'sound').length;
    if (own.length === 0) notes.push(`${name}: no trial was measured.`);
    else if (sound === 0)
      notes.push(`${name}: no trial is sound, so no figure of it can be trusted. Its table in the report says why.`);
    else if (sound < own.length) {
      notes.push(
        `${name}: ${own.length - sound} of ${plural(own.length, 'trial')} not sound. Its table in the report says why.`,
      );
    }
  }
  for (const { measured, summary } of trials) {
    const place = `${summary.scenario}, ${describeLoad(summary.load)}`;
    if (measured.trial.stopped) notes.push(`${place}: stopped after ${formatSeconds(measured.trial.measuredS)}`);
    if (measured.samples.length === 0) notes.push(`${place}: no probe gave samples, so what was busy is not known.`);
    for (const { step, outcome, message } of measured.trial.failureExamples) {
      notes.push(`${place}: first ${outcome} of '${step}': ${message}`);
    }
    for (const note of measured.notes) notes.push(`${place}: ${note}`);
  }
  return [...new Set(notes)];
}
