import { formatNumber, formatRate, formatRatio, formatSeconds } from '../harness/core/units.ts';
import type { JudgedTrial } from '../harness/judging/judged-trial.ts';
import { estimateValue, loadWords, shortened } from './figures.ts';
import { byUsers, type ScenarioAnalysis } from './scenario-analysis.ts';

/** The figures of a tier as lines of a terminal: a heading, and for each scenario the loads that tell most. Empty without trials. */
export function figureLines(scenarios: readonly ScenarioAnalysis[], width: number): readonly string[] {
  const shown = scenarios.flatMap((scenario) =>
    telling(scenario).map((trial, index) => ({ name: index === 0 ? scenario.name : '', trial })),
  );
  if (shown.length === 0) return [];
  const dropsAny = shown.some(({ trial }) => trial.record.trial.iterations.dropped > 0);
  const columns = allColumns.filter(({ title }) => title !== 'dropped' || dropsAny);
  const lines = linesOf(columns, shown);
  // On a narrow terminal the verdict and p95 matter more than the median.
  return widest(lines) <= width
    ? lines
    : linesOf(
        columns.filter(({ title }) => title !== 'p50'),
        shown,
      ).map((line) => shortened(line, width));
}

interface Shown {
  readonly name: string;
  readonly trial: JudgedTrial;
}

interface Column {
  readonly title: string;
  readonly isWord?: true;
  readonly text: (shown: Shown) => string;
}

const allColumns: readonly Column[] = [
  { title: 'scenario', isWord: true, text: ({ name }) => name },
  { title: 'at', text: ({ trial }) => loadWords(trial.summary.load) },
  { title: 'throughput', text: ({ trial }) => estimateValue(trial.summary.throughputPerS, formatRate) },
  ...(['p50', 'p95', 'p99'] as const).map((percentile) => ({
    title: percentile,
    text: ({ trial }: Shown) => {
      const estimate = trial.summary.latency[`${percentile}S`];
      return estimate === null ? '–' : formatSeconds(estimate.value);
    },
  })),
  { title: 'errors', text: ({ trial }) => formatRatio(trial.summary.errorRatio) },
  { title: 'dropped', text: ({ trial }) => formatNumber(trial.record.trial.iterations.dropped) },
  {
    title: '',
    isWord: true,
    text: ({ trial }) => (trial.validity.kind === 'valid' ? '' : 'not sound'),
  },
];

function linesOf(columns: readonly Column[], shown: readonly Shown[]): readonly string[] {
  const rows = [columns.map(({ title }) => title), ...shown.map((each) => columns.map(({ text }) => text(each)))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        columns[column]?.isWord === true ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function widest(lines: readonly string[]): number {
  return Math.max(...lines.map(({ length }) => length));
}

/** Of the rates and of the numbers of users each: the lowest, the highest, the one with the most throughput, the carried. */
function telling({ trials, sustained }: ScenarioAnalysis): readonly JudgedTrial[] {
  const users = byUsers(trials);
  const highest = new Set(sustained.map(({ trial }) => trial));
  return [trials.filter((trial) => !users.includes(trial)), users].flatMap((ladder) => {
    const best = ladder.reduce<JudgedTrial | undefined>(
      (most, trial) => (throughput(trial) > throughput(most) ? trial : most),
      undefined,
    );
    return ladder.filter(
      (trial, index) => index === 0 || index === ladder.length - 1 || trial === best || highest.has(trial),
    );
  });
}

function throughput(trial: JudgedTrial | undefined): number {
  return trial?.summary.throughputPerS?.value ?? -1;
}
