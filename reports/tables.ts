import {
  formatBound,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../harness/core/units.ts';
import type { JudgedTarget, JudgedTrial } from '../harness/judging/judged-trial.ts';
import type { TierAnalysis } from './analysis.ts';
import { carriedTargetText, carriedText, otherRatesText } from './carried-words.ts';
import { describeCaveat, describeReason } from './describe/reasons.ts';
import { withAdvice } from './describe/remedies.ts';
import { describeWhyNot } from './describe/verdicts.ts';
import {
  estimateValue,
  evidenceText,
  loadText,
  loadWords,
  plural,
  sourceOf,
  verdictReasons,
  verdictWords,
} from './figures.ts';
import { byUsers, type ScenarioAnalysis } from './scenario-analysis.ts';
import { type Cell, estimateCell, left, right, type Table } from './table.ts';
import { lostWork, workOf } from './work.ts';

/** The targets that were judged: each verdict with its value, interval, target and source. */
export function judgedTable({ name, targets }: TierAnalysis): Table {
  return {
    caption: `Targets judged for ${name}`,
    columns: [
      left('Verdict'),
      left('Target'),
      left('Limit'),
      left('Scenario'),
      right('Value (95 % interval)'),
      left('Evidence'),
      left('Source'),
    ],
    rows: targets.filter(({ verdict }) => verdict.kind !== 'not-judged').map(judgedRow),
  };
}

function judgedRow({ target, scenario, verdict, value, evidence }: JudgedTarget): readonly Cell[] {
  const format = (figure: number) => formatQuantity(figure, target.unit);
  return [
    { text: verdictWords[verdict.kind], verdict: verdict.kind },
    { text: target.title },
    { text: formatBound(target) },
    { text: scenario ?? 'all' },
    value === null ? { text: '–' } : estimateCell(value, format),
    // What a missed target violates is what its evidence says.
    evidenceCell(evidenceText(evidence), verdict.kind === 'missed' ? [] : verdictReasons(verdict, target)),
    { text: sourceOf(target) },
  ];
}

/** What is the same for every load is told of the first; the table of the scenario has them all. */
const MOST_REASONS = 2;

function evidenceCell(evidence: string, reasons: readonly string[]): Cell {
  if (reasons.length === 0) return { text: evidence };
  const more = reasons.length - MOST_REASONS;
  const shown = [...reasons.slice(0, MOST_REASONS), ...(more > 0 ? [`and ${plural(more, 'more reason')}`] : [])];
  return { text: evidence, reasons: shown };
}

/** The targets that were not judged, and why not. */
export function notJudgedTable({ name, targets }: TierAnalysis): Table {
  return {
    caption: `Targets not judged for ${name}`,
    columns: [left('Target'), left('Limit'), left('Why it was not judged'), left('Source')],
    rows: targets.flatMap(({ target, verdict }) =>
      verdict.kind === 'not-judged'
        ? [
            [
              { text: target.title },
              { text: formatBound(target) },
              { text: describeWhyNot(verdict.why) },
              { text: sourceOf(target) },
            ],
          ]
        : [],
    ),
  };
}

/** What each load gave: a table for arrival rates, one for numbers of users. */
export function scenarioTables({ name, trials }: ScenarioAnalysis): readonly Table[] {
  const users = byUsers(trials);
  const rates = trials.filter((trial) => !users.includes(trial));
  return [
    ...(rates.length === 0 ? [] : [ratesTable(name, rates)]),
    ...(users.length === 0 ? [] : [usersTable(rates.length === 0 ? name : `${name} by number of users`, users)]),
  ];
}

function ratesTable(name: string, trials: readonly JudgedTrial[]): Table {
  return {
    caption: `${name}: what each arrival rate gave`,
    columns: [right('Arrival rate'), ...measuredColumns, right('Due'), right('Errors'), left('Sound')],
    rows: trials.map((trial) => [
      { text: loadWords(trial.summary.load) },
      ...measuredCells(trial),
      { text: formatNumber(workOf(trial.record.trial).due) },
      errorsCell(trial),
      soundCell(trial),
    ]),
  };
}

function usersTable(name: string, trials: readonly JudgedTrial[]): Table {
  return {
    caption: `${name}: what each load gave`,
    columns: [right('Concurrency'), ...measuredColumns, right('Errors'), left('Sound')],
    rows: trials.map((trial) => [
      { text: loadText(trial.summary.load) },
      ...measuredCells(trial),
      errorsCell(trial),
      soundCell(trial),
    ]),
  };
}

const measuredColumns = [right('Throughput'), right('p50'), right('p95'), right('p99')];

function measuredCells({ summary }: JudgedTrial): readonly Cell[] {
  return [
    estimateCell(summary.throughputPerS, formatRate),
    estimateCell(summary.latency.p50S, formatSeconds),
    estimateCell(summary.latency.p95S, formatSeconds),
    estimateCell(summary.latency.p99S, formatSeconds),
  ];
}

/** With what was dropped, and what failed by kind. */
function errorsCell({ record, summary }: JudgedTrial): Cell {
  return { text: formatRatio(summary.errorRatio), reasons: lostWork(workOf(record.trial)) };
}

function soundCell({ validity, caveats }: JudgedTrial): Cell {
  return validity.kind === 'valid'
    ? { text: 'yes', reasons: caveats.map(describeCaveat) }
    : {
        text: 'no',
        reasons: [
          ...validity.reasons.map((reason) => withAdvice(describeReason, reason)),
          ...caveats.map(describeCaveat),
        ],
        verdict: 'inconclusive',
      };
}

/** How far each tier came by arrival rate, in each scenario. */
export function carriedTable(tiers: readonly TierAnalysis[]): Table {
  const rows = tiers.flatMap(({ name: tier, scenarios }) =>
    scenarios.flatMap(({ name: scenario, sustained }) => sustained.map((each) => ({ tier, scenario, carried: each }))),
  );
  const groups = Map.groupBy(rows, ({ scenario, carried }) => JSON.stringify([scenario, carriedTargetText(carried)]));
  return {
    caption: 'The highest arrival rate within its p95 target',
    columns: [
      left('Scenario'),
      left('p95 target'),
      ...(tiers.length > 1 ? [left('Tier')] : []),
      left('Carried'),
      left('Other rates'),
    ],
    rows: [...groups.values()].flatMap((own) =>
      own.map(({ tier, scenario, carried }) => [
        { text: scenario },
        { text: carriedTargetText(carried) },
        ...(tiers.length > 1 ? [{ text: tier }] : []),
        { text: carriedText(carried), strong: true },
        { text: otherRatesText(carried) },
      ]),
    ),
  };
}

/** Trials that a person can repeat with a command. */
export function repeatTable({ name, scenarios }: TierAnalysis): Table {
  return {
    caption: `How to repeat a trial of ${name} by hand`,
    columns: [left('Scenario'), right('Load'), left('Command')],
    rows: scenarios.flatMap((scenario) =>
      scenario.trials.flatMap(({ record: { trial } }) =>
        trial.repeatWith === undefined
          ? []
          : [[{ text: scenario.name }, { text: loadWords(trial.plan.load) }, { text: trial.repeatWith }]],
      ),
    ),
  };
}

/** Every request name of every load of a scenario. */
export function stepsTable({ name, trials }: ScenarioAnalysis): Table {
  return {
    caption: `${name}: each request`,
    columns: [
      right('Load'),
      left('Request'),
      right('Sent'),
      right('Throughput'),
      right('p50'),
      right('p95'),
      right('p99'),
      right('Errors'),
      left('Answers'),
    ],
    rows: trials.flatMap(({ record, summary }) =>
      summary.steps.map((step, index) => [
        { text: loadWords(summary.load), ...(index > 0 && { repeated: true }) },
        { text: step.name },
        { text: formatNumber(step.requests) },
        { text: estimateValue(step.throughputPerS, formatRate) },
        { text: estimateValue(step.latency.p50S, formatSeconds) },
        { text: estimateValue(step.latency.p95S, formatSeconds) },
        { text: estimateValue(step.latency.p99S, formatSeconds) },
        { text: formatRatio(step.errorRatio) },
        { text: answers(record, step.name) },
      ]),
    ),
  };
}

/** `200 × 4,120, 503 × 3, timeout × 2` */
function answers(measured: JudgedTrial['record'], step: string): string {
  const result = measured.trial.steps.find((each) => each.name === step);
  if (result === undefined) return '–';
  const unanswered = (['refused', 'reset', 'timeout', 'malformed', 'wrong-answer'] as const)
    .filter((outcome) => result.outcomes[outcome] > 0)
    .map((outcome) => [outcome, result.outcomes[outcome]] as const);
  const counts = [...Object.entries(result.statuses), ...unanswered];
  return counts.length === 0 ? 'none' : counts.map(([what, count]) => `${what} × ${formatNumber(count)}`).join(', ');
}
