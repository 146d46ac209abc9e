import {
  formatBound,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../harness/core/units.ts';
import {
  SMALLEST_CHANGE_RATIO,
  type TierChange,
  type TierComparison,
  type TierRow,
} from '../harness/judging/compare-tiers.ts';
import type { LoadVerdict } from '../harness/judging/judge-at-load.ts';
import type { JudgedTarget } from '../harness/judging/judged-trial.ts';
import type { TierAnalysis } from './analysis.ts';
import { changeSize, changeText, NO_CHANGE } from './change-words.ts';
import { describeWhyNot } from './describe/verdicts.ts';
import { estimateValue, loadText, loadWords, sourceOf, verdictWords } from './figures.ts';
import { type Cell, estimateCell, left, right, type Table } from './table.ts';

/** One scenario: each tier at each load, with what changed from the tier before. */
export function comparisonTable({ scenario, loads }: TierComparison['scenarios'][number]): Table {
  const models = new Set(loads.map(({ load }) => load.model));
  const title = models.size > 1 ? 'Load' : models.has('open') ? 'Arrival rate' : 'Concurrency';
  return {
    caption: `${scenario}: the tiers at each load`,
    columns: [right(title), left('Tier'), right('Throughput'), left('Change'), right('p95'), left('Change')],
    rows: loads.flatMap(({ load, rows }) =>
      rows.map((row, index) => [
        { text: (models.has('open') ? loadWords : loadText)(load), ...(index > 0 && { repeated: true }) },
        { text: row.tier },
        ...figureCells(row),
      ]),
    ),
  };
}

function figureCells(row: TierRow): readonly Cell[] {
  const { trial, throughput, p95, verdicts, before } = row;
  if (trial === null) {
    const nothing = { text: '–' };
    return [nothing, { text: row.why === null ? 'not measured' : describeWhyNot(row.why) }, nothing, nothing];
  }
  const { throughputPerS, latency } = trial.summary;
  const unsound: Partial<Cell> =
    trial.validity.kind === 'valid' ? {} : { badge: { text: 'not sound', verdict: 'inconclusive' } };
  return [
    { ...estimateCell(throughputPerS, formatRate), ...badge(reached(verdicts.throughput)), ...unsound },
    changeCell(throughput, before),
    { ...estimateCell(latency.p95S, formatSeconds), ...badge(worst(verdicts.p95)), ...unsound },
    changeCell(p95, before),
  ];
}

function changeCell(change: TierChange | null, before: string | null): Cell {
  if (change === null) return { text: '–' };
  const from = before === null ? '' : `from ${before}`;
  switch (change.kind) {
    case 'changed':
      return { text: changeSize(change.ratio), strong: true, detail: from };
    case 'unclear':
      return { text: NO_CHANGE, detail: `${changeSize(change.ratio)} ${from}` };
    case 'unknown':
      return { text: changeText(change) };
  }
}

function badge(verdict: LoadVerdict | undefined): Partial<Cell> {
  if (verdict === undefined || verdict.kind === 'not-reached') return {};
  return { badge: { text: `${verdictWords[verdict.kind]} ${formatBound(verdict.target)}`, verdict: verdict.kind } };
}

const severity = { missed: 0, inconclusive: 1, met: 2, 'not-reached': 3 } as const;

export function worst(verdicts: readonly LoadVerdict[]): LoadVerdict | undefined {
  return verdicts.toSorted((one, other) => severity[one.kind] - severity[other.kind])[0];
}

/** The highest throughput that this load reaches: not to reach one is no miss, since another load may. */
function reached(verdicts: readonly LoadVerdict[]): LoadVerdict | undefined {
  return verdicts.filter(({ kind }) => kind === 'met').toSorted((one, other) => highest(other) - highest(one))[0];
}

function highest({ target: { value } }: LoadVerdict): number {
  return typeof value === 'number' ? value : value[1];
}

export function howToReadComparison({ comparisons }: TierComparison): string {
  return `Each tier is compared with the one before it at the same load. ${formatNumber(comparisons)} comparisons were made, and the chance that any of them is called a change where there is none is held at 5 % (Holm). Less than ${formatRatio(SMALLEST_CHANGE_RATIO)} is never called a change: each tier was brought up once, and bringing it up again may differ by as much.`;
}

type Targets = readonly JudgedTarget[];

/** Rows targets, columns tiers. Those that no tier was judged by are left out. */
export function targetsByTierTable(tiers: readonly TierAnalysis[]): Table {
  const rows = [...Map.groupBy(tiers.flatMap(judgedOf), rowKey).values()];
  return {
    caption: 'Targets and tiers',
    columns: [left('Target'), left('Limit'), left('Scenario'), ...tiers.map(({ name }) => left(name))],
    rows: rows
      .filter((own) => own.some(({ verdict }) => verdict.kind !== 'not-judged'))
      .flatMap((own): Cell[][] => {
        const [first] = own;
        if (first === undefined) return [];
        return [
          [
            { text: first.target.title, detail: sourceOf(first.target) },
            { text: formatBound(first.target) },
            { text: first.scenario ?? 'all' },
            ...tiers.map((tier) => tierCell(tier, own)),
          ],
        ];
      }),
  };
}

/** Why the targets were not judged that no tier was judged by. */
export function judgedNowhereTable(tiers: readonly TierAnalysis[]): Table {
  const rows = [...Map.groupBy(tiers.flatMap(judgedOf), rowKey).values()];
  return {
    caption: 'Targets that were not judged for any tier',
    columns: [left('Target'), left('Limit'), left('Why it was not judged'), left('Source')],
    rows: rows
      .filter((own) => own.every(({ verdict }) => verdict.kind === 'not-judged'))
      .flatMap((own) => {
        const [first] = own;
        const why = new Set(
          own.flatMap(({ verdict }) => (verdict.kind === 'not-judged' ? [describeWhyNot(verdict.why)] : [])),
        );
        if (first === undefined) return [];
        return [
          [
            { text: first.target.title },
            { text: formatBound(first.target) },
            { text: [...why].join(' ') },
            { text: sourceOf(first.target) },
          ],
        ];
      }),
  };
}

/** A tier that was not run has no verdict of its own: its column says so. */
function judgedOf(tier: TierAnalysis): Targets {
  return wasRun(tier) ? tier.targets : tier.targets.filter(({ verdict }) => verdict.kind === 'not-judged');
}

function wasRun({ facts }: TierAnalysis): boolean {
  return facts === null || facts.notRun.length === 0;
}

function rowKey({ target, scenario }: JudgedTarget): string {
  return JSON.stringify([target.id, scenario]);
}

function tierCell(tier: TierAnalysis, row: Targets): Cell {
  if (!wasRun(tier)) return { text: 'not run' };
  const judged = row.find((each) => each.tier === tier.name);
  if (judged === undefined) return { text: '–' };
  const { verdict, value, target } = judged;
  if (verdict.kind === 'not-judged') return { text: verdictWords[verdict.kind] };
  const figure = estimateValue(value, (each) => formatQuantity(each, target.unit));
  return { text: verdictWords[verdict.kind], verdict: verdict.kind, ...(value !== null && { detail: figure }) };
}
