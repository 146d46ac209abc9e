import type { Estimate } from '../harness/core/estimate.ts';
import { describeLoad, loadLevel } from '../harness/core/load.ts';
import type { MeasuredMetric } from '../harness/core/target.ts';
import { formatNumber, formatRate, formatSeconds } from '../harness/core/units.ts';
import type { LoadComparison, ScenarioComparison } from '../harness/judging/compare-tiers.ts';
import type { JudgedTarget, TrialSummary } from '../harness/judging/summary.ts';
import { loadAxis, yAxis } from './axes.ts';
import type { ChartDescription, Panel, Point, Series } from './chart.ts';
import { chartName, fileNamePart, loadPoint, targetLines } from './charts.ts';
import { type Format, list, loadTitle } from './figures.ts';

interface Metric {
  readonly target: MeasuredMetric;
  readonly title: string;
  readonly format: Format;
  readonly estimate: (summary: TrialSummary) => Estimate | null;
}

const metrics: readonly Metric[] = [
  {
    target: 'throughput',
    title: 'Successful requests/s',
    format: formatRate,
    estimate: ({ throughputPerS }) => throughputPerS,
  },
  { target: 'latency-p95', title: 'p95 latency', format: formatSeconds, estimate: ({ latency }) => latency.p95S },
];

/** Throughput and p95 of one scenario over the loads, a line for each tier. Null where nothing was measured. */
export function comparisonChart(
  { scenario, loads }: ScenarioComparison,
  targets: readonly JudgedTarget[],
): ChartDescription | null {
  const own = targets.filter((each) => each.scenario === scenario);
  const tiers = loads[0]?.rows.map(({ tier }) => tier) ?? [];
  const panels = metrics
    .map((metric, index) => panelOf(metric, tiers, loads, own, index === 0))
    .filter(({ series }) => series.length > 0);
  if (panels.length === 0) return null;
  const drawn = panels.flatMap(({ series }) => series);
  const ends = panels.map(
    ({ y, series }) =>
      `${y.title}: ${list(series.map(({ label, points }) => `${label} ${points.at(-1)?.text ?? ''}`))}`,
  );
  const unsound = drawn.some(({ points }) => points.some(({ sound }) => sound === false));
  return {
    id: fileNamePart(`tiers.${scenario}`),
    title: `${chartName(scenario)}: throughput and p95 of each tier`,
    subtitle: `Bars: 95 % interval${unsound ? '. Hollow marks: the trial is not sound' : ''}`,
    alt: `Line charts over the load, throughput and p95 latency of ${scenario}, with a line for each tier. At the highest load: ${ends.join('; ')}.`,
    x: loadAxis(
      loadTitle(loads[0]?.load),
      loads.map(({ load }) => loadLevel(load)),
      formatNumber,
    ),
    panels,
    spans: [],
    moments: [],
  };
}

/** The colour of a tier is its place in the run, whether it has a line here or not. */
function panelOf(
  metric: Metric,
  tiers: readonly string[],
  loads: readonly LoadComparison[],
  judged: readonly JudgedTarget[],
  inLegend: boolean,
): Panel {
  const series = tiers.map((tier, style): Series => {
    const points = loads.flatMap(({ load, rows }): readonly Point[] => {
      const summary = rows.find((row) => row.tier === tier)?.trial?.summary;
      const point =
        summary === undefined ? null : loadPoint(summary, metric.estimate, metric.format, describeLoad(load));
      return point === null ? [] : [point];
    });
    return { label: chartName(tier), style, inLegend, marks: true, points };
  });
  const targets = targetLines(judged, metric.target);
  const points = series.flatMap((each) => each.points);
  const values = [
    ...points.flatMap(({ y, low, high }) => [y, low, high].filter((value) => typeof value === 'number')),
    ...targets.map(({ value }) => value),
  ];
  return {
    y: yAxis(metric.title, values, metric.format),
    weight: 1,
    series: series.filter((each) => each.points.length > 0),
    targets,
  };
}
