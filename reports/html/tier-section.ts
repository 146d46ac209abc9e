import type { Analysis, TierAnalysis } from '../analysis.ts';
import type { ChartDescription } from '../chart.ts';
import { tierFactsTable } from '../fact-tables.ts';
import { faultsTable } from '../faults.ts';
import { plural } from '../figures.ts';
import type { ScenarioAnalysis } from '../scenario-analysis.ts';
import { carriedTable, judgedTable, notJudgedTable, repeatTable, scenarioTables, stepsTable } from '../tables.ts';
import { howToReadViews, viewsTable } from '../views.ts';
import { countVerdicts, headline } from '../words.ts';
import { html, type Markup, nothing } from './markup.ts';
import { factsList, folded, scrollingTable, stackingTable } from './table-markup.ts';
import { tierDrawing } from './tier-drawing.ts';

/** One tier. In a run of several it comes after the comparison, and what that shows already is folded. */
export function tierSection(tier: TierAnalysis, index: number, { comparison }: Analysis): Markup {
  const id = `tier-${index + 1}`;
  const isCompared = comparison !== null;
  const early = tier.facts?.endedEarly ?? null;
  const notJudged = notJudgedTable(tier);
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${tier.title}</h2>
<p class="muted">Tier ${tier.name}</p>
${early === null ? nothing : html`<div class="banner" role="note"><p><strong>Ended early.</strong> ${early}</p></div>`}
<p class="headline">${headline(tier)}</p>
${isCompared ? comparedParts(tier) : onlyTierParts(tier)}
${faultsPart(tier)}
${bullets('What was busy at the highest load', tier.busiest)}
${bullets('Notes', tier.notes)}
${isCompared || notJudged.rows.length === 0 ? nothing : html`<h3>Targets that were not judged</h3>${folded(`${plural(notJudged.rows.length, 'target')}, and why`, notJudged)}`}
${isCompared ? nothing : deployment(tier)}
</section>`;
}

function onlyTierParts(tier: TierAnalysis): Markup {
  const judged = judgedTable(tier);
  return html`${judged.rows.length === 0 ? nothing : tally(tier)}
${carriedPart([tier])}
${tier.charts.length === 0 ? nothing : html`<div class="charts">${figures(tier.charts)}</div>`}
${viewsPart(tier, false)}
${judged.rows.length === 0 ? nothing : html`<h3>Targets</h3>${stackingTable(judged)}`}
${tier.scenarios.map(scenarioPart)}
${folded('How to repeat a trial by hand', repeatTable(tier))}`;
}

/** Nothing where no arrival rate was offered. */
export function carriedPart(tiers: readonly TierAnalysis[]): Markup {
  const table = carriedTable(tiers);
  return table.rows.length === 0
    ? nothing
    : html`<h3>How far ${tiers.length > 1 ? 'each tier' : 'it'} came by arrival rate</h3>${stackingTable(table)}`;
}

function viewsPart({ name, views }: TierAnalysis, isCompared: boolean): Markup {
  if (views === null) return nothing;
  const chart = figure(views.chart, true);
  return html`<h3>What coordinated omission would have hidden</h3>
<p>${views.inWords}</p>
${isCompared ? html`<details class="card"><summary>The trial read in three ways</summary><div class="charts inside">${chart}</div></details>` : html`<div class="charts">${chart}</div>`}
<p class="muted">${howToReadViews}</p>
${folded(`${plural(views.trials.length, 'trial')} read in three ways`, viewsTable(name, views))}`;
}

/** How it was deployed, and folded what each load and each request gave, with the evidence of the verdicts. */
function comparedParts(tier: TierAnalysis): Markup {
  const judged = judgedTable(tier);
  const measured = tier.scenarios.filter(({ trials }) => trials.length > 0);
  const hasRates = tier.scenarios.some(({ sustained }) => sustained.length > 0);
  return html`${deployment(tier)}
${
  tier.charts.length === 0
    ? nothing
    : html`<details class="card"><summary>${plural(tier.charts.length, 'chart')}: ${hasRates ? 'arrival rates, ' : ''}latency distribution and time line</summary><div class="charts inside">${tier.charts.map((chart) => figure(chart, true))}</div></details>`
}
${viewsPart(tier, true)}
${judged.rows.length === 0 ? nothing : html`<details class="card"><summary>${plural(judged.rows.length, 'verdict')} with evidence</summary>${stackingTable(judged)}</details>`}
${measured.map((scenario) => html`${scenarioTables(scenario).map((table) => folded(table.caption, table))}${folded(`${scenario.name}: each request`, stepsTable(scenario), 'steps')}`)}
${folded('How to repeat a trial by hand', repeatTable(tier))}`;
}

const tallyKinds = ['met', 'missed', 'inconclusive'] as const;

function tally({ targets }: TierAnalysis): Markup {
  const counts = countVerdicts(targets);
  return html`<ul class="tally">${tallyKinds.map((kind) => html`<li class="${counts[kind] === 0 ? 'none' : kind}"><strong>${counts[kind]}</strong> ${kind}</li>`)}</ul>`;
}

/** Charts of several panels have the width of the page, others stand side by side: a last one without a neighbour does not. */
function figures(charts: readonly ChartDescription[]): readonly Markup[] {
  const small = charts.filter(({ panels }) => panels.length === 1);
  const alone = small.length % 2 === 1 ? small.at(-1) : undefined;
  return charts.map((chart) => figure(chart, chart.panels.length > 1 || chart === alone));
}

/** `full`: as wide as the page; else two stand side by side where there is room. */
export function figure(chart: ChartDescription, full: boolean): Markup {
  const panels = chart.panels.length > 1;
  return html`<figure class="card${full ? ' full' : ''}"><figcaption><h3>${chart.title}</h3><p class="muted">${chart.subtitle}</p></figcaption>
<div class="plot${panels ? ` panels${chart.panels.length > 3 ? ' many' : ''}` : ''}"><canvas id="chart-${chart.id}" role="img" aria-label="${chart.alt}">${chart.alt}</canvas></div></figure>`;
}

function scenarioPart(scenario: ScenarioAnalysis): Markup {
  if (scenario.trials.length === 0) return html`<h3>Scenario ${scenario.name}</h3><p>No trial was measured.</p>`;
  const [table, ...others] = scenarioTables(scenario);
  return html`<h3>Scenario ${scenario.name}</h3>
${table === undefined ? nothing : scrollingTable(table)}
${others.map((other) => html`<h4>${other.caption}</h4>${scrollingTable(other)}`)}
${folded('Each request', stepsTable(scenario), 'steps')}`;
}

function faultsPart({ name, faults }: TierAnalysis): Markup {
  if (faults.length === 0) return nothing;
  const charts = faults.flatMap(({ chart }) => (chart === null ? [] : [chart]));
  return html`<h3>Faults made on purpose</h3>${scrollingTable(faultsTable(name, faults))}
${charts.length === 0 ? nothing : html`<details class="card"><summary>${plural(charts.length, 'time line')}</summary><div class="charts inside">${charts.map((chart) => figure(chart, false))}</div></details>`}`;
}

function bullets(title: string, lines: readonly string[]): Markup {
  if (lines.length === 0) return nothing;
  return html`<h3>${title}</h3><ul class="plain">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

function deployment(tier: TierAnalysis): Markup {
  if (tier.facts === null) return nothing;
  const drawing = html`<div class="card drawing scroll" tabindex="0" role="region" aria-label="Drawing of ${tier.name}">${tierDrawing(tier.facts.tier)}</div>`;
  return html`<h3>How ${tier.name} ${tier.facts.notRun.length > 0 ? 'would be' : 'was'} deployed</h3>${tier.facts.tier.services.length === 0 ? nothing : drawing}
${factsList(tierFactsTable(tier))}`;
}
