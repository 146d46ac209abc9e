import type { JudgedTarget } from '../harness/judging/judged-trial.ts';
import { estimateInterval, estimateValue } from './figures.ts';

/** A table of a report in words, whatever it is rendered to. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

export type VerdictKind = JudgedTarget['verdict']['kind'];

export interface Cell {
  readonly text: string;
  /** The cell says this verdict. */
  readonly verdict?: VerdictKind;
  /** Smaller print below the text. */
  readonly detail?: string;
  /** A verdict beside the text, which is a figure. */
  readonly badge?: { readonly text: string; readonly verdict: VerdictKind };
  /** What a reader should see first. */
  readonly strong?: boolean;
  /** The same as in the row above. */
  readonly repeated?: boolean;
  /** Sentences below the text, each on a line of its own: they hold semicolons themselves. */
  readonly reasons?: readonly string[];
}

export const left = (title: string): Column => ({ title, align: 'left' });
export const right = (title: string): Column => ({ title, align: 'right' });

export function estimateCell(estimate: Parameters<typeof estimateValue>[0], format: (value: number) => string): Cell {
  const interval = estimateInterval(estimate, format);
  const text = estimateValue(estimate, format);
  return estimate === null || interval === 'exact' ? { text } : { text, detail: interval };
}
