import { describeLoad } from '../../harness/core/load.ts';
import { formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { JudgedTarget } from '../../harness/judging/judged-target.ts';
import { isValid, type JudgedTrial } from '../../harness/judging/judged-trial.ts';
import type { LatencyViews } from '../../harness/judging/latency-views.ts';
import { samplesNeeded } from '../../harness/statistics/quantile-ranks.ts';
import { mainLoads, type ScenarioAnalysis } from '../analysis.ts';
import { chartName, list } from '../text.ts';
import { yAxis } from './axes.ts';
import { type Axis, type ChartDescription, fileNamePart, type Point, type Series, valuesOf } from './chart.ts';
import { targetLines } from './load-charts.ts';

/** Latency over percentile, on an axis that gives each further nine the same width, so that the tail can be read. */

/** Latency over percentile at the highest load of each scenario. A line ends where its samples allow no interval. */
export function distributionChart(
  tier: string,
  scenarios: readonly ScenarioAnalysis[],
  targets: readonly JudgedTarget[],
): ChartDescription | null {
  const series = scenarios.flatMap(({ name, trials }, style): Series[] => {
    const last = mainLoads(trials).findLast(({ summary }) => summary.latency.count > 0);
    if (last === undefined) return [];
    const { latency } = last;
    const points = curve((ratio) => (latency.count >= samplesNeeded(ratio) ? latency.quantileS(ratio) : null));
    const label = `${chartName(name)}, ${describeLoad(last.summary.load)}`;
    return [{ label, style, inLegend: true, marks: false, points }];
  });
  const points = series.flatMap((each) => each.points);
  if (points.length === 0) return null;
  const lines = targetLines(targets, 'latency-p95').map((line) => ({
    ...line,
    label: line.label && `p95 ${line.label}`,
  }));
  return {
    id: fileNamePart(`${tier}-distribution`),
    title: `Latency distribution at the highest load · ${chartName(tier)}`,
    subtitle: 'Share of the requests that were answered within the time. Each line ends where its samples end',
    alt: `Line chart of latency over percentile. ${list(series.map(({ label, points: own }) => `${label}: up to ${own.at(-1)?.text ?? ''}`))}.`,
    x: percentileAxis('Percentile of the successful requests', Math.max(...points.map(({ x }) => x))),
    panels: [
      {
        y: yAxis('Latency', [...valuesOf(series), ...lines.map(({ value }) => value)], formatSeconds),
        weight: 1,
        series,
        targets: lines,
      },
    ],
    spans: [],
    moments: [],
  };
}

/** How one trial reads by each way of measuring, in the order of `LatencyViews`. */
export const viewNames = {
  scheduled: 'from the scheduled start',
  sent: 'from the actual start',
  closedLoop: 'as ten closed-loop users',
} as const;

/** The whole curve up to 99.9 %, or as far as the samples allow. Requests without an answer are past the end of the line. */
export function viewsChart(tier: string, trial: JudgedTrial, views: LatencyViews): ChartDescription {
  const { summary } = trial;
  const series = (['scheduled', 'sent', 'closedLoop'] as const).flatMap((name, style): Series[] => {
    const view = views[name];
    if (view === null) return [];
    const points = curve((ratio) => (ratio > HIGHEST_PERCENTILE ? null : view.quantileS(ratio)));
    return points.length === 0 ? [] : [{ label: viewNames[name], style, inLegend: true, marks: false, points }];
  });
  const answered = views.scheduled.answeredRatio;
  const to = Math.max(1, ...series.flatMap(({ points }) => points.map(({ x }) => x)));
  const showsEnd = answered < HIGHEST_PERCENTILE && answered > 0 && nines(answered) <= to;
  const ends = series.map(({ label, points }) => `${label}, ${points.at(-1)?.text ?? ''}`);
  const load = describeLoad(summary.load);
  return {
    id: fileNamePart(`${tier}-views`),
    title: `The same trial by three ways of measuring · ${chartName(tier)}`,
    subtitle: `${chartName(summary.scenario)} at ${load}${isValid(trial) ? '' : ', invalid'}. Each line ends where its samples end, or where the rest was never answered`,
    alt: `Line chart of latency over percentile of ${summary.scenario} at ${load}: ${list(ends)}.`,
    x: percentileAxis('Percentile', to),
    panels: [{ y: yAxis('Latency', valuesOf(series), formatSeconds), weight: 1, series, targets: [] }],
    spans: [],
    moments: showsEnd ? [{ at: nines(answered), label: `${formatRatio(1 - answered)} never answered` }] : [],
  };
}

const HIGHEST_PERCENTILE = 0.999;

/** The percentiles that are named on the axis. */
const namedRatios = [0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999];

/** As far as the quantile exists and is a time. */
function curve(quantileS: (ratio: number) => number | null): readonly Point[] {
  const steps = Array.from({ length: 121 }, (_, index) => 1 - 10 ** (-index / 30));
  const ratios = [...new Set([...steps, ...namedRatios])].toSorted((left, right) => left - right);
  return ratios.flatMap((ratio) => {
    const latencyS = quantileS(ratio);
    if (latencyS === null || !Number.isFinite(latencyS)) return [];
    return [{ x: nines(ratio), y: latencyS, text: `${percentile(ratio)} within ${formatSeconds(latencyS)}` }];
  });
}

/** Unlike a ratio elsewhere it keeps its nines: 99.97 % is not 100 %. */
function percentile(ratio: number): string {
  return `${Number((ratio * 100).toFixed(3))} %`;
}

/** 0 at 0 %, 1 at 90 %, 2 at 99 %. */
function nines(ratio: number): number {
  return Number((-Math.log10(1 - ratio)).toPrecision(9));
}

function percentileAxis(title: string, to: number): Axis {
  const ticks = namedRatios.map((ratio) => ({ value: nines(ratio), label: percentile(ratio) }));
  return { title, scale: 'linear', from: 0, to, ticks: ticks.filter(({ value }) => value <= to) };
}
