/** The page's look. Colours of the charts are in chart-look.ts. */
const light = `
  color-scheme: light;
  --ground: #f6f7f8; --surface: #ffffff; --line: #dfe3e7; --text: #1b2026; --muted: #59636e; --link: #00609a;
  --met: #0b6b3f; --met-ground: #e3f4ea; --missed: #a3230f; --missed-ground: #fdeae6;
  --inconclusive: #7a4f00; --inconclusive-ground: #fdf1d8;`;
const dark = `
  color-scheme: dark;
  --ground: #0f1215; --surface: #171b1f; --line: #31383f; --text: #e8ebee; --muted: #a3adb7; --link: #7cc4f5;
  --met: #6fdca5; --met-ground: #12301f; --missed: #ff9f8c; --missed-ground: #3a1812;
  --inconclusive: #f1c76b; --inconclusive-ground: #35270a;`;

export const style = `
:root {${light}}
@media (prefers-color-scheme: dark) { :root:not([data-theme='light']) {${dark}} }
:root[data-theme='dark'] {${dark}}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
main, header.page, footer { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
header.page { padding-top: 36px; display: flex; gap: 16px; align-items: start; justify-content: space-between; }
h1, h2, h3, h4 { line-height: 1.2; margin: 0; text-wrap: balance; }
h1 { font-size: 1.9rem; letter-spacing: -0.015em; }
h2 { font-size: 1.45rem; letter-spacing: -0.01em; margin: 48px 0 12px; }
h3 { font-size: 1.08rem; margin: 36px 0 10px; }
h4 { font-size: 0.98rem; margin: 18px 0 8px; }
.charts + p { margin-top: 12px; }
p { margin: 0 0 12px; max-width: 76ch; }
a { color: var(--link); }
.muted { color: var(--muted); }
.eyebrow { color: var(--muted); font-size: 0.86rem; margin: 0 0 4px; }
.meta { color: var(--muted); margin: 6px 0 0; max-width: none; }
.answer { margin: 26px 0 18px; padding: 4px 0 4px 18px; border-left: 5px solid var(--link); }
.answer p { font-size: 1.2rem; line-height: 1.4; max-width: 72ch; margin: 10px 0 2px; }
.answer p.because { font-size: 1rem; color: var(--muted); margin: 0 0 14px; }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 16px; top: 8px; background: var(--surface); padding: 6px 12px; z-index: 1; }
button.theme {
  font: inherit; font-size: 0.88rem; color: var(--text); background: var(--surface); border: 1px solid var(--line);
  border-radius: 8px; padding: 6px 12px; cursor: pointer; white-space: nowrap;
}
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.banner {
  border: 1px solid var(--inconclusive); border-left-width: 5px; background: var(--inconclusive-ground);
  border-radius: 8px; padding: 12px 16px; margin: 22px 0 14px;
}
.banner p { margin: 0; max-width: none; }
.verdict { display: inline-block; white-space: nowrap; font-weight: 600; font-size: 0.86rem; padding: 1px 9px; border-radius: 99px; }
.verdict.met { color: var(--met); background: var(--met-ground); }
.verdict.missed { color: var(--missed); background: var(--missed-ground); }
.verdict.inconclusive { color: var(--inconclusive); background: var(--inconclusive-ground); }
.verdict.not-judged { color: var(--muted); border: 1px solid var(--line); }
.card { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; }
.scroll { overflow-x: auto; margin: 0 0 14px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; line-height: 1.4; }
caption { text-align: left; font-weight: 600; padding: 12px 16px 6px; }
caption.unseen { position: absolute; width: 1px; height: 1px; padding: 0; overflow: hidden; clip-path: inset(50%); }
th, td { padding: 8px 12px; vertical-align: top; border-top: 1px solid var(--line); text-align: left; overflow-wrap: break-word; }
th:first-child, td:first-child { padding-left: 16px; } th:last-child, td:last-child { padding-right: 16px; }
thead th { border-top: 0; color: var(--muted); font-weight: 600; font-size: 0.82rem; vertical-align: bottom; white-space: nowrap; }
tbody th { font-weight: 600; }
.right { text-align: right; white-space: nowrap; }
.detail { display: block; color: var(--muted); font-size: 0.82rem; }
td.right .detail { white-space: normal; max-width: 24ch; margin-left: auto; }
.detail + .detail { margin-top: 4px; }
td:not(.right) .detail { min-width: 22ch; }
.wide { min-width: 24ch; }
.card.facts { margin: 0 0 14px; }
table.facts th { width: 13rem; color: var(--muted); font-weight: 400; } table.facts td { overflow-wrap: anywhere; }
table.facts tr:first-child > * { border-top: 0; }
.charts { margin: 0 0 14px; display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 1000px) { .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); } .charts .full { grid-column: 1 / -1; } }
figure { margin: 0; padding: 16px 16px 10px; }
figcaption { margin: 0 0 8px; }
figcaption h3 { margin: 0; } figcaption p { margin: 2px 0 0; font-size: 0.86rem; max-width: none; }
.plot { position: relative; height: 380px; } .plot.panels { height: 640px; } .plot.panels.many { height: 780px; }
details { margin: 0 0 14px; } main > details { margin-top: 22px; }
summary { cursor: pointer; padding: 9px 16px; font-weight: 600; font-size: 0.92rem; }
details details.card { margin: 0 0 14px; }
ul.plain { margin: 0 0 14px; padding-left: 1.2em; max-width: 90ch; } ul.plain li { margin: 0 0 6px; }
.drawing { padding: 14px 16px; } .drawing svg { display: block; min-width: 460px; max-width: 100%; height: auto; }
.drawing text.name { font-weight: 600; } .drawing text.role { fill: var(--muted); font-size: 12px; }
.drawing rect { fill: var(--ground); stroke: var(--muted); stroke-width: 1.2; } .drawing rect.copy { fill: var(--surface); }
.drawing text { fill: var(--text); font-size: 14px; } .drawing text.kind { fill: var(--muted); font-size: 12px; }
.drawing path { fill: none; stroke: var(--muted); stroke-width: 1.4; } .drawing path.head { fill: var(--muted); stroke: none; }
tr.same > td { border-top-color: transparent; }
@media (min-width: 681px), print { .repeated { visibility: hidden; } }
table:not(.stack) .repeated { visibility: hidden; }
.inside { padding: 0 16px 12px; } .inside h3:first-child, .inside > h3:first-of-type { margin-top: 10px; }
ol.reasons { color: var(--muted); font-size: 0.86rem; margin: -4px 0 16px; padding-left: 2em; max-width: 110ch; }
sup.reason { color: var(--muted); font-weight: 400; margin-left: 2px; line-height: 0; }
footer { padding-top: 36px; padding-bottom: 48px; color: var(--muted); font-size: 0.86rem; }
@media (max-width: 680px) {
  main, header.page, footer { padding-left: 14px; padding-right: 14px; }
  header.page { padding-top: 22px; } h1 { font-size: 1.55rem; }
    figure { padding: 12px 8px 8px; } figcaption { padding: 0 6px; } .plot { height: 330px; } .plot.panels { height: 560px; }
  table.stack, table.stack tbody, table.stack tr, table.stack td { display: block; width: auto; }
  table.stack thead { display: none; }
  table.stack tr { border-top: 1px solid var(--line); padding: 10px 14px; } table.stack tr:first-child { border-top: 0; }
  table.stack td { border: 0; padding: 2px 0; text-align: left; white-space: normal; min-width: 0; display: grid; grid-template-columns: 6.6rem minmax(0, 1fr); gap: 0 12px; }
  table.stack td { overflow-wrap: anywhere; } table.stack td > * { grid-column: 2; justify-self: start; } table.stack td .detail { min-width: 0; max-width: none; margin-left: 0; }
  table.stack td::before { content: attr(data-label); color: var(--muted); grid-column: 1; grid-row: 1 / span 2; }
  table.stack td.head { display: inline; font-weight: 600; } table.stack td.head::before { content: none; } table.stack td.head + td.head::before { content: ' · '; }
  table.facts th { width: 7.5rem; }
}
@media print {
  :root, :root[data-theme='dark'] {${light}}
  @page { margin: 14mm; }
  body { background: #fff; font-size: 11pt; }
  button.theme, .skip { display: none; }
  main, header.page, footer { max-width: none; padding-left: 0; padding-right: 0; }
  .card, tr, figure, .banner { break-inside: avoid; } h2, h3, caption { break-after: avoid; }
    .charts { display: block; } figure { margin-bottom: 10px; } .plot { width: 17cm; height: 8.2cm; } .plot.panels { height: 13cm; }
  .scroll { overflow: visible; } table { font-size: 8.5pt; } th, td { padding: 4px 6px; } .wide { min-width: 0; }
}
`;
