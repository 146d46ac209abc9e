import type { Analysis, TierAnalysis } from './analysis.ts';
import { dateTime, plural } from './figures.ts';
import type { ScenarioAnalysis } from './scenario-analysis.ts';
import {
  type Cell,
  factsTable,
  judgedTable,
  notJudgedTable,
  scenarioTable,
  stepsTable,
  type Table,
  tierFactsTable,
} from './tables.ts';
import { headline, howToRead } from './words.ts';

/** `pictures`: chart id -> path relative to the report. A chart without a picture is told in words. */
export function renderMarkdown(analysis: Analysis, pictures: ReadonlyMap<string, string>): string {
  return `${[
    '# Load test report',
    escaped(`Run ${analysis.facts.runId}, ${dateTime(analysis.facts.startedAt)}.`),
    analysis.incomplete === null ? '' : `> **Incomplete.** ${escaped(analysis.incomplete)}`,
    ...analysis.tiers.flatMap((tier) => tierParts(tier, pictures)),
    '## How to read it',
    howToRead.map((line) => `- ${line}`).join('\n'),
    '## Facts',
    markdownTable(factsTable(analysis)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

function tierParts(tier: TierAnalysis, pictures: ReadonlyMap<string, string>): readonly string[] {
  const notJudged = notJudgedTable(tier);
  return [
    `## Tier ${escaped(tier.name)}: ${escaped(tier.title)}`,
    `**${escaped(headline(tier))}**`,
    markdownTable(judgedTable(tier)),
    ...tier.charts.map((chart) => {
      const path = pictures.get(chart.id);
      const alt = escaped(chart.alt);
      return path === undefined ? `*${escaped(chart.title)}.* ${alt}` : `![${alt}](${encodeURI(path)})`;
    }),
    ...tier.scenarios.flatMap(scenarioParts),
    tier.busiest.length === 0 ? '' : '### What was busy at the highest load',
    bullets(tier.busiest),
    tier.notes.length === 0 ? '' : '### Notes',
    bullets(tier.notes),
    notJudged.rows.length === 0 ? '' : '### Targets that were not judged',
    folded(`${plural(notJudged.rows.length, 'target')}, and why`, notJudged),
    tier.facts === null
      ? ''
      : `### How ${escaped(tier.name)} ${tier.facts.notRun.length > 0 ? 'would be' : 'was'} deployed`,
    markdownTable(tierFactsTable(tier)),
  ];
}

function scenarioParts(scenario: ScenarioAnalysis): readonly string[] {
  if (scenario.trials.length === 0) return [`### Scenario ${escaped(scenario.name)}`, 'No trial was measured.'];
  return [
    `### Scenario ${escaped(scenario.name)}`,
    markdownTable(scenarioTable(scenario)),
    folded('Each request', stepsTable(scenario)),
  ];
}

/** Empty when there are no rows. */
function folded(title: string, table: Table): string {
  if (table.rows.length === 0) return '';
  return `<details><summary>${title}</summary>\n\n${markdownTable(table)}\n\n</details>`;
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${escaped(line)}`).join('\n');
}

/** Empty when there are no rows. */
function markdownTable({ columns, rows }: Table): string {
  if (rows.length === 0) return '';
  return [
    columns.map(({ title }) => escaped(title)),
    columns.map(({ align }) => (align === 'right' ? '---:' : '---')),
    ...rows.map((row) => row.map(cellText)),
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function cellText({ text, detail, reasons = [], verdict }: Cell): string {
  const shown = verdict === undefined ? escaped(text) : `**${escaped(text)}**`;
  const first = detail === undefined ? shown : `${shown} (${escaped(detail)})`;
  return [first, ...reasons.map(escaped)].join('<br>');
}

/** Names and messages are a person's or a server's: nothing in them may become markup, a link or a table cell. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|#~!]/g, '\\$&')
    .replaceAll(/\b(https?):\/\//gi, '$1:&#47;&#47;');
}
