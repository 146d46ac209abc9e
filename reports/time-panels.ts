import type { TrialRecord } from '../harness/core/trial.ts';
import { formatRate, formatSeconds } from '../harness/core/units.ts';
import { LatencyHistogram } from '../harness/histograms/latency-histogram.ts';
import { throughputPerSIn } from '../harness/judging/trial-window.ts';
import { samplesNeeded } from '../harness/statistics/quantile-ranks.ts';
import { timeTicks } from './axes.ts';
import type { Axis, Panel, Point, Series, Span } from './chart.ts';
import { chartName } from './charts.ts';
import { loadText } from './figures.ts';

/** What charts over time are put together from. */

/** A trial with its place on the chart's clock. */
export interface Placed {
  readonly measured: TrialRecord;
  /** Start of the measured window, in seconds since the chart's clock began. */
  readonly startS: number;
}

/** In the order they were measured. */
export function placeOnRunClock(runStartedAt: string, trials: readonly TrialRecord[]): readonly Placed[] {
  return trials
    .map((measured) => ({ measured, startS: (Date.parse(measured.trial.startedAt) - Date.parse(runStartedAt)) / 1000 }))
    .toSorted((left, right) => left.startS - right.startS);
}

/** Null when there is nothing to draw. */
export function timePanel(series: readonly Series[], axis: (values: readonly number[]) => Axis): Panel | null {
  const drawn = series.filter(({ points }) => points.some(({ y }) => y !== null));
  if (drawn.length === 0) return null;
  const values = drawn.flatMap(({ points }) => points.map(({ y }) => y ?? 0));
  return { y: axis(values), weight: 1, series: drawn, targets: [] };
}

export function timeAxis(spans: readonly Span[], title: string): Axis {
  const from = Math.min(...spans.map((each) => each.from));
  const to = Math.max(...spans.map((each) => each.to));
  return { title, scale: 'linear', from, to, ticks: timeTicks(from, to, formatSeconds) };
}

/** The only series of its panel: the axis says what it is. */
export function unnamed(label: string, points: readonly Point[]): Series {
  return { label, style: null, inLegend: false, marks: false, points };
}

export function spanOf({ measured: { trial, purpose }, startS }: Placed): Span {
  const from = startS + Math.min(0, ...trial.intervals.map((interval) => interval.startS));
  const label = purpose === 'warm-up' ? 'warm-up' : loadText(trial.plan.load);
  return { from, to: startS + trial.measuredS, label, group: chartName(trial.plan.scenario) };
}

export function throughputPoints(placed: readonly Placed[]): readonly Point[] {
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
export function latencyPoints(placed: readonly Placed[]): readonly Point[] {
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
export function joined(placed: readonly Placed[], pointsOf: (placed: Placed) => readonly Point[]): readonly Point[] {
  return placed.flatMap((each) => {
    const points = pointsOf(each);
    const last = points.at(-1);
    return last === undefined ? [] : [...points, { x: last.x, y: null, text: '' }];
  });
}
