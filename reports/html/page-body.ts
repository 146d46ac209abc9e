import { formatBytes } from '../../harness/core/units.ts';
import type { Analysis, TierAnalysis } from '../analysis.ts';
import type { ChartDescription } from '../chart.ts';
import { dateTime, list, plural } from '../figures.ts';
import type { ScenarioAnalysis } from '../scenario-analysis.ts';
import {
  type Cell,
  factsTable,
  judgedTable,
  notJudgedTable,
  scenarioTable,
  stepsTable,
  type Table,
  tierFactsTable,
  type VerdictKind,
} from '../tables.ts';
import { countVerdicts, headline, howToRead } from '../words.ts';
import { html, type Markup, nothing } from './markup.ts';
import { tierDrawing } from './tier-drawing.ts';

export function pageBody(analysis: Analysis): Markup {
  const { facts, tiers } = analysis;
  const { machine, settings, tierbench } = facts;
  const names = tiers.map(({ name }) => name);
  return html`<a class="skip" href="#content">To the content</a>
<header class="page">
<div>
<p class="eyebrow">tierbench · load test report</p>
<h1>${names.length === 0 ? 'No tier was run' : `Load test of ${list(names)}`}</h1>
<p class="meta">${dateTime(facts.startedAt)} · ${list(settings.scenarios)} · ${machine.cpuModel}, ${plural(machine.cpus, 'core')}, ${formatBytes(machine.memoryBytes)}${settings.quick ? ' · quick run' : ''}</p>
</div>
<button class="theme" id="theme" type="button" hidden>Dark page</button>
</header>
<main id="content">
${analysis.incomplete === null ? nothing : html`<div class="banner" role="note"><p><strong>Incomplete.</strong> ${analysis.incomplete}</p></div>`}
${tiers.map((tier, index) => tierSection(tier, index))}
<section aria-labelledby="reading"><h2 id="reading">How to read it</h2>
<ul class="plain">${howToRead.map((line) => html`<li>${line}</li>`)}</ul></section>
<section aria-labelledby="facts"><h2 id="facts">Facts</h2>
${factsList(factsTable(analysis))}</section>
</main>
<footer>Made by tierbench ${tierbench.version} from the results of run ${facts.runId}. This page is complete in itself and loads nothing.</footer>`;
}

function tierSection(tier: TierAnalysis, index: number): Markup {
  const id = `tier-${index + 1}`;
  const judged = judgedTable(tier);
  const notJudged = notJudgedTable(tier);
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${tier.title}</h2>
<p class="muted">Tier ${tier.name}</p>
<p class="headline">${headline(tier)}</p>
${judged.rows.length === 0 ? nothing : tally(tier)}
${tier.charts.length === 0 ? nothing : html`<div class="charts">${tier.charts.map((chart, position) => figure(chart, position))}</div>`}
${judged.rows.length === 0 ? nothing : html`<h3>Targets</h3>${targetsTable(judged)}`}
${tier.scenarios.map(scenarioPart)}
${bullets('What was busy at the highest load', tier.busiest)}
${bullets('Notes', tier.notes)}
${notJudged.rows.length === 0 ? nothing : html`<h3>Targets that were not judged</h3>${folded(`${plural(notJudged.rows.length, 'target')}, and why`, notJudged, '')}`}
${deployment(tier)}
</section>`;
}

const tallyKinds = ['met', 'missed', 'inconclusive'] as const;

function tally({ targets }: TierAnalysis): Markup {
  const counts = countVerdicts(targets);
  return html`<ul class="tally">${tallyKinds.map((kind) => html`<li class="${counts[kind] === 0 ? 'none' : kind}"><strong>${counts[kind]}</strong> ${kind}</li>`)}</ul>`;
}

/** On a phone each row is a card of its own; the roles keep it a table for who listens to it. */
function targetsTable({ caption, columns, rows }: Table): Markup {
  return html`<div class="card scroll"><table class="stack" role="table"><caption class="unseen">${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title, align }) => html`<th role="columnheader" scope="col" class="${align}">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    (row) =>
      html`<tr role="row">${row.map((cell, index) => html`<td role="cell" data-label="${columns[index]?.title ?? ''}" class="${columns[index]?.align ?? ''}${columns[index]?.title === 'Evidence' ? ' wide' : ''}">${cellMarkup(cell)}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

function figure(chart: ChartDescription, position: number): Markup {
  const panels = chart.panels.length > 1;
  // Throughput and latency stand side by side where there is room.
  return html`<figure class="card${position > 1 || panels ? ' full' : ''}"><figcaption><h3>${chart.title}</h3><p class="muted">${chart.subtitle}</p></figcaption>
<div class="plot${panels ? ' panels' : ''}"><canvas id="chart-${chart.id}" role="img" aria-label="${chart.alt}">${chart.alt}</canvas></div></figure>`;
}

function scenarioPart(scenario: ScenarioAnalysis): Markup {
  if (scenario.trials.length === 0) return html`<h3>Scenario ${scenario.name}</h3><p>No trial was measured.</p>`;
  return html`<h3>Scenario ${scenario.name}</h3>
${scrollingTable(scenarioTable(scenario))}
${folded('Each request', stepsTable(scenario), 'steps')}`;
}

function folded(title: string, table: Table, name: string): Markup {
  return html`<details class="card ${name}"><summary>${title}</summary>${scrollingTable(table)}</details>`;
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

/** Wider than a phone: it scrolls in itself, with the keyboard too. */
function scrollingTable({ caption, columns, rows }: Table): Markup {
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption class="unseen">${caption}</caption>
<thead><tr>${columns.map(({ title, align }) => html`<th scope="col" class="${align}">${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    (
      row,
    ) => html`<tr>${row.map((cell, index) => html`<td class="${columns[index]?.align ?? ''}">${cellMarkup(cell)}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

function factsList({ caption, rows }: Table): Markup {
  if (rows.length === 0) return nothing;
  return html`<div class="card"><table class="facts"><caption class="unseen">${caption}</caption>
<tbody>${rows.map(
    ([fact, value]) => html`<tr><th scope="row">${fact?.text ?? ''}</th><td>${value?.text ?? ''}</td></tr>
`,
  )}</tbody></table></div>`;
}

/** A sign beside the colour, for who cannot tell the colours apart. */
const signs: Record<VerdictKind, string> = { met: '✓', missed: '✕', inconclusive: '?', 'not-judged': '–' };

function cellMarkup({ text, detail, reasons = [], verdict }: Cell): Markup {
  const shown =
    verdict === undefined
      ? html`<span>${text}</span>`
      : html`<span class="verdict ${verdict}"><span aria-hidden="true">${signs[verdict]}</span> ${text}</span>`;
  const below = detail === undefined ? reasons : [detail, ...reasons];
  return html`${shown}${below.map((line) => html`<span class="detail">${line}</span>`)}`;
}
