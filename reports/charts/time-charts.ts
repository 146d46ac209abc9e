import { describeLoad } from '../../harness/core/load.ts';
import { type MetricId, metrics } from '../../harness/core/metrics.ts';
import type { Interval, ProbeSample, TrialRecord } from '../../harness/core/trial.ts';
import { formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import { LatencyHistogram } from '../../harness/histograms/latency-histogram.ts';
import { throughputPerSIn } from '../../harness/judging/trial-window.ts';
import { samplesNeeded } from '../../harness/statistics/quantile-ranks.ts';
import { loadText } from '../figures.ts';
import { chartName, list, plural } from '../text.ts';
import { failedIn } from '../work.ts';
import { linearAxis, timeTicks, yAxis } from './axes.ts';
import {
  type Axis,
  type ChartDescription,
  fileNamePart,
  type Panel,
  type Point,
  type Series,
  type Span,
} from './chart.ts';

/** Charts over the time of a run, of one tier. */

/** A trial with its place on the chart's clock. */
interface Placed {
  readonly record: TrialRecord;
  /** Start of the measured window, in seconds since the chart's clock started. */
  readonly startS: number;
}

type AxisMaker = (title: string, values: readonly number[], format: (value: number) => string) => Axis;

/** CPU, throughput, p95, and the queues, caches and connections that have something to show. Empty without samples. */
export function timeCharts(
  tier: string,
  runStartedAt: string,
  trials: readonly TrialRecord[],
): readonly ChartDescription[] {
  // The date of the first trial only: a clock that is set on the way would put later ones elsewhere.
  const [first] = trials;
  const firstS = first === undefined ? 0 : (Date.parse(first.trial.startedAt) - Date.parse(runStartedAt)) / 1000;
  const firstMonotonicS = first?.trial.startedAtMonotonicS ?? 0;
  const placed = trials
    .map((record) => ({ record, startS: firstS + record.trial.startedAtMonotonicS - firstMonotonicS }))
    .toSorted((left, right) => left.startS - right.startS);
  const charts = [timeLine(tier, placed), ...resourceCharts.map((chart) => resourceChart(tier, chart, placed))];
  return charts.filter((chart) => chart !== null);
}

function timeLine(tier: string, placed: readonly Placed[]): ChartDescription | null {
  const cpu = cpuSeries(placed);
  const panels = [
    timePanel(cpu.series, 'CPU', formatRatio, linearAxis),
    timePanel([unnamed('throughput', throughputPoints(placed))], 'Requests/s', formatRate, yAxis),
    timePanel([unnamed('p95', latencyPoints(placed))], 'p95 latency', formatSeconds, yAxis),
  ].filter((each) => each !== null);
  if (panels.length === 0) return null;
  const sources = cpu.series.map(({ label }) => label);
  return {
    id: fileNamePart(`${tier}-time-line`),
    title: `CPU, throughput and p95 over time · ${chartName(tier)}`,
    subtitle: `CPU: 100 % is one core.${cpu.quiet} Shaded: one trial each, with its load. p95 over each second, or over the seconds it takes to get ${samplesNeeded(0.95)} answers`,
    alt: `Three charts over the time of the run: CPU ${sources.length === 0 ? 'was not sampled' : `of ${list(sources)}`}, requests per second, and p95 latency.`,
    x: timeAxis(placed.map(spanOf), 'Time since the run started'),
    panels,
    spans: placed.map(spanOf),
    moments: [],
  };
}

/** More lines cannot be distinguished, by colour or by dash. */
const MOST_SERIES = 6;

/** The processes that used most, and of the others the most that one of them used. */
function cpuSeries(placed: readonly Placed[]): { readonly series: readonly Series[]; readonly quiet: string } {
  const samples = placed.flatMap(({ record }) => record.samples.filter(isCpu));
  const ranked = [...Map.groupBy(samples, ({ source }) => source)]
    .map(([source, own]) => ({ source, highest: Math.max(0, ...own.map(({ value }) => value)) }))
    .toSorted((one, other) => other.highest - one.highest);
  const [shown, others] = [ranked.slice(0, MOST_SERIES), ranked.slice(MOST_SERIES)];
  const sources = [...new Set(samples.map(({ source }) => source))]
    .filter((source) => shown.some((each) => each.source === source))
    .toSorted((one, other) => Number(one === 'generator') - Number(other === 'generator'));
  return {
    series: sources.map((source, style) => ({
      label: chartName(source),
      style,
      inLegend: true,
      marks: false,
      points: joined(placed, ({ record, startS }) =>
        record.samples
          .filter((sample) => isCpu(sample) && sample.source === source)
          .map(({ atS, value }) => ({ x: startS + atS, y: value, text: `${source} ${formatRatio(value)} of a core` })),
      ),
    })),
    quiet:
      others.length === 0
        ? ''
        : ` Not drawn: ${plural(others.length, 'process', 'processes')} that used ${formatRatio(others[0]?.highest ?? 0)} at most.`,
  };
}

/** 1 is one core in use. */
function isCpu({ metric }: ProbeSample): boolean {
  return metric === 'cpu-cores';
}

/** One value of the samples that were read at about the same time; null where there is none. */
type Reading = (samples: readonly ProbeSample[]) => number | null;

interface Kind {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly axis: AxisMaker;
  readonly lines: readonly (readonly [label: string, reading: Reading])[];
  /** A panel that is 0 all the time is left out otherwise. */
  readonly drawnWhenZero?: true;
}

/** Counters of what was found in a cache and what was not. */
export const cacheKinds = [
  { hits: 'cache-hits', misses: 'cache-misses', what: "the API's cached reads" },
  { hits: 'key-hits', misses: 'key-misses', what: 'keys looked up in Redis' },
] as const;

const queues = (Object.keys(metrics) as MetricId[]).filter(
  (id) => metrics[id].role === 'queue' && metrics[id].unit === 'count',
);

/** Two charts, since no more than six lines can be distinguished in one; instances are added up, so that many can be read. */
const resourceCharts: readonly { readonly id: string; readonly title: string; readonly kinds: readonly Kind[] }[] = [
  {
    id: 'queues',
    title: 'Queues, replica and cache over time',
    kinds: [
      {
        title: 'Waiting',
        format: formatNumber,
        axis: linearAxis,
        lines: queues.map((id) => [metrics[id].label, sumOf(id)]),
      },
      { title: 'Replica lag', format: formatSeconds, axis: yAxis, lines: [['replica lag', mostOf('replica-lag')]] },
      {
        title: 'Found in cache',
        format: formatRatio,
        axis: linearAxis,
        lines: cacheKinds.map(({ hits, misses, what }) => [what, shareOf(hits, misses)]),
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
          ['requests in the load balancer', sumOf('connections-writing')],
          ['database connections of the API', sumOf('pool-in-use')],
          ['server connections of the poolers', sumOf('servers-active')],
        ],
      },
      {
        title: 'Throttled',
        format: formatRatio,
        axis: linearAxis,
        lines: [['periods in which a CPU limit stopped the worst instance', mostOf('throttled')]],
      },
    ],
  },
];

function resourceChart(
  tier: string,
  { id, title, kinds }: (typeof resourceCharts)[number],
  placed: readonly Placed[],
): ChartDescription | null {
  let style = -1;
  const panels = kinds.flatMap((kind): Panel[] => {
    const lines = kind.lines.flatMap(([label, reading]): Series[] => {
      const points = joined(placed, (each) => readingPoints(label, reading, kind, each));
      if (!points.some(({ y }) => y !== null && (y > 0 || kind.drawnWhenZero === true))) return [];
      style += 1;
      return [{ label, style, inLegend: true, marks: false, points }];
    });
    const panel = timePanel(lines, kind.title, kind.format, kind.axis);
    return panel === null ? [] : [panel];
  });
  if (panels.length === 0) return null;
  const labels = panels.flatMap(({ series }) => series.map(({ label }) => label));
  return {
    id: fileNamePart(`${tier}-${id}`),
    title: `${title} · ${chartName(tier)}`,
    subtitle: 'All instances together. Shaded: one trial each, with its load',
    alt: `Charts over the time of the run: ${list(labels)}.`,
    x: timeAxis(placed.map(spanOf), 'Time since the run started'),
    panels,
    spans: placed.map(spanOf),
    moments: [],
  };
}

/** Probes are read one after the other: readings of the same second belong together. */
function readingPoints(
  label: string,
  reading: Reading,
  { format }: Kind,
  { record, startS }: Placed,
): readonly Point[] {
  return [...Map.groupBy(record.samples, ({ atS }) => Math.round(atS))]
    .toSorted(([one], [other]) => one - other)
    .flatMap(([atS, samples]) => {
      const value = reading(samples);
      return value === null ? [] : [{ x: startS + atS, y: value, text: `${label} ${format(value)}` }];
    });
}

function valuesOfMetric(samples: readonly ProbeSample[], metric: MetricId): readonly number[] {
  return samples.filter((sample) => sample.metric === metric).map(({ value }) => value);
}

function sumOf(metric: MetricId): Reading {
  return (samples) => {
    const own = valuesOfMetric(samples, metric);
    return own.length === 0 ? null : own.reduce((sum, value) => sum + value, 0);
  };
}

function mostOf(metric: MetricId): Reading {
  return (samples) => {
    const own = valuesOfMetric(samples, metric);
    return own.length === 0 ? null : Math.max(...own);
  };
}

/** A counter that was never increased may be absent: it is 0 where the other one is present. */
function shareOf(part: MetricId, rest: MetricId): Reading {
  return (samples) => {
    const [found, missed] = [sumOf(part)(samples) ?? 0, sumOf(rest)(samples) ?? 0];
    return found + missed === 0 ? null : found / (found + missed);
  };
}

/** Successes and failures of each second of a trial, with the moments at which the fault started and ended. */
export function faultChart(
  record: TrialRecord,
  title: string,
  moments: ChartDescription['moments'],
): ChartDescription | null {
  const placed = [{ record, startS: 0 }];
  const failed = joined(placed, ({ record: { trial } }) =>
    perInterval(trial.intervals, 0, (interval) => failedIn(interval.steps) / interval.durationS),
  );
  const panels = [
    timePanel([unnamed('throughput', throughputPoints(placed))], 'Successful requests/s', formatRate, linearAxis),
    timePanel([unnamed('failed', failed)], 'Failed requests/s', formatRate, linearAxis),
  ].filter((each) => each !== null);
  if (panels.length === 0) return null;
  const { plan } = record.trial;
  return {
    id: fileNamePart(`${record.subject}-fault-${record.sequence}`),
    title: `${chartName(title)} · ${chartName(record.subject)}`,
    subtitle: `${plan.scenario} at ${describeLoad(plan.load)}`,
    alt: `Two charts over the time of the trial, successful and failed requests per second. ${list(moments.map(({ at, label }) => `${label} at ${formatSeconds(at)}`))}.`,
    x: timeAxis(placed.map(spanOf), 'Time since the measured window started'),
    panels,
    spans: [],
    moments,
  };
}

/** Null when there is nothing to draw. */
function timePanel(
  series: readonly Series[],
  title: string,
  format: (value: number) => string,
  axis: AxisMaker,
): Panel | null {
  const drawn = series.filter(({ points }) => points.some(({ y }) => y !== null));
  if (drawn.length === 0) return null;
  const values = drawn.flatMap(({ points }) => points.map(({ y }) => y ?? 0));
  return { y: axis(title, values, format), weight: 1, series: drawn, targets: [] };
}

function timeAxis(spans: readonly Span[], title: string): Axis {
  const from = Math.min(...spans.map((each) => each.from));
  const to = Math.max(...spans.map((each) => each.to));
  return { title, scale: 'linear', from, to, ticks: timeTicks(from, to, formatSeconds) };
}

/** The only series of its panel: the axis says what it is. */
function unnamed(label: string, points: readonly Point[]): Series {
  return { label, style: null, inLegend: false, marks: false, points };
}

function spanOf({ record: { trial, purpose }, startS }: Placed): Span {
  const from = startS + Math.min(0, ...trial.intervals.map((interval) => interval.startS));
  const label = purpose === 'warm-up' ? 'warm-up' : loadText(trial.plan.load);
  return { from, to: startS + trial.measuredS, label, group: chartName(trial.plan.scenario) };
}

function throughputPoints(placed: readonly Placed[]): readonly Point[] {
  return joined(placed, ({ record, startS }) => perInterval(record.trial.intervals, startS, throughputPerSIn));
}

function perInterval(
  intervals: readonly Interval[],
  startS: number,
  rateOf: (interval: Interval) => number,
): readonly Point[] {
  return intervals
    .filter(({ durationS }) => durationS > 0)
    .map((interval) => {
      const ratePerS = rateOf(interval);
      return { x: startS + interval.startS + interval.durationS / 2, y: ratePerS, text: formatRate(ratePerS) };
    });
}

/** Seconds are merged until they hold enough answers for a p95. */
function latencyPoints(placed: readonly Placed[]): readonly Point[] {
  const enough = samplesNeeded(0.95);
  return joined(placed, ({ record, startS }) => {
    const points: Point[] = [];
    let latency = LatencyHistogram.empty();
    let fromS: number | null = null;
    for (const { startS: intervalS, durationS, steps } of record.trial.intervals) {
      fromS ??= intervalS;
      for (const step of steps) latency.merge(LatencyHistogram.decode(step.latency));
      if (latency.count < enough) continue;
      const p95S = latency.quantileS(0.95);
      points.push({ x: startS + (fromS + intervalS + durationS) / 2, y: p95S, text: `p95 ${formatSeconds(p95S)}` });
      latency = LatencyHistogram.empty();
      fromS = null;
    }
    return points;
  });
}

/** The points of all trials, with the line broken between trials. */
function joined(placed: readonly Placed[], pointsOf: (placed: Placed) => readonly Point[]): readonly Point[] {
  return placed.flatMap((each) => {
    const points = pointsOf(each);
    const last = points.at(-1);
    return last === undefined ? [] : [...points, { x: last.x, y: null, text: '' }];
  });
}
