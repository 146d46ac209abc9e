import { describeLoad } from '../../harness/core/load.ts';
import type { StudyFacts, SubjectFacts } from '../../harness/core/study-record.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { formatSeconds } from '../../harness/core/units.ts';
import { isValid } from '../../harness/judging/judged-trial.ts';
import { mainLoads, type TierAnalysis, wasRun } from '../analysis.ts';
import { tierChart } from '../charts/load-charts.ts';
import { distributionChart } from '../charts/percentile-charts.ts';
import { timeCharts } from '../charts/time-charts.ts';
import { describeNote, describeObstacle } from '../describe/notes.ts';
import { type Block, details, figures, tableBlocks } from '../document.ts';
import { loadWords } from '../figures.ts';
import { list, plural } from '../text.ts';
import { factsOfTier } from './run-facts.ts';
import { faultBlocks } from './run-faults.ts';
import { useTexts } from './run-limits.ts';
import { repeatTable, stepsTable, trialsTable, verdictsTable } from './run-tables.ts';
import { viewBlocks } from './run-views.ts';

/** All that was measured of one tier: what a reader opens who wants to know why. */
export function tierDetails(tier: TierAnalysis, { startedAt }: StudyFacts): readonly Block[] {
  const { name, facts, scenarios, targets, records } = tier;
  const measured = scenarios.filter(({ trials }) => trials.length > 0);
  const used = measured.flatMap(({ name: scenario, trials, atHighest }) => {
    const last = mainLoads(trials).at(-1);
    const found = atHighest === null ? [] : useTexts(atHighest);
    return last === undefined || found.length === 0
      ? []
      : [`${scenario} at ${describeLoad(last.summary.load)}: ${found.join('; ')}`];
  });
  const notes = tierNotes(tier);
  return [
    ...part('Notes', notes.length === 0 ? [] : [{ kind: 'list', items: notes }]),
    ...part('Verdicts', tableBlocks(verdictsTable(tier))),
    ...measured.flatMap((scenario) => [
      ...part(`Trials of ${scenario.name}`, tableBlocks(trialsTable(scenario))),
      ...details(`${scenario.name}: each request`, tableBlocks(stepsTable(scenario))),
    ]),
    ...part(
      'Charts',
      figures([
        ...measured.flatMap((scenario) =>
          (['open', 'closed'] as const).map((model) => tierChart(name, scenario.name, scenario.trials, targets, model)),
        ),
        distributionChart(name, measured, targets),
      ]),
    ),
    ...part('Resources', [
      ...(used.length === 0 ? [] : [{ kind: 'list' as const, items: used }]),
      ...figures(
        timeCharts(
          name,
          startedAt,
          records.filter(({ purpose }) => purpose !== 'fault'),
        ),
      ),
    ]),
    ...part('Faults', faultBlocks(tier)),
    ...part('Coordinated omission', viewBlocks(tier)),
    ...(facts === null ? [] : part('Deployment', deployment(tier, facts))),
    ...part('How to repeat a trial', tableBlocks(repeatTable(tier))),
  ];
}

function part(text: string, blocks: readonly Block[]): readonly Block[] {
  return blocks.length === 0 ? [] : [{ kind: 'heading', level: 3, text }, ...blocks];
}

function deployment(tier: TierAnalysis, facts: SubjectFacts): readonly Block[] {
  return [
    ...(facts.tier.services.length === 0 ? [] : [{ kind: 'drawing' as const, tier: facts.tier }]),
    { kind: 'facts', caption: `Facts of ${tier.name}`, rows: factsOfTier(tier, facts) },
  ];
}

/** Anything a reader should know before believing the figures. */
function tierNotes({ facts, scenarios, records, notMeasured }: TierAnalysis): readonly string[] {
  const notes: string[] = (facts?.notRun ?? []).map((why) => `Not run: ${describeObstacle(why)}`);
  if (facts !== null && facts.endedEarly !== null) notes.push(`Ended early: ${facts.endedEarly.detail}`);
  notes.push(...(facts?.notes ?? []).map(describeNote));
  if (facts === null) notes.push('The run ended before the facts of this tier were stored.');
  for (const { name, trials: own } of wasRun(facts) ? scenarios : []) {
    const valid = own.filter(isValid).length;
    if (own.length === 0) notes.push(`${name}: no trial was measured.`);
    else if (valid < own.length)
      notes.push(`${name}: ${own.length - valid} of ${plural(own.length, 'trial')} invalid.`);
  }
  for (const record of records.filter(({ purpose }) => purpose === 'measure')) notes.push(...trialNotes(record));
  for (const [scenario, own] of Map.groupBy(notMeasured, (each) => each.scenario)) {
    notes.push(`${scenario}: planned and not measured: ${list(own.map(({ load }) => loadWords(load)))}`);
  }
  return [...new Set([...notes, ...faultNotes(records)])];
}

function trialNotes({ trial, samples, notes }: TrialRecord): readonly string[] {
  const place = `${trial.plan.scenario}, ${describeLoad(trial.plan.load)}`;
  return [
    ...(trial.stopped ? [`stopped after ${formatSeconds(trial.measuredS)}`] : []),
    ...(samples.length === 0 ? ['no probe gave samples, so utilization and queues are not known'] : []),
    ...trial.failureExamples.map(({ step, outcome, message }) => `first ${outcome} of '${step}': ${message}`),
    ...notes.map(describeNote),
  ].map((note) => `${place}: ${note}`);
}

/** What holds for several faults stands once. */
function faultNotes(records: readonly TrialRecord[]): readonly string[] {
  const notes = records.flatMap(({ fault, notes: own }) =>
    fault === undefined ? [] : own.map((note) => ({ note: describeNote(note), instance: fault.instance })),
  );
  return [...Map.groupBy(notes, ({ note }) => note)].map(
    ([note, own]) => `Fault of ${list([...new Set(own.map(({ instance }) => instance))])}: ${note}`,
  );
}
