import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes } from '../harness/core/error-codes.ts';
import { reportJsonSchema } from '../reports/documents/run-json.ts';
import { rooms } from './architecture-rules.ts';

const root = join(import.meta.dirname, '..');

/** Pages of docs/ that are made from the code, as they should be. `npm run docs` writes them; a test compares them. */
export const generatedDocs: Readonly<Record<string, () => string>> = {
  'docs/errors.md': errorsPage,
  'docs/architecture.md': architecturePage,
  'docs/report.schema.json': reportSchema,
};

const errorsIntroduction = `# Error codes

Every error a person can act on has a stable code, says what happened with the value, and names the next step:

\`\`\`
error TIER_UNKNOWN: there is no tier 'singel'
next: Did you mean 'single'? Known: single.
\`\`\`

Exit code 1. A code that is not listed here, or a stack trace, is a defect: please report it.
`;

function reportSchema(): string {
  return `${reportJsonSchema()}\n`;
}

function errorsPage(): string {
  const sections = Object.entries(errorCodes).map(([group, codes]) => {
    const rows = Object.entries(codes).map(([code, meaning]) => [`\`${code}\``, meaning]);
    return `## ${group}\n\n${markdownTable(['code', 'meaning'], rows)}`;
  });
  return [errorsIntroduction, ...sections].join('\n');
}

/** The page as it is, with its table of rooms made from the rules. */
function architecturePage(): string {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const inWords: Readonly<Record<string, string>> = {
    node: 'modules of Node',
    npm: 'packages',
    all: 'all',
    shipped: 'all that is shipped',
    nothing: 'nothing',
  };
  const named = (name: string) => inWords[name] ?? (name && `\`${name}\``);
  const rows = rooms.map(({ folder, holds, mayImport, why }) => [
    `\`${folder}\``,
    holds,
    mayImport.split(' ').map(named).join(', '),
    why,
  ]);
  const table = markdownTable(['folder', 'what is in it', 'may import', 'because'], rows);
  return page.replace(/(?<=<!-- rooms -->\n\n).*(?=\n<!-- end of rooms -->)/su, () => table);
}

/** Columns are padded, so that the page reads well as text too. */
export function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return [line(heading), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('');
}

if (import.meta.main) {
  for (const [path, page] of Object.entries(generatedDocs)) {
    const file = join(root, path);
    if (readFileSync(file, 'utf8') !== page()) writeFileSync(file, page());
  }
}
