import { Chart } from 'chart.js';
// Declares the type of chart that `chartConfig` makes.
import type {} from 'chartjs-chart-error-bars';
import { chartConfig, registerChartParts } from '../charts/chart-config.ts';
import type { ChartLook, PageData } from '../charts/chart-look.ts';

/** The script of the page: draws the charts, and draws them again when the page turns dark, light or to paper. */

registerChartParts();
const data = JSON.parse(document.getElementById('page-data')?.textContent ?? '{}') as PageData;
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const theme = document.getElementById('theme');
let drawn: { destroy(): void }[] = [];

function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? prefersDark.matches : chosen === 'dark';
}

function draw(look: ChartLook): void {
  for (const chart of drawn) chart.destroy();
  drawn = data.charts.flatMap((chart) => {
    const canvas = document.getElementById(`chart-${chart.id}`);
    return canvas instanceof HTMLCanvasElement ? [new Chart(canvas, chartConfig(chart, look, false))] : [];
  });
}

function show(): void {
  draw(isDark() ? data.dark : data.light);
  if (theme !== null) theme.textContent = isDark() ? 'Light page' : 'Dark page';
}

if (theme !== null) {
  theme.hidden = false;
  theme.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    show();
  });
}
prefersDark.addEventListener('change', show);
addEventListener('beforeprint', () => draw(data.light));
addEventListener('afterprint', show);
show();
