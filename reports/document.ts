import type { StudyStatus } from '../harness/core/study-record.ts';
import type { Tier } from '../harness/core/tier.ts';
import type { JudgedTarget } from '../harness/judging/judged-target.ts';
import type { ChartDescription } from './charts/chart.ts';

/** What a report says, as data. One builder a study (documents/), one renderer a format (renderers/). */
export interface Document {
  readonly title: string;
  /** When, what and where, in one line. */
  readonly subtitle: string;
  /** The first one is the answer. */
  readonly blocks: readonly Block[];
  readonly footer: string;
}

export type Block =
  | { readonly kind: 'answer'; readonly answers: readonly Answer[] }
  | { readonly kind: 'heading'; readonly level: 2 | 3 | 4; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  /** What a reader must see before believing the rest. */
  | { readonly kind: 'note'; readonly title: string; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'facts'; readonly caption: string; readonly rows: readonly Fact[] }
  | { readonly kind: 'figure'; readonly chart: ChartDescription }
  | { readonly kind: 'drawing'; readonly tier: Tier }
  /** Folded where a format can fold, at first open or not; left out in the terminal. */
  | { readonly kind: 'details'; readonly summary: string; readonly isOpen: boolean; readonly blocks: readonly Block[] };

export interface Answer {
  /** A scenario; empty where the answer is about all. */
  readonly about: string;
  /** A sentence that answers the question of the study. */
  readonly statement: string;
  /** One that says why; may be empty. */
  readonly because: string;
}

export type Fact = readonly [name: string, value: string];

export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Each stands once below the table; cells name it by its number, from 1. */
  readonly reasons: readonly string[];
}

interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** The first columns name a row, such as its tier; the others say something of it. */
  readonly isHead: boolean;
}

export type VerdictKind = JudgedTarget['verdict']['kind'];

export interface Cell {
  readonly text: string;
  /** Smaller print below the text. */
  readonly detail?: string;
  /** The text is this verdict, or has it. */
  readonly verdict?: VerdictKind;
  /** What a reader should see first. */
  readonly strong?: boolean;
  /** The same as in the row above. */
  readonly repeated?: boolean;
  /** Numbers of the reasons below the table. */
  readonly reasons?: readonly number[];
}

/** A cell before its reasons have numbers. */
export interface CellDraft extends Omit<Cell, 'reasons'> {
  readonly why?: readonly Why[];
}

/** A reason that a cell refers to. */
export interface Why {
  /** Those that are alike share a number, though their figures differ. */
  readonly alike: string;
  readonly text: string;
  /** Whose figures the text has, `600/s`; named where others have other figures. Empty: of no place. */
  readonly at: string;
  /** Of those that are alike, the text of the highest load is shown. */
  readonly level: number;
}

export const head = (title: string, align: Column['align'] = 'left'): Column => ({ title, align, isHead: true });
export const left = (title: string): Column => ({ title, align: 'left', isHead: false });
export const right = (title: string): Column => ({ title, align: 'right', isHead: false });

/** Numbers the reasons in the order in which a reader meets them; those that are alike have one number. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly CellDraft[])[]): Table {
  const groups = Map.groupBy(
    rows.flatMap((row) => row.flatMap(({ why = [] }) => why)),
    ({ alike }) => alike,
  );
  const order = [...groups.keys()];
  const numbered = rows.map((row) =>
    row.map(({ why = [], ...cell }): Cell => {
      const numbers = new Set(why.map(({ alike }) => order.indexOf(alike) + 1));
      return numbers.size === 0 ? cell : { ...cell, reasons: [...numbers].toSorted((one, other) => one - other) };
    }),
  );
  return { caption, columns, rows: numbered, reasons: [...groups.values()].map(reasonOf) };
}

function reasonOf(group: readonly Why[]): string {
  const [shown] = group.toSorted((one, other) => other.level - one.level);
  if (shown === undefined) return '';
  const isOnly = shown.at === '' || group.every(({ text }) => text === shown.text);
  return isOnly ? shown.text : `${shown.text} (figures of ${shown.at})`;
}

/** Nothing where the table has no rows. */
export function tableBlocks(built: Table): readonly Block[] {
  return built.rows.length === 0 ? [] : [{ kind: 'table', table: built }];
}

/** Nothing where nothing is folded. */
export function details(summary: string, blocks: readonly Block[], isOpen = false): readonly Block[] {
  return blocks.length === 0 ? [] : [{ kind: 'details', summary, isOpen, blocks }];
}

export function figures(charts: readonly (ChartDescription | null)[]): readonly Block[] {
  return charts.flatMap((chart) => (chart === null ? [] : [{ kind: 'figure' as const, chart }]));
}

/** Every chart of a document, in its order. */
export function chartsOf(blocks: readonly Block[]): readonly ChartDescription[] {
  return blocks.flatMap((block) => {
    if (block.kind === 'figure') return [block.chart];
    return block.kind === 'details' ? chartsOf(block.blocks) : [];
  });
}

/** What a reader must know of a study that did not end by itself. */
export function incompleteNote(status: StudyStatus): readonly Block[] {
  const text = describeIncomplete(status);
  return text === null ? [] : [{ kind: 'note', title: 'Incomplete', text }];
}

function describeIncomplete(status: StudyStatus): string | null {
  switch (status.state) {
    case 'finished':
      return null;
    case 'running':
      return 'The run has not ended: it is still running, or it was killed. The report shows what was measured so far.';
    case 'interrupted':
      return 'The run was interrupted. The report shows what was measured until then.';
    case 'failed':
      return `The run failed (${status.code}): ${sentence(status.what)} ${sentence(status.nextStep)} The report shows what was measured until then.`;
  }
}

/** Messages of errors end with or without a full stop. */
export function sentence(text: string): string {
  return /[.!?]$/u.test(text) ? text : `${text}.`;
}
