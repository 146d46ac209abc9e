import type { Estimate } from '../harness/core/estimate.ts';
import { describeLoad, loadLevel } from '../harness/core/load.ts';
import type { MeasuredMetric } from '../harness/core/target.ts';
import { formatNumber, formatRate, formatSeconds } from '../harness/core/units.ts';
import type { JudgedTarget, JudgedTrial, TrialSummary } from '../harness/judging/judged-trial.ts';
import { loadAxis, yAxis } from './axes.ts';
import type { ChartDescription, Panel, Series } from './chart.ts';
import { chartName, fileNamePart, hasSeveralLevels, loadPoint, targetLines, valuesOf } from './charts.ts';
import { type Format, loadTitles } from './figures.ts';
import {
  axisOfRates,
  endsOf,
  latencyPanel,
  overRates,
  rateSubtitle,
  targetsBeyond,
  throughputOf,
  throughputPanel,
} from './rate-charts.ts';
import { byRate, byUsers } from './scenario-analysis.ts';

type Targets = readonly JudgedTarget[];

/** What one tier was measured at in a scenario. */
export interface TierTrials {
  readonly tier: string;
  readonly trials: readonly JudgedTrial[];
}

/**
 * Throughput and p95 of one scenario with a line for each tier: over the arrival rates, where each tier may have rates of
 * its own, and over numbers of users where there are several. The colour of a tier is its place in the run.
 */
export function comparisonCharts(
  scenario: string,
  tiers: readonly TierTrials[],
  targets: Targets,
): readonly ChartDescription[] {
  const own = targets.filter((each) => each.scenario === scenario);
  const hasRates = tiers.some(({ trials }) => byRate(trials).length > 0);
  const charts = [
    hasRates ? overRatesChart(scenario, tiers, own) : null,
    !hasRates || tiers.some(hasSeveralLevels) ? overUsersChart(scenario, tiers, own, hasRates) : null,
  ];
  return charts.filter((chart) => chart !== null);
}

function overRatesChart(scenario: string, tiers: readonly TierTrials[], targets: Targets): ChartDescription {
  const all = tiers.flatMap(({ trials }) => byRate(trials));
  const x = axisOfRates(all);
  const lines = (estimate: (summary: TrialSummary) => Estimate | null, format: Format, inLegend: boolean) =>
    tiers.map(({ tier, trials }, style) => ({
      ...overRates(chartName(tier), style, byRate(trials), estimate, format),
      inLegend,
    }));
  const throughput = throughputPanel(lines(throughputOf, formatRate, true), targets, x, all);
  const panels = [
    throughput,
    latencyPanel(
      'p95 latency',
      lines(({ latency }) => latency.p95S, formatSeconds, false),
      targetLines(targets, 'latency-p95'),
    ),
  ];
  return {
    id: fileNamePart(`tiers.${scenario}`),
    title: `${chartName(scenario)}: throughput and p95 of each tier`,
    subtitle: rateSubtitle(all, targetsBeyond(throughput, targets)),
    alt: `Line charts over the arrival rate, throughput and p95 latency of ${scenario}, with a line for each tier. At its highest rate: ${endsOf(panels)}.`,
    x,
    panels,
    spans: [],
    moments: [],
  };
}

interface Metric {
  readonly target: MeasuredMetric;
  readonly title: string;
  readonly format: Format;
  readonly estimate: (summary: TrialSummary) => Estimate | null;
}

const metrics: readonly Metric[] = [
  { target: 'throughput', title: 'Successful requests/s', format: formatRate, estimate: throughputOf },
  { target: 'latency-p95', title: 'p95 latency', format: formatSeconds, estimate: ({ latency }) => latency.p95S },
];

function overUsersChart(
  scenario: string,
  tiers: readonly TierTrials[],
  targets: Targets,
  isSecond: boolean,
): ChartDescription | null {
  const panels = metrics
    .map((metric, index) => usersPanel(metric, tiers, targets, index === 0))
    .filter(({ series }) => series.length > 0);
  if (panels.length === 0) return null;
  const unsound = panels.some(({ series }) => series.some(({ points }) => points.some(({ sound }) => sound === false)));
  return {
    id: fileNamePart(`tiers.${scenario}${isSecond ? '.users' : ''}`),
    title: `${chartName(scenario)}: throughput and p95 of each tier${isSecond ? ' by number of users' : ''}`,
    subtitle: `Bars: 95 % interval${unsound ? '. Hollow marks: the trial is not sound' : ''}`,
    alt: `Line charts over the concurrency, throughput and p95 latency of ${scenario}, with a line for each tier. At the highest load: ${endsOf(panels)}.`,
    x: loadAxis(
      loadTitles.users,
      tiers.flatMap(({ trials }) => byUsers(trials).map(({ summary }) => loadLevel(summary.load))),
      formatNumber,
    ),
    panels,
    spans: [],
    moments: [],
  };
}

function usersPanel(metric: Metric, tiers: readonly TierTrials[], judged: Targets, inLegend: boolean): Panel {
  const series = tiers.map(({ tier, trials }, style): Series => {
    const points = byUsers(trials).flatMap(
      (trial) => loadPoint(trial, metric.estimate, metric.format, describeLoad(trial.summary.load)) ?? [],
    );
    return { label: chartName(tier), style, inLegend, marks: true, points };
  });
  const targets = targetLines(judged, metric.target);
  return {
    y: yAxis(metric.title, [...valuesOf(series), ...targets.map(({ value }) => value)], metric.format),
    weight: 1,
    series: series.filter((each) => each.points.length > 0),
    targets,
  };
}
