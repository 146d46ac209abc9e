import type { Chart, ChartConfiguration, ChartDataset, LegendItem } from 'chart.js';
import type { Axis, ChartDescription, Panel, Series } from './chart.ts';
import type { ChartLook, SeriesLook } from './chart-looks.ts';

type LineConfig = ChartConfiguration<'line', { x: number; y: number; text: string }[]>;
type LineDataset = ChartDataset<'line', { x: number; y: number; text: string }[]>;

/**
 * The Chart.js configuration of a description, to which chart-drawing.ts adds a plugin. The page carries these functions as they are (html/page.ts), so each is
 * complete in itself: plain function declarations that call one another and use no other value of a module.
 */
export const chartConfigFunctions = [
  chartConfig,
  datasetOf,
  legendItems,
  seriesLook,
  scalesOf,
  sameWidth,
  gapBelow,
  axisOptions,
  nameRow,
];

/** `titled`: with title and subtitle in the picture; the page has them as text. */
export function chartConfig(chart: ChartDescription, look: ChartLook, titled: boolean): LineConfig {
  const font = { family: look.fontFamily, size: 13 };
  const lines = chart.panels.every((panel) => panel.series.every((series) => !series.marks));
  return {
    type: 'line',
    data: {
      datasets: chart.panels.flatMap((panel, index) =>
        panel.series.map((series) => datasetOf(series, panel, index, look)),
      ),
    },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      parsing: false,
      normalized: true,
      color: look.text,
      font,
      layout: {
        padding: titled ? { top: 14, right: 26, bottom: 12, left: 12 } : { top: 2, right: 8, bottom: 0, left: 0 },
      },
      interaction: { mode: 'nearest', axis: 'x', intersect: false },
      scales: scalesOf(chart, look),
      plugins: {
        title: {
          display: titled,
          text: chart.title,
          align: 'start',
          color: look.text,
          font: { ...font, size: 19, weight: 600 },
          padding: { bottom: 3 },
        },
        subtitle: {
          display: titled && chart.subtitle !== '',
          text: chart.subtitle,
          align: 'start',
          color: look.mutedText,
          font,
          padding: { bottom: 10 },
        },
        legend: {
          align: 'start',
          labels: {
            usePointStyle: true,
            boxWidth: 9,
            boxHeight: 9,
            padding: 14,
            ...(lines ? { pointStyleWidth: 30 } : {}),
            color: look.text,
            font,
            generateLabels: (drawn) => legendItems(drawn, look),
          },
        },
        tooltip: {
          backgroundColor: look.text,
          titleColor: look.surface,
          bodyColor: look.surface,
          usePointStyle: true,
          callbacks: {
            title: () => '',
            label: (item) =>
              `${item.dataset.label ? `${item.dataset.label}: ` : ''}${(item.raw as { text: string }).text}`,
          },
        },
      },
    },
  };
}

function datasetOf(series: Series, panel: Panel, index: number, look: ChartLook): LineDataset {
  const { color, dash, mark } = seriesLook(series, look);
  return {
    label: series.inLegend ? series.label : '',
    yAxisID: `y${index}`,
    data: series.points.map(({ x, y, text }) => ({
      x,
      // A logarithmic axis has no place for 0: it is drawn on the ground line.
      y: y === null ? Number.NaN : Math.max(y, panel.y.from),
      text,
    })),
    borderColor: color,
    borderDash: [...dash],
    borderWidth: series.isReference === true ? 1.3 : series.marks ? 2 : 1.8,
    borderJoinStyle: 'round',
    pointStyle: series.marks ? mark : 'line',
    pointRadius: series.marks ? 5 : 0,
    pointHoverRadius: series.marks ? 7 : 3,
    pointBorderWidth: 2,
    pointBorderColor: color,
    pointBackgroundColor: series.points.map(({ sound }) => (sound === false ? look.surface : color)),
    backgroundColor: color,
    spanGaps: false,
    clip: 8,
  };
}

/** Chart.js' own items leave the dash out when they show a mark. */
function legendItems(drawn: Chart, look: ChartLook): LegendItem[] {
  return (drawn.data.datasets as LineDataset[]).flatMap((dataset, datasetIndex) =>
    dataset.label === ''
      ? []
      : [
          {
            text: dataset.label ?? '',
            datasetIndex,
            hidden: !drawn.isDatasetVisible(datasetIndex),
            pointStyle: dataset.pointStyle as string,
            strokeStyle: dataset.borderColor as string,
            fillStyle: dataset.backgroundColor as string,
            lineWidth: 2,
            lineDash: dataset.pointStyle === 'line' ? (dataset.borderDash as number[]) : [],
            fontColor: look.text,
          } as LegendItem,
        ],
  );
}

function seriesLook(series: Series, look: ChartLook): SeriesLook {
  if (series.isReference === true) return { color: look.mutedText, dash: [5, 4], mark: 'circle' };
  const styled = series.style === null ? undefined : look.series[series.style % look.series.length];
  return styled ?? { color: look.text, dash: [], mark: 'circle' };
}

function scalesOf(chart: ChartDescription, look: ChartLook): NonNullable<NonNullable<LineConfig['options']>['scales']> {
  const stacked = chart.panels.length > 1;
  const scales: [string, object][] = [['x', axisOptions(chart.x, look)]];
  // Chart.js stacks from the bottom up, and leaves no room between: a scale that shows nothing makes it.
  for (const [index, panel] of [...chart.panels.entries()].toReversed()) {
    const place = stacked ? { stack: 'panels', stackWeight: panel.weight, afterFit: sameWidth } : {};
    scales.push([`y${index}`, { ...axisOptions(panel.y, look), position: 'left', ...place }]);
    if (index > 0) scales.push([`gap${index}`, gapBelow()]);
  }
  if (chart.spans.length > 0 || chart.moments.length > 0) scales.push(['names', nameRow(chart)]);
  return Object.fromEntries(scales);
}

/** Chart.js would share a narrow page's room out among stacked axes, as if they stood side by side. */
function sameWidth(scale: { width: number }) {
  scale.width = 80;
}

function gapBelow() {
  return {
    type: 'linear',
    position: 'left',
    stack: 'panels',
    stackWeight: 0.12,
    ticks: { display: false },
    grid: { display: false },
    border: { display: false },
  };
}

function axisOptions(axis: Axis, look: ChartLook) {
  const font = { family: look.fontFamily, size: 12 };
  return {
    type: axis.scale === 'log' ? 'logarithmic' : 'linear',
    min: axis.from,
    max: axis.to,
    title: { display: true, text: axis.title, color: look.mutedText, font },
    border: { color: look.grid },
    grid: { color: look.grid, tickColor: look.grid },
    ticks: {
      color: look.mutedText,
      font,
      maxRotation: 0,
      autoSkipPadding: 8,
      callback: (value: number | string) => axis.ticks.find((tick) => tick.value === value)?.label ?? '',
    },
    afterBuildTicks(scale: { ticks: { value: number }[] }) {
      scale.ticks = axis.ticks.map(({ value }) => ({ value }));
    },
  };
}

/** Room above the panels for the names of spans and moments. */
function nameRow(chart: ChartDescription) {
  return {
    type: 'linear',
    position: 'top',
    min: chart.x.from,
    max: chart.x.to,
    grid: { display: false },
    border: { display: false },
    ticks: { display: false },
    afterFit(scale: { height: number }) {
      scale.height = 36;
    },
  };
}
