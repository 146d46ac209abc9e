import { createHash } from 'node:crypto';
import type { ChartDescription } from '../charts/chart.ts';
import { darkLook, lightLook, type PageData } from '../charts/chart-look.ts';
import { type Block, type Cell, chartsOf, type Document, type Table, type VerdictKind } from '../document.ts';
import { html, jsonForScript, type Markup, nothing, trusted } from './markup.ts';
import { style } from './page-style.ts';
import { tierDrawing } from './tier-drawing.ts';

const fontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

/**
 * One file that works without a network: its content security policy forbids the page to load or send anything. Only the
 * script and the style whose hashes are named in the policy count, so text that slipped through escaping could not run.
 * `script`: that of the page (page-bundle.ts).
 */
export function renderHtml(document: Document, script: string): string {
  const data: PageData = {
    charts: chartsOf(document.blocks),
    light: lightLook(fontFamily),
    dark: darkLook(fontFamily),
  };
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `${
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${document.title}</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header class="page">
<div>
<p class="eyebrow">tierbench report</p>
<h1>${document.title}</h1>
<p class="meta">${document.subtitle}</p>
</div>
<button class="theme" id="theme" type="button" hidden>Dark page</button>
</header>
<main id="content">
${blocksMarkup(document.blocks)}
</main>
<footer>${document.footer} This page is complete in itself and loads nothing.</footer>
<script type="application/json" id="page-data">${trusted(jsonForScript(data))}</script>
<script>${trusted(script)}</script>
</body>
</html>`.markup
  }\n`;
}

function hashSource(content: string): string {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}

/** Neighbouring figures share a grid. */
function blocksMarkup(blocks: readonly Block[], isFolded = false): readonly Markup[] {
  const markup: Markup[] = [];
  let charts: ChartDescription[] = [];
  const endGrid = () => {
    if (charts.length > 0) markup.push(grid(charts, isFolded));
    charts = [];
  };
  for (const block of blocks) {
    if (block.kind === 'figure') charts.push(block.chart);
    else {
      endGrid();
      markup.push(html`${blockMarkup(block)}\n`);
    }
  }
  endGrid();
  return markup;
}

function blockMarkup(block: Exclude<Block, { kind: 'figure' }>): Markup {
  switch (block.kind) {
    case 'answer':
      return html`<section class="answer" aria-label="Answer">${block.answers.map(({ about, statement, because }) => html`<p>${about === '' ? nothing : html`<b>${about}:</b> `}${statement}</p>${because === '' ? nothing : html`<p class="because">${because}</p>`}`)}</section>`;
    case 'heading':
      return trustedHeading(block.level, block.text);
    case 'paragraph':
      return html`<p>${block.text}</p>`;
    case 'note':
      return html`<div class="banner" role="note"><p><strong>${block.title}.</strong> ${block.text}</p></div>`;
    case 'list':
      return html`<ul class="plain">${block.items.map((item) => html`<li>${item}</li>`)}</ul>`;
    case 'table':
      return tableMarkup(block.table);
    case 'facts':
      return html`<div class="card facts"><table class="facts"><caption class="unseen">${block.caption}</caption>
<tbody>${block.rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>\n`)}</tbody></table></div>`;
    case 'drawing':
      return html`<div class="card drawing scroll" tabindex="0" role="region" aria-label="Drawing of ${block.tier.name}">${tierDrawing(block.tier)}</div>`;
    case 'details':
      return html`<details class="card"${block.isOpen ? html` open` : nothing}><summary>${block.summary}</summary><div class="inside">${blocksMarkup(block.blocks, true)}</div></details>`;
  }
}

function trustedHeading(level: 2 | 3 | 4, text: string): Markup {
  const name = trusted(`h${level}`);
  return html`<${name}>${text}</${name}>`;
}

/** Two beside each other where there is room; folded charts, and a last one without a neighbour, have the whole width. */
function grid(charts: readonly ChartDescription[], isFolded: boolean): Markup {
  return html`<div class="charts">${charts.map((chart, index) => {
    const isAlone = index === charts.length - 1 && index % 2 === 0;
    const panels = chart.panels.length;
    return html`<figure class="card${isFolded || isAlone ? ' full' : ''}"><figcaption><h3>${chart.title}</h3><p class="muted">${chart.subtitle}</p></figcaption>
<div class="plot${panels > 1 ? ' panels' : ''}${panels > 3 ? ' many' : ''}"><canvas id="chart-${chart.id}" role="img" aria-label="${chart.alt}">${chart.alt}</canvas></div></figure>`;
  })}</div>\n`;
}

/** A cell with more letters is given room, so that it does not become a tower on a phone. */
const LONG_TEXT = 30;
/** On a phone a table of words becomes cards, one a row; one of figures scrolls in itself. */
function stacks({ columns }: Table): boolean {
  return columns.length <= 6 && columns.filter(({ align }) => align === 'right').length <= 3;
}

/** It can be scrolled with the keyboard too; the roles keep stacked rows a table for screen readers. */
function tableMarkup(table: Table): Markup {
  const { caption, columns, rows, reasons } = table;
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="${caption}"><table role="table"${stacks(table) ? html` class="stack"` : nothing}><caption class="unseen">${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title, align }) => html`<th role="columnheader" scope="col" class="${align}">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    (row) =>
      html`<tr role="row"${row[0]?.repeated === true ? html` class="same"` : nothing}>${row.map((cell, index) => html`<td role="cell" data-label="${columns[index]?.title ?? ''}" class="${columns[index]?.align ?? ''}${columns[index]?.isHead === true ? ' head' : ''}${cell.text.length > LONG_TEXT ? ' wide' : ''}">${cellMarkup(cell)}</td>`)}</tr>\n`,
  )}</tbody></table></div>${reasons.length === 0 ? nothing : html`<ol class="reasons">${reasons.map((reason) => html`<li>${reason}</li>`)}</ol>`}`;
}

/** A sign beside the colour, for readers who cannot tell the colours apart. */
const signs: Record<VerdictKind, string> = { met: '✓', missed: '✕', inconclusive: '?', 'not-judged': '–' };

function cellMarkup({ text, detail = '', verdict, strong, repeated, reasons = [] }: Cell): Markup {
  const shown =
    verdict !== undefined
      ? html`<span class="verdict ${verdict}"><span aria-hidden="true">${signs[verdict]}</span> ${text}</span>`
      : strong === true
        ? html`<strong>${text}</strong>`
        : html`<span${repeated === true ? html` class="repeated"` : nothing}>${text}</span>`;
  const numbers = reasons.length === 0 ? nothing : html`<sup class="reason">[${reasons.join(' ')}]</sup>`;
  return html`<span>${shown}${numbers}</span>${detail === '' || repeated === true ? nothing : html`<span class="detail">${detail}</span>`}`;
}
