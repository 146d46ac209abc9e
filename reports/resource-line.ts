import type { MetricId } from '../harness/core/metrics.ts';
import type { ProbeSample, TrialRecord } from '../harness/core/trial.ts';
import { formatNumber, formatRatio, formatSeconds } from '../harness/core/units.ts';
import { linearAxis, yAxis } from './axes.ts';
import type { Axis, ChartDescription, Panel, Point, Series } from './chart.ts';
import { chartName, fileNamePart } from './charts.ts';
import { list } from './figures.ts';
import { cacheKinds, queueKinds } from './queues.ts';
import { joined, type Placed, placeOnRunClock, spanOf, timeAxis, timePanel } from './time-panels.ts';

/** What one line of a panel is made from. */
interface Line {
  readonly label: string;
  /** One value of the samples that were read at about the same time; null where they do not tell. */
  readonly value: (samples: readonly ProbeSample[]) => number | null;
}

interface Kind {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly axis: (title: string, values: readonly number[], format: (value: number) => string) => Axis;
  readonly lines: readonly Line[];
  /** A panel that is 0 all the time says nothing. */
  readonly drawnWhenZero: boolean;
}

interface ResourceChart {
  readonly id: string;
  readonly title: string;
  /** One panel a kind of evidence; instances are put together, so that a tier of many can be read. */
  readonly kinds: readonly Kind[];
}

/** Two charts, as no more than six lines can be told apart in one. */
const resourceCharts: readonly ResourceChart[] = [
  {
    id: 'queues',
    title: 'Queues, replica and cache over time',
    kinds: [
      {
        title: 'Waiting',
        format: formatNumber,
        axis: linearAxis,
        lines: queueKinds.map(({ metric, waitsFor }) => ({ label: `waiting for ${waitsFor}`, value: sumOf(metric) })),
        drawnWhenZero: false,
      },
      {
        title: 'Replica lag',
        format: formatSeconds,
        axis: yAxis,
        lines: [{ label: 'replica lag', value: mostOf('replica-lag') }],
        drawnWhenZero: false,
      },
      {
        title: 'Found in cache',
        format: formatRatio,
        axis: linearAxis,
        lines: cacheKinds.map(({ hits, misses, what }) => ({ label: what, value: shareOf(hits, misses) })),
        drawnWhenZero: true,
      },
    ],
  },
  {
    id: 'connections',
    title: 'Connections and limits over time',
    kinds: [
      {
        title: 'In use',
        format: formatNumber,
        axis: linearAxis,
        lines: [
          { label: 'requests in the load balancer', value: sumOf('connections-writing') },
          { label: 'database connections of the API', value: sumOf('pool-in-use') },
          { label: 'server connections of the poolers', value: sumOf('servers-active') },
        ],
        drawnWhenZero: false,
      },
      {
        title: 'Throttled',
        format: formatRatio,
        axis: linearAxis,
        lines: [{ label: 'periods in which a CPU limit stopped the worst instance', value: mostOf('throttled') }],
        drawnWhenZero: false,
      },
    ],
  },
];

/** Queues, replica lag, cache, connections and throttling over the whole run of one tier, what has something to show. */
export function resourceLineCharts(
  tier: string,
  runStartedAt: string,
  trials: readonly TrialRecord[],
): readonly ChartDescription[] {
  const placed = placeOnRunClock(runStartedAt, trials);
  return resourceCharts.flatMap((chart) => resourceChart(tier, chart, placed) ?? []);
}

function resourceChart(
  tier: string,
  { id, title, kinds }: ResourceChart,
  placed: readonly Placed[],
): ChartDescription | null {
  let style = 0;
  const panels = kinds.flatMap((kind): Panel[] => {
    const lines = kind.lines.flatMap((line): Series[] => {
      const points = joined(placed, (each) => pointsOf(line, kind, each));
      const says = points.some(({ y }) => y !== null && (y > 0 || kind.drawnWhenZero));
      if (!says) return [];
      style += 1;
      return [{ label: line.label, style: style - 1, inLegend: true, marks: false, points }];
    });
    const panel = timePanel(lines, (values) => kind.axis(kind.title, values, kind.format));
    return panel === null ? [] : [panel];
  });
  if (panels.length === 0) return null;
  const spans = placed.map(spanOf);
  const labels = panels.flatMap(({ series }) => series.map(({ label }) => label));
  return {
    id: fileNamePart(`${tier}-${id}`),
    title: `${title} · ${chartName(tier)}`,
    subtitle: 'All instances together. Shaded: one trial each, with its load',
    alt: `Charts over the time of the run: ${list(labels)}.`,
    x: timeAxis(spans, 'Time since the run began'),
    panels,
    spans,
    moments: [],
  };
}

/** Probes read one after the other: what was read within the same second belongs together. */
function pointsOf(line: Line, { format }: Kind, { measured, startS }: Placed): readonly Point[] {
  return [...Map.groupBy(measured.samples, ({ atS }) => Math.round(atS))]
    .toSorted(([one], [other]) => one - other)
    .flatMap(([atS, samples]) => {
      const value = line.value(samples);
      return value === null ? [] : [{ x: startS + atS, y: value, text: `${line.label} ${format(value)}` }];
    });
}

function sumOf(metric: MetricId): Line['value'] {
  return (samples) => total(samples, metric);
}

function mostOf(metric: MetricId): Line['value'] {
  return (samples) => {
    const own = samples.filter((sample) => sample.metric === metric).map(({ value }) => value);
    return own.length === 0 ? null : Math.max(...own);
  };
}

/** A counter that was never counted up may not be there: it is 0 where the other one is. */
function shareOf(part: MetricId, rest: MetricId): Line['value'] {
  return (samples) => {
    const [found, missed] = [total(samples, part) ?? 0, total(samples, rest) ?? 0];
    return found + missed === 0 ? null : found / (found + missed);
  };
}

function total(samples: readonly ProbeSample[], metric: MetricId): number | null {
  const own = samples.filter((sample) => sample.metric === metric);
  return own.length === 0 ? null : own.reduce((sum, { value }) => sum + value, 0);
}
