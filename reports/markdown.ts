import type { Analysis, TierAnalysis } from './analysis.ts';
import type { ChartDescription } from './chart.ts';
import { comparisonTable, howToReadComparison, judgedNowhereTable, targetsByTierTable } from './comparison-tables.ts';
import { factsTable, tierFactsTable } from './fact-tables.ts';
import { faultsTable } from './faults.ts';
import { dateTime, plural } from './figures.ts';
import type { ScenarioAnalysis } from './scenario-analysis.ts';
import type { Cell, Table } from './table.ts';
import { carriedTable, judgedTable, notJudgedTable, repeatTable, scenarioTables, stepsTable } from './tables.ts';
import { describeService } from './tiers-table.ts';
import { howToReadViews, viewsTable } from './views.ts';
import { headline, howToRead } from './words.ts';

/** `pictures`: chart id -> path relative to the report. A chart without a picture is told in words. */
export function renderMarkdown(analysis: Analysis, pictures: Pictures): string {
  return `${[
    '# Load test report',
    escaped(`Run ${analysis.facts.runId}, ${dateTime(analysis.facts.startedAt)}.`),
    analysis.incomplete === null ? '' : `> **Incomplete.** ${escaped(analysis.incomplete)}`,
    ...comparisonParts(analysis, pictures),
    ...analysis.tiers.flatMap((tier) => tierParts(tier, pictures, analysis.comparison !== null)),
    '## How to read it',
    howToRead(analysis)
      .map((line) => `- ${line}`)
      .join('\n'),
    '## Facts',
    markdownTable(factsTable(analysis)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

/** The tiers side by side, before each of them. */
function comparisonParts({ comparison, tiers }: Analysis, pictures: Pictures): readonly string[] {
  if (comparison === null) return [];
  const nowhere = judgedNowhereTable(tiers);
  return [
    '## The tiers side by side',
    tiers.map((tier) => `- **${escaped(tier.name)}**: ${escaped(headline(tier))}`).join('\n'),
    escaped(comparison.inWords),
    ...comparison.charts.map((chart) => picture(chart, pictures)),
    ...carriedParts(tiers),
    ...comparison.comparison.scenarios
      .filter(({ loads }) => loads.length > 0)
      .flatMap((scenario) => [
        `### ${escaped(scenario.scenario)}: from tier to tier`,
        markdownTable(comparisonTable(scenario)),
      ]),
    escaped(howToReadComparison(comparison.comparison)),
    '### Targets and tiers',
    markdownTable(targetsByTierTable(tiers)),
    folded(`${plural(nowhere.rows.length, 'target')} not judged for any tier, and why`, nowhere),
  ];
}

/** Of a tier that is compared, what the comparison shows already is folded or left out. */
function tierParts(tier: TierAnalysis, pictures: Pictures, isCompared: boolean): readonly string[] {
  const notJudged = notJudgedTable(tier);
  const judged = judgedTable(tier);
  const early = tier.facts?.endedEarly ?? null;
  return [
    `## Tier ${escaped(tier.name)}: ${escaped(tier.title)}`,
    early === null ? '' : `> **Ended early.** ${escaped(early)}`,
    `**${escaped(headline(tier))}**`,
    isCompared ? folded(`${plural(judged.rows.length, 'verdict')} with evidence`, judged) : markdownTable(judged),
    ...(isCompared ? [] : carriedParts([tier])),
    ...tier.charts.map((chart) => picture(chart, pictures)),
    ...viewsParts(tier, pictures, isCompared),
    ...tier.scenarios.flatMap((scenario) => scenarioParts(scenario, isCompared)),
    folded('How to repeat a trial by hand', repeatTable(tier)),
    ...faultParts(tier, pictures),
    tier.busiest.length === 0 ? '' : '### What was busy at the highest load',
    bullets(tier.busiest),
    tier.notes.length === 0 ? '' : '### Notes',
    bullets(tier.notes),
    isCompared || notJudged.rows.length === 0 ? '' : '### Targets that were not judged',
    isCompared ? '' : folded(`${plural(notJudged.rows.length, 'target')}, and why`, notJudged),
    ...deploymentParts(tier),
  ];
}

function carriedParts(tiers: readonly TierAnalysis[]): readonly string[] {
  const table = carriedTable(tiers);
  return table.rows.length === 0
    ? []
    : [`### How far ${tiers.length > 1 ? 'each tier' : 'it'} came by arrival rate`, markdownTable(table)];
}

function viewsParts(tier: TierAnalysis, pictures: Pictures, isCompared: boolean): readonly string[] {
  if (tier.views === null) return [];
  const table = viewsTable(tier.name, tier.views);
  return [
    '### What coordinated omission would have hidden',
    escaped(tier.views.inWords),
    picture(tier.views.chart, pictures),
    isCompared
      ? folded(`${plural(tier.views.trials.length, 'trial')} read in three ways`, table)
      : markdownTable(table),
    escaped(howToReadViews),
  ];
}

function deploymentParts({ name, facts, ...tier }: TierAnalysis): readonly string[] {
  if (facts === null) return [];
  return [
    `### How ${escaped(name)} ${facts.notRun.length > 0 ? 'would be' : 'was'} deployed`,
    facts.tier.services
      .map((service) => `- **${escaped(service.name)}**: ${escaped(describeService(service, facts.tier.entry))}`)
      .join('\n'),
    markdownTable(tierFactsTable({ name, facts, ...tier })),
  ];
}

function faultParts({ name, faults }: TierAnalysis, pictures: Pictures): readonly string[] {
  if (faults.length === 0) return [];
  return [
    '### Faults made on purpose',
    markdownTable(faultsTable(name, faults)),
    ...faults.flatMap(({ chart }) => (chart === null ? [] : [picture(chart, pictures)])),
  ];
}

type Pictures = ReadonlyMap<string, string>;

function picture(chart: ChartDescription, pictures: Pictures): string {
  const path = pictures.get(chart.id);
  const alt = escaped(chart.alt);
  return path === undefined ? `*${escaped(chart.title)}.* ${alt}` : `![${alt}](${encodeURI(path)})`;
}

function scenarioParts(scenario: ScenarioAnalysis, isCompared: boolean): readonly string[] {
  const [table, ...others] = scenarioTables(scenario);
  if (isCompared) {
    return [
      ...scenarioTables(scenario).map((each) => folded(escaped(each.caption), each)),
      folded(`${escaped(scenario.name)}: each request`, stepsTable(scenario)),
    ];
  }
  if (scenario.trials.length === 0) return [`### Scenario ${escaped(scenario.name)}`, 'No trial was measured.'];
  return [
    `### Scenario ${escaped(scenario.name)}`,
    table === undefined ? '' : markdownTable(table),
    ...others.flatMap((other) => [`#### ${escaped(other.caption)}`, markdownTable(other)]),
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

function cellText({ text, detail, reasons = [], verdict, badge, strong }: Cell): string {
  const shown = verdict !== undefined || strong === true ? `**${escaped(text)}**` : escaped(text);
  const first = detail === undefined || detail === '' ? shown : `${shown} (${escaped(detail)})`;
  const beside = badge === undefined ? [] : [`**${escaped(badge.text)}**`];
  return [[first, ...beside].join(' '), ...reasons.map(escaped)].join('<br>');
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
