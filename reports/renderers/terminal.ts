import type { Block, Cell, Document, Table, VerdictKind } from '../document.ts';
import { indented, plural, type Style, shortened, styled, visible } from '../text.ts';

/** More would scroll the answer away; the page has everything. */
const MOST_LINES = 40;

/** One block as lines. `keeps`: so many stay when the screen is too small. */
interface Part {
  readonly lines: readonly string[];
  readonly keeps: number;
  /** Of a heading, which stands with what comes below it. */
  readonly level?: number;
}

/**
 * The last words of a command: the answer and the tables of a document, and where the report is. No line is wider than
 * `width`. Colours are marks (text.ts), which whoever prints it turns into what the terminal has.
 */
export function renderTerminal({ blocks }: Document, reportPath: string | null, width: number): string {
  const end = reportPath === null ? [] : ['', `Report: ${styled('strong', visible(reportPath))}`];
  const parts = blocks.map((block) => blockPart(block, width)).filter(({ lines }) => lines.length > 0);
  return `${[...withinScreen(underHeadings(parts), MOST_LINES - end.length, width), ...end].join('\n')}\n`;
}

function blockPart(block: Block, width: number): Part {
  const text = (content: string, style?: Style) => {
    const lines = indented(content, width, 0).map((line) => shortened(line, width));
    return style === undefined ? lines : lines.map((line) => styled(style, line));
  };
  const whole = (lines: readonly string[]): Part => ({ lines, keeps: lines.length });
  switch (block.kind) {
    case 'answer':
      return whole(
        block.answers.flatMap(({ about, statement, because }) => [
          ...text(about === '' ? statement : `${about}: ${statement}`, 'strong'),
          ...(because === '' ? [] : text(because)),
        ]),
      );
    case 'note':
      return whole(text(`${block.title}. ${block.text}`, 'inconclusive'));
    case 'heading':
      return { ...whole(text(block.text, 'strong')), level: block.level };
    case 'paragraph':
      return whole(text(block.text));
    case 'list':
      return { lines: block.items.flatMap((item) => text(`- ${item}`)), keeps: 0 };
    case 'table':
      return tablePart(block.table, width);
    case 'facts':
    case 'figure':
    case 'drawing':
    case 'details':
      return whole([]);
  }
}

/** A heading without anything for a terminal is left out. */
function underHeadings(parts: readonly Part[]): readonly Part[] {
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
function withinScreen(parts: readonly Part[], most: number, width: number): readonly string[] {
  const lines: string[] = [];
  for (const [index, { lines: own, keeps }] of parts.entries()) {
    const before = index === 0 ? [] : [''];
    const room = most - lines.length - before.length;
    if (own.length <= room) lines.push(...before, ...own);
    else if (room > Math.max(1, keeps)) {
      const shown = own.slice(0, room - 1);
      const rest = `… ${plural(own.length - shown.length, 'more line')} in the report`;
      lines.push(...before, ...shown, styled('faint', shortened(rest, width)));
    } else break;
  }
  return lines;
}

/** How much of its cells a table shows: with details, without, or with the sign alone of a verdict. */
type Depth = 'full' | 'brief' | 'signs';

const signs: Record<VerdictKind, string> = { met: '✓', missed: '✕', inconclusive: '?', 'not-judged': '–' };

/** Where the table is too wide, details are left out, then the words of verdicts; then each row has lines of its own. */
function tablePart(table: Table, width: number): Part {
  const reasons = table.reasons.flatMap((reason, index) =>
    indented(`[${index + 1}] ${reason}`, width, 0).map((each) => styled('faint', shortened(each, width))),
  );
  for (const depth of ['full', 'brief', 'signs'] as const) {
    const texts = table.rows.map((row) => row.map((cell) => (cell.repeated === true ? '' : cellText(cell, depth))));
    const widths = widthsOf(table, texts, width, depth !== 'full');
    if (widths === null) continue;
    const header = lineUp(
      table,
      table.columns.map(({ title }) => title),
      widths,
      () => 'faint',
    );
    const body = texts.flatMap((row, index) =>
      lineUp(table, row, widths, (column) => styleOf(table.rows[index]?.[column])),
    );
    return { lines: [...header, ...body, ...legend(table, depth, width), ...reasons], keeps: header.length + 1 };
  }
  return { lines: [...stacked(table, width), ...legend(table, 'signs', width), ...reasons], keeps: 2 };
}

function cellText({ text, detail = '', verdict, reasons = [] }: Cell, depth: Depth): string {
  return [
    ...(verdict === undefined ? [] : [signs[verdict]]),
    ...(verdict !== undefined && depth === 'signs' ? [] : [visible(text)]),
    ...(detail === '' || depth !== 'full' ? [] : [`(${visible(detail)})`]),
    ...(reasons.length === 0 ? [] : [`[${reasons.join(' ')}]`]),
  ].join(' ');
}

function styleOf(cell: Cell | undefined): Style | undefined {
  return cell?.verdict ?? (cell?.strong === true ? 'strong' : undefined);
}

/** What the signs mean, where they stand without words. */
function legend({ rows }: Table, depth: Depth, width: number): readonly string[] {
  const words = new Map(
    rows.flatMap((row) =>
      row.flatMap(({ verdict, text }) => (verdict === undefined ? [] : [[verdict, text] as const])),
    ),
  );
  if (depth !== 'signs' || words.size === 0) return [];
  const text = [...words].map(([verdict, word]) => `${signs[verdict]} ${word}`).join(', ');
  return indented(text, width, 0).map((line) => styled('faint', line));
}

/** Null where it does not fit. `mayBreak`: titles and words may take two lines; figures and verdicts never do. */
function widthsOf(
  { columns, rows }: Table,
  texts: readonly (readonly string[])[],
  width: number,
  mayBreak: boolean,
): readonly number[] | null {
  const cells = columns.map((_, column) => texts.map((row) => row[column] ?? ''));
  const wholes = columns.map(({ title }, column) => lengthOf([title, ...(cells[column] ?? [])]));
  const room = width - 2 * (columns.length - 1);
  if (sum(wholes) <= room) return wholes;
  if (!mayBreak) return null;
  const widths = columns.map(({ title }, column) => lengthOf([...title.split(' '), ...(cells[column] ?? [])]));
  const least = columns.map(({ align, title }, column) => {
    const words = [title, ...(cells[column] ?? [])].flatMap((text) => text.split(' '));
    const whole = widths[column] ?? 0;
    const isWhole = align === 'right' || hasVerdict(rows, column);
    return isWhole ? whole : Math.max(Math.ceil(whole / 2), lengthOf(words));
  });
  while (sum(widths) > room) {
    const [widest] = [...columns.keys()]
      .filter((column) => (widths[column] ?? 0) > (least[column] ?? 0))
      .toSorted((one, other) => (widths[other] ?? 0) - (widths[one] ?? 0));
    if (widest === undefined) return null;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function hasVerdict(rows: Table['rows'], column: number): boolean {
  return rows.some((row) => row[column]?.verdict !== undefined);
}

function lineUp(
  { columns }: Table,
  row: readonly string[],
  widths: readonly number[],
  style: (column: number) => Style | undefined,
): readonly string[] {
  const broken = row.map((text, column) => {
    const width = widths[column] ?? 0;
    return [...text].length <= width ? [text] : indented(text, width, 0);
  });
  return Array.from({ length: lengthOf(broken) }, (_, line) =>
    broken
      .map((texts, column) => {
        const [text = '', width = 0] = [texts[line], widths[column]];
        const gap = ' '.repeat(Math.max(0, width - [...text].length));
        const isLast = column === columns.length - 1;
        const shown = styledAs(style(column), text);
        return columns[column]?.align === 'right' ? `${gap}${shown}` : `${shown}${isLast ? '' : gap}`;
      })
      .join('  ')
      .trimEnd(),
  );
}

function styledAs(style: Style | undefined, text: string): string {
  return style === undefined ? text : styled(style, text);
}

/** A row as a line that names it, and below that its other cells, each behind the title of its column. */
function stacked({ columns, rows }: Table, width: number): readonly string[] {
  return rows.flatMap((row) => {
    const name = row.filter((_, column) => columns[column]?.isHead === true).map(({ text }) => text);
    const cells = row.flatMap((cell, column) =>
      columns[column]?.isHead === true || cell.text === '–'
        ? []
        : [`${columns[column]?.title ?? ''} ${cellText(cell, 'signs')}`],
    );
    return [
      ...indented(name.join(', '), width, 0).map((line) => styled('strong', shortened(line, width))),
      ...indented(cells.join(', '), width, 2).map((line) => shortened(line, width)),
    ];
  });
}

/** Of the longest one. */
function lengthOf(texts: readonly (string | readonly string[])[]): number {
  return Math.max(0, ...texts.map((text) => (typeof text === 'string' ? [...text] : text).length));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
