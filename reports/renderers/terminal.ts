import type { Block, Cell, Document, Table, VerdictKind } from '../document.ts';
import { plural, shortened } from '../figures.ts';
import { indented } from '../text-layout.ts';

export interface TerminalLook {
  /** Columns of the terminal; lines are cut to it. */
  readonly width: number;
  /** False under NO_COLOR or without a terminal. */
  readonly color: boolean;
}

/** More would scroll the answer away; the page has everything. */
const MOST_LINES = 40;

/** One block as lines. `cut` is where lines are left out when the screen is too small: not a table's heading. */
interface Part {
  readonly lines: readonly string[];
  readonly keeps: number;
}

/** The last words of a command: the answer and the tables of a document, and where the report is. */
export function renderTerminal({ blocks }: Document, reportPath: string | null, look: TerminalLook): string {
  const paint = painter(look.color);
  const end = reportPath === null ? [] : ['', `Report: ${paint.strong(reportPath)}`];
  const parts = blocks.map((block) => blockPart(block, look)).filter(({ lines }) => lines.length > 0);
  const shown = withinScreen(underHeadings(parts), MOST_LINES - end.length, (text) =>
    paint.faint(shortened(text, look.width)),
  );
  return `${[...shown, ...end].join('\n')}\n`;
}

function blockPart(block: Block, look: TerminalLook): Part & { readonly level?: number } {
  const paint = painter(look.color);
  const text = (content: string, style: (line: string) => string) => {
    const lines = indented(content, look.width, 0).map((line) => style(shortened(line, look.width)));
    return { lines, keeps: lines.length };
  };
  switch (block.kind) {
    case 'answer': {
      const lines = block.answers.flatMap(({ statement, because }) => [
        ...text(statement, paint.strong).lines,
        ...(because === '' ? [] : text(because, paint.plain).lines),
      ]);
      return { lines, keeps: lines.length };
    }
    case 'note':
      return text(`${block.title}. ${block.text}`, paint.warning);
    case 'heading':
      return { ...text(block.text, paint.strong), level: block.level };
    case 'paragraph':
      return text(block.text, paint.plain);
    case 'list': {
      const lines = block.items.flatMap((item) => text(`- ${item}`, paint.plain).lines);
      return { lines, keeps: 0 };
    }
    case 'table':
      return tablePart(block.table, look);
    case 'facts':
    case 'figure':
    case 'drawing':
    case 'details':
      return { lines: [], keeps: 0 };
  }
}

/** Headings stand with what they are about; one without anything for a terminal is left out. */
function underHeadings(parts: readonly (Part & { readonly level?: number })[]): readonly Part[] {
  const shown: Part[] = [];
  let headings: (Part & { readonly level: number })[] = [];
  for (const { lines, keeps, level } of parts) {
    if (level !== undefined) {
      headings = [...headings.filter((each) => each.level < level), { lines, keeps, level }];
    } else {
      const above = headings.flatMap((each) => each.lines);
      shown.push({ lines: [...above, ...lines], keeps: above.length + keeps });
      headings = [];
    }
  }
  return shown;
}

/** The last parts give way first, each down to what it keeps. */
function withinScreen(parts: readonly Part[], most: number, faint: (text: string) => string): readonly string[] {
  const lines: string[] = [];
  for (const [index, { lines: own, keeps }] of parts.entries()) {
    const before = index === 0 ? [] : [''];
    const room = most - lines.length - before.length;
    if (own.length <= room) lines.push(...before, ...own);
    else if (room > Math.max(1, keeps)) {
      const shown = own.slice(0, room - 1);
      lines.push(...before, ...shown, faint(`… ${plural(own.length - shown.length, 'more line')} in the report`));
    } else break;
  }
  return lines;
}

/** Where the table is too wide, details are left out, then titles and words are broken over lines. */
function tablePart(table: Table, look: TerminalLook): Part {
  const paint = painter(look.color);
  const detailed = table.rows.map((row) => row.map((cell) => cellText(cell, true)));
  const rows = fits(table, detailed, look.width)
    ? detailed
    : table.rows.map((row) => row.map((cell) => cellText(cell, false)));
  const widths = widthsOf(table, rows, look.width);
  const lines = (cells: readonly string[], style: (text: string, column: number) => string, isHeader = false) => {
    const columns = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      const isNumber = table.columns[column]?.align === 'right';
      const text = (isNumber && !isHeader) || [...cell].length <= width ? [cell] : indented(cell, width, 0);
      return text.map((each) =>
        isNumber ? shortened(each, width).padStart(width) : shortened(each, width).padEnd(width),
      );
    });
    return Array.from({ length: Math.max(...columns.map(({ length }) => length)) }, (_, line) =>
      columns
        .map((text, column) => style(text[line] ?? ' '.repeat(widths[column] ?? 0), column))
        .join('  ')
        .trimEnd(),
    );
  };
  const header = lines(
    table.columns.map(({ title }) => title),
    paint.faint,
    true,
  );
  const body = rows.flatMap((cells, row) =>
    lines(cells, (text, column) => paint.cell(table.rows[row]?.[column], text)),
  );
  const reasons = table.reasons.flatMap((reason, index) =>
    indented(`[${index + 1}] ${reason}`, look.width, 0).map((each) => paint.faint(shortened(each, look.width))),
  );
  return { lines: [...header, ...body, ...reasons], keeps: 2 };
}

const signs: Record<VerdictKind, string> = { met: '✓', missed: '✕', inconclusive: '?', 'not-judged': '–' };

function cellText({ text, detail = '', verdict, repeated, reasons = [] }: Cell, withDetail: boolean): string {
  if (repeated === true) return '';
  const sign = verdict === undefined ? '' : `${signs[verdict]} `;
  const numbers = reasons.map((number) => ` [${number}]`).join('');
  return `${sign}${text}${withDetail && detail !== '' ? ` (${detail})` : ''}${numbers}`;
}

function naturalWidths(
  table: Table,
  rows: readonly (readonly string[])[],
  titleWidth = (title: string) => title.length,
): readonly number[] {
  return table.columns.map(({ title }, column) =>
    Math.max(titleWidth(title), ...rows.map((row) => [...(row[column] ?? '')].length)),
  );
}

/** What a title takes that is broken over lines. */
function longestWord(title: string): number {
  return Math.max(...title.split(' ').map(({ length }) => length));
}

function fits(table: Table, rows: readonly (readonly string[])[], width: number): boolean {
  return sum(naturalWidths(table, rows)) + 2 * (table.columns.length - 1) <= width;
}

/** The widest column of words gives way first, figures last. */
function widthsOf(table: Table, rows: readonly (readonly string[])[], width: number): readonly number[] {
  const isNarrow = !fits(table, rows, width);
  const widths = [...naturalWidths(table, rows, isNarrow ? longestWord : undefined)];
  const room = width - 2 * (widths.length - 1);
  const shrink = (columns: readonly number[], least: number) => {
    while (sum(widths) > room) {
      const widest = columns.toSorted((one, other) => (widths[other] ?? 0) - (widths[one] ?? 0))[0];
      if (widest === undefined || (widths[widest] ?? 0) <= least) return;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  };
  const all = [...table.columns.keys()];
  shrink(
    all.filter((column) => table.columns[column]?.align === 'left'),
    8,
  );
  shrink(all, 1);
  return widths;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function painter(color: boolean) {
  const with_ = (code: string) => (text: string) =>
    color && text.trim() !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  const verdictCodes: Record<VerdictKind, string> = { met: '32', missed: '31', inconclusive: '33', 'not-judged': '2' };
  return {
    plain: (text: string) => text,
    strong: with_('1'),
    faint: with_('2'),
    warning: with_('33'),
    cell: (cell: Cell | undefined, text: string) => {
      if (cell?.verdict !== undefined) return with_(verdictCodes[cell.verdict])(text);
      return cell?.strong === true ? with_('1')(text) : text;
    },
  };
}
