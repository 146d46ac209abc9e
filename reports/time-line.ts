import type { MeasuredTrial } from '../harness/core/trial.ts';
import { formatRate, formatRatio, formatSeconds } from '../harness/core/units.ts';
import { LatencyHistogram } from '../harness/histograms/latency-histogram.ts';
import { throughputPerSIn } from '../harness/judging/interval-throughput.ts';
import { samplesNeeded } from '../harness/statistics/quantile-ranks.ts';
import { linearAxis, timeTicks, yAxis } from './axes.ts';
import { isCpu } from './busiest.ts';
import type { Axis, ChartDescription, Panel, Point, Series, Span } from './chart.ts';
import { chartName, fileNamePart } from './charts.ts';
import { list, loadText } from './figures.ts';

/** A trial with its place on the run's clock. */
interface Placed {
  readonly measured: MeasuredTrial;
  /** Start of the measured window, in seconds since the run began. */
  readonly startS: number;
}

/** CPU of each process, throughput and p95 over the whole run of one tier; null when there is nothing to draw. */
export function timeLineChart(
  tier: string,
  runStartedAt: string,
  trials: readonly MeasuredTrial[],
): ChartDescription | null {
  const placed = trials
    .map((measured) => ({ measured, startS: (Date.parse(measured.trial.startedAt) - Date.parse(runStartedAt)) / 1000 }))
    .toSorted((left, right) => left.startS - right.startS);
  const spans = placed.map(span);
  const panels = [
    panel(cpuSeries(placed), (values) => linearAxis('CPU', values, formatRatio)),
    panel([unnamed('throughput', throughputPoints(placed))], (values) => yAxis('Requests/s', values, formatRate)),
    panel([unnamed('p95', latencyPoints(placed))], (values) => yAxis('p95 latency', values, formatSeconds)),
  ].filter((each) => each !== null);
  if (panels.length === 0) return null;
  const from = Math.min(...spans.map((each) => each.from));
  const to = Math.max(...spans.map((each) => each.to));
  const sources = panels.flatMap(({ series }) => series.filter(({ inLegend }) => inLegend).map(({ label }) => label));
  return {
    id: fileNamePart(`${tier}-time-line`),
    title: `Time line · ${chartName(tier)}`,
    subtitle: `CPU: 100 % is one core. Shaded: one trial each, with its load. p95 over each second, or as many as ${samplesNeeded(0.95)} answers take`,
    alt: `Three charts over the time of the run: CPU ${sources.length === 0 ? 'was not sampled' : `of ${list(sources)}`}, requests per second, and p95 latency.`,
    x: {
      title: 'Time since the run began',
      scale: 'linear',
      from,
      to,
      ticks: timeTicks(from, to, formatSeconds),
    },
    panels,
    spans,
  };
}

function panel(series: readonly Series[], axis: (values: readonly number[]) => Axis): Panel | null {
  const drawn = series.filter(({ points }) => points.some(({ y }) => y !== null));
  if (drawn.length === 0) return null;
  const values = drawn.flatMap(({ points }) => points.map(({ y }) => y ?? 0));
  return { y: axis(values), weight: 1, series: drawn, targets: [] };
}

/** The only series of its panel: the axis says what it is. */
function unnamed(label: string, points: readonly Point[]): Series {
  return { label, style: null, inLegend: false, marks: false, points };
}

function span({ measured: { trial, purpose }, startS }: Placed): Span {
  const from = startS + Math.min(0, ...trial.intervals.map((interval) => interval.startS));
  const label = purpose === 'warm-up' ? 'warm-up' : loadText(trial.plan.load);
  return { from, to: startS + trial.measuredS, label, group: chartName(trial.plan.scenario) };
}

function cpuSeries(placed: readonly Placed[]): readonly Series[] {
  const sources = new Set(placed.flatMap(({ measured }) => measured.samples.filter(isCpu).map(({ source }) => source)));
  const ordered = [...sources].toSorted((left, right) => Number(left === 'generator') - Number(right === 'generator'));
  return ordered.map((source, style) => ({
    label: chartName(source),
    style,
    inLegend: true,
    marks: false,
    points: joined(placed, ({ measured, startS }) =>
      measured.samples
        .filter((sample) => isCpu(sample) && sample.source === source)
        .map(({ atS, value }) => ({ x: startS + atS, y: value, text: `${source} ${formatRatio(value)} of a core` })),
    ),
  }));
}

function throughputPoints(placed: readonly Placed[]): readonly Point[] {
  return joined(placed, ({ measured, startS }) =>
    measured.trial.intervals
      .filter(({ durationS }) => durationS > 0)
      .map((interval) => {
        const ratePerS = throughputPerSIn(interval);
        return { x: startS + interval.startS + interval.durationS / 2, y: ratePerS, text: formatRate(ratePerS) };
      }),
  );
}

/** Seconds are put together until they hold enough answers for a p95 that means something. */
function latencyPoints(placed: readonly Placed[]): readonly Point[] {
  const enough = samplesNeeded(0.95);
  return joined(placed, ({ measured, startS }) => {
    const points: Point[] = [];
    let latency = LatencyHistogram.empty();
    let fromS: number | null = null;
    for (const { startS: intervalS, durationS, steps } of measured.trial.intervals) {
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
