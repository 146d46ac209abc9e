import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Analysis, allCharts } from '../analysis.ts';
import { chartConfigFunctions } from '../chart-config.ts';
import { chartDrawingFunctions } from '../chart-drawing.ts';
import { darkLook, lightLook } from '../chart-looks.ts';
import { html, jsonForScript, trusted } from './markup.ts';
import { pageBody } from './page-body.ts';
import { type PageData, startPage } from './page-script.ts';
import { style } from './style.ts';

const fontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

/**
 * One file that works without a network: Chart.js stands in it, and its content security policy forbids the page to load
 * or send anything. Only the scripts and the style whose hashes are named in the policy count, so text that slipped
 * through escaping could not run.
 */
export function renderHtml(analysis: Analysis): string {
  const data: PageData = {
    charts: allCharts(analysis),
    light: lightLook(fontFamily),
    dark: darkLook(fontFamily),
  };
  const scripts = [chartJs(), ownScript()];
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.map(hashSource).join(' ')}`,
    `style-src ${hashSource(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const names = analysis.tiers.map(({ name }) => name).join(', ');
  return `${
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Load test report: ${names === '' ? analysis.facts.runId : names}</title>
<style>${trusted(style)}</style>
</head>
<body>
${pageBody(analysis)}
<script type="application/json" id="page-data">${trusted(jsonForScript(data))}</script>
${scripts.map(
  (script) => html`<script>${trusted(script)}</script>
`,
)}</body>
</html>`.markup
  }\n`;
}

/** As its package has it, without the pointer to a source map that the page does not carry. */
function chartJs(): string {
  const folder = dirname(createRequire(import.meta.url).resolve('chart.js'));
  return readFileSync(join(folder, 'chart.umd.js'), 'utf8').replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '');
}

/** The very functions that draw the PNG files. */
function ownScript(): string {
  const functions = [...chartDrawingFunctions, ...chartConfigFunctions, startPage];
  return `(() => {\n'use strict';\n${functions.map(String).join('\n')}\nstartPage(window, chartConfig, drawingPlugin);\n})();`;
}

function hashSource(content: string): string {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
