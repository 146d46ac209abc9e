import type { Analysis, TierAnalysis } from '../analysis.ts';
import type { ChartDescription } from '../chart.ts';
import { tierFactsTable } from '../fact-tables.ts';
import { faultsTable } from '../faults.ts';
import { plural } from '../figures.ts';
import type { ScenarioAnalysis } from '../scenario-analysis.ts';
import { judgedTable, notJudgedTable, scenarioTable, stepsTable } from '../tables.ts';
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
${tier.charts.length === 0 ? nothing : html`<div class="charts">${tier.charts.map((chart, position) => figure(chart, position > 1))}</div>`}
${judged.rows.length === 0 ? nothing : html`<h3>Targets</h3>${stackingTable(judged)}`}
${tier.scenarios.map(scenarioPart)}`;
}

/** How it was deployed, and folded what each load and each request gave, with the evidence of the verdicts. */
function comparedParts(tier: TierAnalysis): Markup {
  const judged = judgedTable(tier);
  const measured = tier.scenarios.filter(({ trials }) => trials.length > 0);
  return html`${deployment(tier)}
${
  tier.charts.length === 0
    ? nothing
    : html`<details class="card"><summary>${plural(tier.charts.length, 'chart')}: latency distribution and time line</summary><div class="charts inside">${tier.charts.map((chart) => figure(chart, true))}</div></details>`
}
${judged.rows.length === 0 ? nothing : html`<details class="card"><summary>${plural(judged.rows.length, 'verdict')} with evidence</summary>${stackingTable(judged)}</details>`}
${measured.map((scenario) => html`${folded(`${scenario.name}: what each load gave`, scenarioTable(scenario))}${folded(`${scenario.name}: each request`, stepsTable(scenario), 'steps')}`)}`;
}

const tallyKinds = ['met', 'missed', 'inconclusive'] as const;

function tally({ targets }: TierAnalysis): Markup {
  const counts = countVerdicts(targets);
  return html`<ul class="tally">${tallyKinds.map((kind) => html`<li class="${counts[kind] === 0 ? 'none' : kind}"><strong>${counts[kind]}</strong> ${kind}</li>`)}</ul>`;
}

/** `full`: as wide as the page; else two stand side by side where there is room. */
export function figure(chart: ChartDescription, full: boolean): Markup {
  const panels = chart.panels.length > 1;
  return html`<figure class="card${full ? ' full' : ''}"><figcaption><h3>${chart.title}</h3><p class="muted">${chart.subtitle}</p></figcaption>
<div class="plot${panels ? ` panels${chart.panels.length > 3 ? ' many' : ''}` : ''}"><canvas id="chart-${chart.id}" role="img" aria-label="${chart.alt}">${chart.alt}</canvas></div></figure>`;
}

function scenarioPart(scenario: ScenarioAnalysis): Markup {
  if (scenario.trials.length === 0) return html`<h3>Scenario ${scenario.name}</h3><p>No trial was measured.</p>`;
  return html`<h3>Scenario ${scenario.name}</h3>
${scrollingTable(scenarioTable(scenario))}
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
