import {
  Chart,
  type ChartConfiguration,
  type ChartOptions,
  Legend,
  type LegendItem,
  LinearScale,
  LineElement,
  LogarithmicScale,
  PointElement,
  SubTitle,
  Title,
  Tooltip,
} from 'chart.js';
import { LineWithErrorBarsController, PointWithErrorBar } from 'chartjs-chart-error-bars';
import Annotation from 'chartjs-plugin-annotation';
import { annotationsOf } from './annotations.ts';
import type { Axis, ChartDescription, Panel, Series } from './chart.ts';
import type { ChartLook, SeriesLook } from './chart-look.ts';

/** Registers the parts of Chart.js that `chartConfig` uses, and no others, so that the page stays small. */
export function registerChartParts(): void {
  Chart.register(
    LineWithErrorBarsController,
    PointWithErrorBar,
    LineElement,
    PointElement,
    LinearScale,
    LogarithmicScale,
    Legend,
    Title,
    SubTitle,
    Tooltip,
    Annotation,
  );
}

interface DrawnPoint {
  readonly x: number;
  readonly y: number;
  readonly yMin?: number;
  readonly yMax?: number;
  readonly text: string;
}

/** Points with error bars take the options of a dataset without the prefix that those of a plain line have. */
interface PointOptions {
  readonly radius: number;
  readonly hoverRadius: number;
}

type LineConfig = ChartConfiguration<'lineWithErrorBars', DrawnPoint[]>;
type LineOptions = ChartOptions<'lineWithErrorBars'>;

/** The Chart.js configuration of a description. `titled`: with title and subtitle in the picture; the page has them as text. */
export function chartConfig(chart: ChartDescription, look: ChartLook, titled: boolean): LineConfig {
  const font = { family: look.fontFamily, size: 13 };
  const withMarks = chart.panels.some((panel) => panel.series.some((series) => series.marks));
  const options: LineOptions = {
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
          ...(withMarks ? {} : { pointStyleWidth: 30 }),
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
          label: ({ dataset, raw }) => `${dataset.label ? `${dataset.label}: ` : ''}${(raw as DrawnPoint).text}`,
        },
      },
      annotation: { clip: false, annotations: annotationsOf(chart, look) },
    },
  };
  return {
    type: 'lineWithErrorBars',
    data: {
      datasets: chart.panels.flatMap((panel, index) =>
        panel.series.map((series) => datasetOf(series, panel, index, look)),
      ),
    },
    options,
  };
}

function datasetOf(
  series: Series,
  { y: axis }: Panel,
  index: number,
  look: ChartLook,
): LineConfig['data']['datasets'][number] & PointOptions {
  const { color, dash, mark } = seriesLook(series, look);
  // A logarithmic axis has no place for 0: it is drawn at the lowest value of the axis.
  const within = (value: number) => Math.min(Math.max(value, axis.from), axis.to);
  return {
    label: series.inLegend ? series.label : '',
    yAxisID: `y${index}`,
    data: series.points.map(({ x, y, low, high, text }) => ({
      x,
      y: y === null ? Number.NaN : Math.max(y, axis.from),
      text,
      ...(low !== undefined && high !== undefined && low !== high && { yMin: within(low), yMax: within(high) }),
    })),
    borderColor: color,
    borderDash: [...dash],
    borderWidth: series.isReference === true ? 1.3 : series.marks ? 2 : 1.8,
    borderJoinStyle: 'round',
    pointStyle: series.marks ? mark : 'line',
    radius: series.marks ? 5 : 0,
    hoverRadius: series.marks ? 7 : 3,
    backgroundColor: series.points.map(({ valid }) => (valid === false ? look.surface : color)),
    errorBarColor: color,
    errorBarWhiskerColor: color,
    errorBarLineWidth: 1.5,
    errorBarWhiskerLineWidth: 1.5,
    errorBarWhiskerSize: 10,
    spanGaps: false,
    clip: 8,
  };
}

/** Chart.js' own items leave the dash out when they show a mark. */
function legendItems(drawn: Chart, look: ChartLook): LegendItem[] {
  return (drawn.data.datasets as LineConfig['data']['datasets']).flatMap((dataset, datasetIndex) =>
    dataset.label === ''
      ? []
      : [
          {
            text: dataset.label ?? '',
            datasetIndex,
            hidden: !drawn.isDatasetVisible(datasetIndex),
            pointStyle: dataset.pointStyle,
            strokeStyle: dataset.borderColor,
            fillStyle: dataset.borderColor,
            lineWidth: 2,
            lineDash: dataset.pointStyle === 'line' ? dataset.borderDash : [],
            fontColor: look.text,
          } as LegendItem,
        ],
  );
}

function seriesLook(series: Series, look: ChartLook): SeriesLook {
  if (series.isReference === true) return { color: look.mutedText, dash: [5, 4], mark: 'circle' };
  const styled = series.style === null ? undefined : look.series[series.style % look.series.length];
  const own = styled ?? { color: look.text, dash: [], mark: 'circle' };
  return series.line === undefined ? own : { ...own, dash: series.line === 'whole' ? [] : [2, 4] };
}

function scalesOf(chart: ChartDescription, look: ChartLook): NonNullable<LineOptions['scales']> {
  const stacked = chart.panels.length > 1;
  const scales: [string, object][] = [['x', axisOptions(chart.x, look)]];
  // Chart.js stacks from the bottom up and leaves no room between: an invisible scale makes it.
  for (const [index, panel] of [...chart.panels.entries()].toReversed()) {
    const place = stacked ? { stack: 'panels', stackWeight: panel.weight, afterFit: sameWidth } : {};
    scales.push([`y${index}`, { ...axisOptions(panel.y, look), position: 'left', ...place }]);
    if (index > 0) scales.push([`gap${index}`, { ...invisible, position: 'left', stack: 'panels', stackWeight: 0.12 }]);
  }
  if (chart.spans.length > 0 || chart.moments.length > 0) {
    // Room above the panels for the names of spans and moments.
    scales.push(['names', { ...invisible, position: 'top', min: chart.x.from, max: chart.x.to, afterFit: nameRow }]);
  }
  return Object.fromEntries(scales);
}

const invisible = { type: 'linear', ticks: { display: false }, grid: { display: false }, border: { display: false } };

/** Chart.js would divide the width of a narrow page among stacked axes, as if they stood side by side. */
function sameWidth(scale: { width: number }): void {
  scale.width = 80;
}

function nameRow(scale: { height: number }): void {
  scale.height = 36;
}

function axisOptions(axis: Axis, look: ChartLook): object {
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
