import type { Analysis } from '../analysis.ts';
import { comparisonTable, howToReadComparison, judgedNowhereTable, targetsByTierTable } from '../comparison-tables.ts';
import { plural } from '../figures.ts';
import { headline } from '../words.ts';
import { html, type Markup, nothing } from './markup.ts';
import { folded, scrollingTable } from './table-markup.ts';
import { carriedPart, figure } from './tier-section.ts';

/** The tiers of a run side by side: what a reader of several tiers came for, so it stands first. */
export function comparisonSection({ comparison, tiers }: Analysis): Markup {
  if (comparison === null) return nothing;
  const targets = targetsByTierTable(tiers);
  const nowhere = judgedNowhereTable(tiers);
  const measured = comparison.comparison.scenarios.filter(({ loads }) => loads.length > 0);
  return html`<section aria-labelledby="tiers"><h2 id="tiers">The tiers side by side</h2>
<ul class="tiers">${tiers.map((tier, index) => html`<li><a href="#tier-${index + 1}"><strong>${tier.name}</strong></a> ${headline(tier)}</li>`)}</ul>
<p class="bought">${comparison.inWords}</p>
${comparison.charts.length === 0 ? nothing : html`<div class="charts">${comparison.charts.map((chart, index) => figure(chart, index === comparison.charts.length - 1 && index % 2 === 0))}</div>`}
${carriedPart(tiers)}
${measured.map((scenario) => html`<h3>${scenario.scenario}: from tier to tier</h3>${scrollingTable(comparisonTable(scenario))}`)}
<p class="muted">${howToReadComparison(comparison.comparison)}</p>
${targets.rows.length === 0 ? nothing : html`<h3>Targets and tiers</h3>${scrollingTable(targets)}`}
${folded(`${plural(nowhere.rows.length, 'target')} not judged for any tier, and why`, nowhere)}
</section>`;
}
