import type { Estimate } from '../harness/core/estimate.ts';
import { describeLoad, loadLevel } from '../harness/core/load.ts';
import type { MeasuredMetric, Target } from '../harness/core/target.ts';
import { formatBound, formatNumber, formatRate, formatSeconds } from '../harness/core/units.ts';
import type { JudgedTarget, JudgedTrial, TrialSummary } from '../harness/judging/judged-trial.ts';
import { samplesNeeded } from '../harness/statistics/quantile-ranks.ts';
import { loadAxis, yAxis } from './axes.ts';
import type { ChartDescription, Point, Series, TargetLine } from './chart.ts';
import { estimateWithInterval, type Format, list, loadTitles, shortened } from './figures.ts';
import { curve, percentileAxis } from './percentile-curve.ts';
import { byRate, byUsers, mainLadder, type ScenarioAnalysis } from './scenario-analysis.ts';

type Scenarios = readonly ScenarioAnalysis[];
type Targets = readonly JudgedTarget[];

/** Over numbers of users. Arrival rates have charts of their own (rate-charts.ts). */
export function throughputChart(tier: string, scenarios: Scenarios, targets: Targets): ChartDescription | null {
  return loadChart(tier, scenarios, {
    id: 'throughput',
    title: `Throughput against concurrency · ${chartName(tier)}`,
    what: 'throughput',
    yTitle: 'Successful requests per second',
    format: formatRate,
    estimate: ({ throughputPerS }) => throughputPerS,
    targets: targetLines(targets, 'throughput'),
  });
}

export function latencyChart(tier: string, scenarios: Scenarios, targets: Targets): ChartDescription | null {
  return loadChart(tier, scenarios, {
    id: 'latency',
    title: `p95 latency against concurrency · ${chartName(tier)}`,
    what: 'p95 latency',
    yTitle: 'p95 latency',
    format: formatSeconds,
    estimate: ({ latency }) => latency.p95S,
    targets: targetLines(targets, 'latency-p95'),
  });
}

interface LoadChart {
  readonly id: string;
  readonly title: string;
  readonly what: string;
  readonly yTitle: string;
  readonly format: Format;
  readonly estimate: (summary: TrialSummary) => Estimate | null;
  readonly targets: readonly TargetLine[];
}

/** One number of users beside a ladder of rates is a row of a table, and no line. */
function hasLine(scenarios: Scenarios): boolean {
  return scenarios.every(({ trials }) => byRate(trials).length === 0) || scenarios.some(hasSeveralLevels);
}

export function hasSeveralLevels({ trials }: Pick<ScenarioAnalysis, 'trials'>): boolean {
  return new Set(byUsers(trials).map(({ summary }) => loadLevel(summary.load))).size > 1;
}

/** One line per scenario over the numbers of users; null when there is nothing to draw. */
function loadChart(tier: string, all: Scenarios, chart: LoadChart): ChartDescription | null {
  if (!hasLine(all)) return null;
  const scenarios = all.map(({ name, trials }) => ({ name, trials: byUsers(trials) }));
  const series = scenarios.map(({ name, trials }, style): Series => {
    const points = trials.flatMap(
      (trial) => loadPoint(trial, chart.estimate, chart.format, describeLoad(trial.summary.load)) ?? [],
    );
    return { label: chartName(name), style, inLegend: true, marks: true, points };
  });
  const points = series.flatMap((each) => each.points);
  if (points.length === 0) return null;
  const loads = scenarios.flatMap(({ trials }) => trials.map(({ summary }) => summary.load));
  const values = [...valuesOf(series), ...chart.targets.map(({ value }) => value)];
  const drawn = series.filter((each) => each.points.length > 0);
  const ends = drawn.map(({ label, points: own }) => {
    const last = own.at(-1);
    return `${label} ${last?.text ?? ''}`;
  });
  return {
    id: fileNamePart(`${tier}-${chart.id}`),
    title: chart.title,
    subtitle: `Bars: 95 % interval${points.some(({ sound }) => sound === false) ? '. Hollow marks: the trial is not sound' : ''}`,
    alt: `Line chart of ${chart.what} over concurrency. At the highest load: ${list(ends)}.`,
    x: loadAxis(loadTitles.users, loads.map(loadLevel), formatNumber),
    panels: [{ y: yAxis(chart.yTitle, values, chart.format), weight: 1, series: drawn, targets: chart.targets }],
    spans: [],
    moments: [],
  };
}

/** All that is drawn of a line, with the ends of its intervals. */
export function valuesOf(series: readonly Series[]): readonly number[] {
  return series.flatMap(({ points }) =>
    points.flatMap(({ y, low, high }) => [y, low, high].filter((value) => typeof value === 'number')),
  );
}

/** Null where the trial has no such figure. */
export function loadPoint(
  { summary, validity }: JudgedTrial,
  estimate: (summary: TrialSummary) => Estimate | null,
  format: Format,
  load: string,
): Point | null {
  const found = estimate(summary);
  if (found === null) return null;
  return {
    x: loadLevel(summary.load),
    y: found.value,
    low: found.low,
    high: found.high,
    sound: validity.kind === 'valid',
    text: `${estimateWithInterval(found, format)} at ${load}`,
  };
}

/** Each documented limit once, in words of its own: several targets may say the same. */
export function targetLines(targets: Targets, metric: MeasuredMetric): readonly TargetLine[] {
  const lines = new Map<number, { label: string; shortLabel: string }>();
  for (const { target } of targets) {
    if (target.judged.by !== 'measured' || target.judged.metric !== metric) continue;
    for (const [index, value] of ends(target).entries()) {
      const bound = index === 0 ? formatBound(target) : '';
      const labels = { label: bound === '' ? '' : `target ${bound}`, shortLabel: bound };
      lines.set(value, lines.get(value) ?? labels);
    }
  }
  return [...lines]
    .map(([value, labels]) => ({ value, ...labels }))
    .toSorted((left, right) => left.value - right.value);
}

/** Where other percentiles are drawn too. */
export function namingP95(lines: readonly TargetLine[]): readonly TargetLine[] {
  const naming = (label: string) => (label === '' ? '' : `p95 ${label}`);
  return lines.map((line) => ({ ...line, label: naming(line.label), shortLabel: naming(line.shortLabel) }));
}

function ends({ value }: Target): readonly number[] {
  return typeof value === 'number' ? [value] : value;
}

/**
 * Latency over percentile at the highest load of each scenario. The axis gives each further nine the same width, so that
 * the tail can be read. A line ends where its samples no longer allow an interval for the percentile.
 */
export function distributionChart(tier: string, scenarios: Scenarios, targets: Targets): ChartDescription | null {
  const series = scenarios.flatMap(({ name, trials }, style): Series[] => {
    const last = mainLadder(trials).findLast(({ summary }) => summary.latency.count > 0);
    if (last === undefined) return [];
    const label = `${chartName(name)}, ${describeLoad(last.summary.load)}`;
    return [{ label, style, inLegend: true, marks: false, points: percentilePoints(last) }];
  });
  const points = series.flatMap((each) => each.points);
  if (points.length === 0) return null;
  const lines = namingP95(targetLines(targets, 'latency-p95'));
  const values = [...points.map(({ y }) => y ?? 0), ...lines.map(({ value }) => value)];
  return {
    id: fileNamePart(`${tier}-distribution`),
    title: `Latency distribution at the highest load · ${chartName(tier)}`,
    subtitle: 'Share of the requests that were answered within the time. Each line ends where its samples end',
    alt: `Line chart of latency over percentile. ${list(series.map(({ label, points: own }) => `${label}: up to ${own.at(-1)?.text ?? ''}`))}.`,
    x: percentileAxis('Percentile of the successful requests', Math.max(...points.map(({ x }) => x))),
    panels: [{ y: yAxis('Latency', values, formatSeconds), weight: 1, series, targets: lines }],
    spans: [],
    moments: [],
  };
}

function percentilePoints({ latency }: JudgedTrial): readonly Point[] {
  return curve((ratio) => (latency.count >= samplesNeeded(ratio) ? latency.quantileS(ratio) : null));
}

/** A name of any length, cut to what a legend or a title holds. */
export function chartName(name: string): string {
  return shortened(name, 40);
}

/** Names of tiers are a person's: what is no letter or digit becomes a dash. */
export function fileNamePart(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^\.+/, '');
}
