import type { Cell, Table, VerdictKind } from '../table.ts';
import { html, type Markup, nothing } from './markup.ts';

/** On a phone each row is a card of its own; the roles keep it a table for who listens to it. */
export function stackingTable({ caption, columns, rows }: Table): Markup {
  return html`<div class="card scroll"><table class="stack" role="table"><caption class="unseen">${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title, align }) => html`<th role="columnheader" scope="col" class="${align}">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    (row) =>
      html`<tr role="row">${row.map((cell, index) => html`<td role="cell" data-label="${columns[index]?.title ?? ''}" class="${columns[index]?.align ?? ''}${columns[index]?.title === 'Evidence' ? ' wide' : ''}">${cellMarkup(cell)}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

/** Wider than a phone: it scrolls in itself, with the keyboard too. Rows that repeat their first cell belong together. */
export function scrollingTable({ caption, columns, rows }: Table): Markup {
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption class="unseen">${caption}</caption>
<thead><tr>${columns.map(({ title, align }) => html`<th scope="col" class="${align}">${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr${row[0]?.repeated === true ? html` class="same"` : nothing}>${row.map((cell, index) => html`<td class="${columns[index]?.align ?? ''}${cell.text.length > LONG_TEXT ? ' wide' : ''}">${cellMarkup(cell)}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

/** A cell with more letters is given room, so that it does not become a tower on a phone. */
const LONG_TEXT = 30;

/** Nothing where there are no rows. */
export function folded(title: string, table: Table, name = ''): Markup {
  if (table.rows.length === 0) return nothing;
  return html`<details class="card ${name}"><summary>${title}</summary>${scrollingTable(table)}</details>`;
}

export function factsList({ caption, rows }: Table): Markup {
  if (rows.length === 0) return nothing;
  return html`<div class="card facts"><table class="facts"><caption class="unseen">${caption}</caption>
<tbody>${rows.map(
    ([fact, value]) => html`<tr><th scope="row">${fact?.text ?? ''}</th><td>${value?.text ?? ''}</td></tr>
`,
  )}</tbody></table></div>`;
}

/** A sign beside the colour, for who cannot tell the colours apart. */
const signs: Record<VerdictKind, string> = { met: '✓', missed: '✕', inconclusive: '?', 'not-judged': '–' };

function cellMarkup({ text, detail, reasons = [], verdict, badge, strong, repeated }: Cell): Markup {
  const shown =
    verdict !== undefined
      ? pill(text, verdict)
      : strong === true
        ? html`<strong>${text}</strong>`
        : html`<span${repeated === true ? html` class="repeated"` : nothing}>${text}</span>`;
  const below = detail === undefined || detail === '' ? reasons : [detail, ...reasons];
  const beside = badge === undefined ? nothing : html`${pill(badge.text, badge.verdict)} `;
  return html`${beside}${shown}${below.map((line) => html`<span class="detail">${line}</span>`)}`;
}

function pill(text: string, verdict: VerdictKind): Markup {
  return html`<span class="verdict ${verdict}"><span aria-hidden="true">${signs[verdict]}</span> ${text}</span>`;
}
