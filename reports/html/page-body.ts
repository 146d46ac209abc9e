import { formatBytes } from '../../harness/core/units.ts';
import type { Analysis } from '../analysis.ts';
import { factsTable } from '../fact-tables.ts';
import { dateTime, list, plural } from '../figures.ts';
import { howToRead } from '../words.ts';
import { comparisonSection } from './comparison-section.ts';
import { html, type Markup, nothing } from './markup.ts';
import { factsList } from './table-markup.ts';
import { tierSection } from './tier-section.ts';

export function pageBody(analysis: Analysis): Markup {
  const { question, facts, tiers } = analysis;
  const { machine, tierbench } = facts;
  const names = tiers.map(({ name }) => name);
  return html`<a class="skip" href="#content">To the content</a>
<header class="page">
<div>
<p class="eyebrow">tierbench · load test report</p>
<h1>${names.length === 0 ? 'No tier was run' : `Load test of ${list(names)}`}</h1>
<p class="meta">${dateTime(facts.startedAt)} · ${list(question.scenarios)} · ${machine.cpuModel}, ${plural(machine.cpus, 'core')}, ${formatBytes(machine.memoryBytes)}${question.quick ? ' · quick run' : ''}</p>
</div>
<button class="theme" id="theme" type="button" hidden>Dark page</button>
</header>
<main id="content">
${analysis.incomplete === null ? nothing : html`<div class="banner" role="note"><p><strong>Incomplete.</strong> ${analysis.incomplete}</p></div>`}
${comparisonSection(analysis)}
${tiers.map((tier, index) => tierSection(tier, index, analysis))}
<section aria-labelledby="reading"><h2 id="reading">How to read it</h2>
<ul class="plain">${howToRead(analysis).map((line) => html`<li>${line}</li>`)}</ul></section>
<section aria-labelledby="facts"><h2 id="facts">Facts</h2>
${factsList(factsTable(analysis))}</section>
</main>
<footer>Made by tierbench ${tierbench.version} from the results of run ${facts.runId}. This page is complete in itself and loads nothing.</footer>`;
}
