import {
  formatBound,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../harness/core/units.ts';
import type { JudgedTarget, SummarizedTrial } from '../harness/judging/summary.ts';
import type { TierAnalysis } from './analysis.ts';
import { estimateValue, loadText, plural, sourceOf, verdictReasons, verdictWords } from './figures.ts';
import type { ScenarioAnalysis } from './scenario-analysis.ts';
import { type Cell, estimateCell, left, right, type Table } from './table.ts';

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
    evidenceCell(evidence, verdict.kind === 'missed' && evidence !== '' ? [] : verdictReasons(verdict)),
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
        ? [[{ text: target.title }, { text: formatBound(target) }, { text: verdict.why }, { text: sourceOf(target) }]]
        : [],
    ),
  };
}

export function scenarioTable({ name, trials }: ScenarioAnalysis): Table {
  return {
    caption: `${name}: what each load gave`,
    columns: [
      right(trials[0]?.summary.load.model === 'open' ? 'Arrival rate' : 'Concurrency'),
      right('Throughput'),
      right('p50'),
      right('p95'),
      right('p99'),
      right('Errors'),
      left('Sound'),
    ],
    rows: trials.map(({ summary }) => [
      { text: loadText(summary.load) },
      estimateCell(summary.throughputPerS, formatRate),
      estimateCell(summary.latency.p50S, formatSeconds),
      estimateCell(summary.latency.p95S, formatSeconds),
      estimateCell(summary.latency.p99S, formatSeconds),
      { text: formatRatio(summary.errorRatio) },
      summary.soundness.kind === 'sound'
        ? { text: 'yes' }
        : { text: 'no', reasons: summary.soundness.reasons, verdict: 'inconclusive' },
    ]),
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
    rows: trials.flatMap(({ measured, summary }) =>
      summary.steps.map((step) => [
        { text: loadText(summary.load) },
        { text: step.name },
        { text: formatNumber(step.requests) },
        { text: estimateValue(step.throughputPerS, formatRate) },
        { text: estimateValue(step.latency.p50S, formatSeconds) },
        { text: estimateValue(step.latency.p95S, formatSeconds) },
        { text: estimateValue(step.latency.p99S, formatSeconds) },
        { text: formatRatio(step.errorRatio) },
        { text: answers(measured, step.name) },
      ]),
    ),
  };
}

/** `200 × 4,120, 503 × 3, timeout × 2` */
function answers(measured: SummarizedTrial['measured'], step: string): string {
  const result = measured.trial.steps.find((each) => each.name === step);
  if (result === undefined) return '–';
  const unanswered = (['refused', 'reset', 'timeout', 'malformed', 'wrong-answer'] as const)
    .filter((outcome) => result.outcomes[outcome] > 0)
    .map((outcome) => [outcome, result.outcomes[outcome]] as const);
  const counts = [...Object.entries(result.statuses), ...unanswered];
  return counts.length === 0 ? 'none' : counts.map(([what, count]) => `${what} × ${formatNumber(count)}`).join(', ');
}
