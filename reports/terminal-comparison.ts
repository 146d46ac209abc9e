import { formatRate, formatSeconds } from '../harness/core/units.ts';
import type { LoadComparison, ScenarioComparison, TierChange, TierRow } from '../harness/judging/compare-tiers.ts';
import type { Analysis, ComparisonAnalysis } from './analysis.ts';
import { shortChange } from './change-words.ts';
import { worst } from './comparison-tables.ts';
import { describeFault } from './faults.ts';
import { loadWords, plural, shortened } from './figures.ts';
import { indented } from './text-layout.ts';
import { headline } from './words.ts';

/** What the terminal says of several tiers: a line for each, their figures side by side, and what they bought. */
export interface TerminalComparison {
  readonly verdicts: readonly string[];
  readonly table: readonly string[];
  readonly faults: readonly string[];
  readonly inWords: readonly string[];
}

/** `mostRows`: of the table, with its heading. */
export function compareInTerminal(
  { tiers }: Analysis,
  comparison: ComparisonAnalysis,
  width: number,
  mostRows: number,
): TerminalComparison {
  const nameWidth = Math.max(...tiers.map(({ name }) => name.length));
  const faults = tiers.flatMap(({ name, faults: own }) => own.map((fault) => `${name}: ${describeFault(fault)}`));
  const shownFaults = faults.slice(0, faults.length > MOST_FAULTS ? MOST_FAULTS - 1 : MOST_FAULTS);
  const more = faults.length - shownFaults.length;
  return {
    verdicts: tiers.map((tier) => shortened(`${tier.name.padEnd(nameWidth)}  ${headline(tier)}`, width)),
    table: comparisonLines(comparison.comparison.scenarios, width, mostRows),
    faults: [...shownFaults, ...(more > 0 ? [`… ${plural(more, 'more fault')} in the report`] : [])].flatMap((line) =>
      indented(line, width, 0).map((part) => shortened(part, width)),
    ),
    inWords: indented(comparison.inWords, width, 0).map((line) => shortened(line, width)),
  };
}

const MOST_FAULTS = 4;
const LEGEND = '= no change beyond noise  ? cannot be said  ! misses p95 target  ~ not sound';

function comparisonLines(scenarios: readonly ScenarioComparison[], width: number, most: number): readonly string[] {
  const measured = scenarios.filter(({ loads }) => loads.length > 0);
  const [first] = measured.flatMap(({ loads }) => loads);
  if (first === undefined) return [];
  const perScenario = Math.max(1, Math.floor((most - 2) / 2 / measured.length));
  const lines = measured.flatMap(({ scenario, loads }) =>
    telling(loads, perScenario).flatMap((load, index) => loadLines(index === 0 ? scenario : '', load)),
  );
  const header = ['', '', '', ...first.rows.map(({ tier }) => tier)];
  const rows = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const text = rows.map((row) =>
    shortened(
      row
        .map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
      width,
    ),
  );
  return [...text, shortened(LEGEND, width)];
}

/**
 * Of rates and of users each the highest load, the lowest, and those next to the highest, as many as there is room for: of
 * users one in three, and one of each before there is a second of any.
 */
function telling(loads: readonly LoadComparison[], most: number): readonly LoadComparison[] {
  if (loads.length <= most) return loads;
  const rates = loads.filter(({ load }) => load.model === 'open');
  const users = loads.filter(({ load }) => load.model === 'closed');
  const forUsers = rates.length === 0 ? most : Math.min(users.length, Math.max(Math.floor(most / 3), most > 1 ? 1 : 0));
  return [...ends(rates, most - forUsers), ...ends(users, forUsers)];
}

function ends(loads: readonly LoadComparison[], most: number): readonly LoadComparison[] {
  if (loads.length <= most) return loads;
  if (most < 1) return [];
  return most === 1 ? loads.slice(-1) : [...loads.slice(0, 1), ...loads.slice(1 - most)];
}

function loadLines(scenario: string, { load, rows }: LoadComparison): readonly (readonly string[])[] {
  return [
    [scenario, loadWords(load), 'requests/s', ...rows.map(throughputCell)],
    ['', '', 'p95', ...rows.map(p95Cell)],
  ];
}

function throughputCell({ trial, throughput }: TierRow): string {
  const value = trial?.summary.throughputPerS;
  if (trial === null) return '–';
  return [value === null || value === undefined ? 'too few' : formatRate(value.value), mark(throughput), sound(trial)]
    .filter((part) => part !== '')
    .join(' ');
}

function p95Cell({ trial, p95, verdicts }: TierRow): string {
  if (trial === null) return '–';
  const value = trial.summary.latency.p95S;
  const missed = worst(verdicts.p95)?.kind === 'missed' ? '!' : '';
  return [value === null ? 'too few' : `${formatSeconds(value.value)}${missed}`, mark(p95), sound(trial)]
    .filter((part) => part !== '')
    .join(' ');
}

function sound({ validity }: NonNullable<TierRow['trial']>): string {
  return validity.kind === 'valid' ? '' : '~';
}

function mark(change: TierChange | null): string {
  switch (change?.kind) {
    case 'changed':
      return shortChange(change.ratio.value);
    case 'unclear':
      return '=';
    case 'unknown':
      return '?';
    default:
      return '';
  }
}
