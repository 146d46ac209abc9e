import type { ChartDescription } from '../charts/chart.ts';
import type { Block, Cell, Document, Table } from '../document.ts';
import { visible } from '../text.ts';
import { describeService } from './tier-drawing.ts';

/** Chart id -> path relative to the report. A chart without a picture is described in words. */
export type PicturePaths = ReadonlyMap<string, string>;

export function renderMarkdown({ title, subtitle, blocks, footer }: Document, pictures: PicturePaths): string {
  return joined([`# ${escaped(title)}`, escaped(subtitle), blocksText(blocks, pictures), escaped(footer)]);
}

/** Without title and footer, to stand among other text: in a comment, say. */
export function renderBlocks(blocks: readonly Block[], footer: string): string {
  return joined([blocksText(blocks, new Map()), `<sub>${escaped(footer)}</sub>`]);
}

function blocksText(blocks: readonly Block[], pictures: PicturePaths): string {
  return joined(blocks.map((block) => blockText(block, pictures))).trimEnd();
}

function joined(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function blockText(block: Block, pictures: PicturePaths): string {
  switch (block.kind) {
    case 'answer':
      return block.answers
        .map(({ about, statement, because }) =>
          `**${escaped(about === '' ? statement : `${about}: ${statement}`)}** ${escaped(because)}`.trim(),
        )
        .join('\n\n');
    case 'heading':
      return `${'#'.repeat(block.level)} ${escaped(block.text)}`;
    case 'paragraph':
      return escaped(block.text);
    case 'note':
      return `> **${escaped(block.title)}.** ${escaped(block.text)}`;
    case 'list':
      return block.items.map((item) => `- ${escaped(item)}`).join('\n');
    case 'table':
      return tableText(block.table);
    case 'facts':
      return rowsText(
        ['Fact', 'Value'],
        ['---', '---'],
        block.rows.map((row) => row.map(escaped)),
      );
    case 'figure':
      return picture(block.chart, pictures);
    case 'drawing':
      return block.tier.services
        .map((service) => `- **${escaped(service.name)}**: ${escaped(describeService(service, block.tier.entry))}`)
        .join('\n');
    case 'details':
      return `<details${block.isOpen ? ' open' : ''}><summary>${escaped(block.summary)}</summary>\n\n${blocksText(block.blocks, pictures)}\n\n</details>`;
  }
}

function picture(chart: ChartDescription, pictures: PicturePaths): string {
  const path = pictures.get(chart.id);
  const alt = escaped(chart.alt);
  return path === undefined ? `*${escaped(chart.title)}.* ${alt}` : `![${alt}](${encodeURI(path)})`;
}

function tableText({ columns, rows, reasons }: Table): string {
  const text = rowsText(
    columns.map(({ title }) => escaped(title)),
    columns.map(({ align }) => (align === 'right' ? '---:' : '---')),
    rows.map((row) => row.map(cellText)),
  );
  return [text, reasons.map((reason, index) => `${index + 1}. ${escaped(reason)}`).join('\n')]
    .filter((part) => part !== '')
    .join('\n\n');
}

function rowsText(titles: readonly string[], rules: readonly string[], rows: readonly (readonly string[])[]): string {
  return [titles, rules, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cellText({ text, detail = '', verdict, strong, reasons = [] }: Cell): string {
  const shown = verdict !== undefined || strong === true ? `**${escaped(text)}**` : escaped(text);
  const numbers = reasons.length === 0 ? '' : `\\[${reasons.join(' ')}\\]`;
  return [shown, ...(detail === '' ? [] : [`(${escaped(detail)})`]), numbers].filter((part) => part !== '').join(' ');
}

/** Names and messages are a person's or a server's: nothing in them may become markup, a link or a table cell. */
function escaped(text: string): string {
  return visible(text.replaceAll(/\s*\n\s*/g, ' '))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|#~!]/g, '\\$&')
    .replaceAll(/\b(https?):\/\//gi, '$1:&#47;&#47;');
}
