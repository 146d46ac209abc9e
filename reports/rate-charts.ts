import type { Estimate } from '../harness/core/estimate.ts';
import { describeLoad, loadLevel } from '../harness/core/load.ts';
import { formatNumber, formatRate, formatRatio, formatSeconds } from '../harness/core/units.ts';
import type { JudgedTarget, JudgedTrial, TrialSummary } from '../harness/judging/judged-trial.ts';
import { linearAxis, logAxis, rateAxis, yAxis } from './axes.ts';
import type { Axis, ChartDescription, Panel, Point, Series, TargetLine } from './chart.ts';
import { chartName, fileNamePart, loadPoint, namingP95, targetLines, valuesOf } from './charts.ts';
import { type Format, list, loadTitles, plural } from './figures.ts';
import { byRate, type ScenarioAnalysis } from './scenario-analysis.ts';
import { lostWork, workOf } from './work.ts';

type Targets = readonly JudgedTarget[];

const percentiles = [
  { label: 'p50', estimate: ({ latency }: TrialSummary) => latency.p50S },
  { label: 'p95', estimate: ({ latency }: TrialSummary) => latency.p95S },
  { label: 'p99', estimate: ({ latency }: TrialSummary) => latency.p99S },
] as const;

/**
 * One scenario of one tier over the arrival rates: latency, throughput beside what was offered, so that it is seen where
 * the system no longer follows, and what was dropped or failed where there was any. Null where no rate was offered.
 */
export function rateChart(
  tier: string,
  { name, trials: all }: Pick<ScenarioAnalysis, 'name' | 'trials'>,
  targets: Targets,
): ChartDescription | null {
  const trials = byRate(all);
  if (trials.length === 0) return null;
  const own = targets.filter(({ scenario }) => scenario === null || scenario === name);
  const x = axisOfRates(trials);
  const latency = percentiles.map(({ label, estimate }, style) =>
    overRates(label, style, trials, estimate, (figure) => `${formatSeconds(figure)}`),
  );
  const throughput = throughputPanel([overRates('throughput', 3, trials, throughputOf, formatRate)], own, x, trials);
  const panels = [
    latencyPanel('Latency', latency, namingP95(targetLines(own, 'latency-p95'))),
    throughput,
    ...lostWorkPanel(trials),
  ];
  return {
    id: fileNamePart(`${tier}-rates.${name}`),
    title: `${chartName(name)}: latency and throughput against arrival rate · ${chartName(tier)}`,
    subtitle: rateSubtitle(trials, targetsBeyond(throughput, own)),
    alt: `Line charts over the arrival rate of ${name}: latency, throughput beside what was offered${panels.length > 2 ? ', and the share of the work that was dropped or failed' : ''}. At the highest rate: ${endsOf(panels)}.`,
    x,
    panels,
    spans: [],
    moments: [],
  };
}

/** `more`: a sentence of its own, or nothing. How unsound trials are drawn is told where there is one. */
export function rateSubtitle(trials: readonly JudgedTrial[], more: string): string {
  const requests = requestsPerIteration(trials);
  const unsound = trials.some(({ validity }) => validity.kind === 'invalid');
  return [
    'Bars: 95 % interval',
    ...(requests === null
      ? []
      : [`Dashed: all that was offered${requests === 1 ? '' : `, ${plural(requests, 'request')} an iteration`}`]),
    ...(unsound ? ['Hollow marks: the trial is not sound'] : []),
    ...(more === '' ? [] : [more]),
  ].join('. ');
}

export function axisOfRates(trials: readonly JudgedTrial[]): Axis {
  return rateAxis(
    loadTitles.rate,
    trials.map(({ summary }) => loadLevel(summary.load)),
    formatNumber,
  );
}

export function throughputOf({ throughputPerS }: TrialSummary): Estimate | null {
  return throughputPerS;
}

export function overRates(
  label: string,
  style: number,
  trials: readonly JudgedTrial[],
  estimate: (summary: TrialSummary) => Estimate | null,
  format: Format,
): Series {
  const points = trials.flatMap((trial) => loadPoint(trial, estimate, format, describeLoad(trial.summary.load)) ?? []);
  return { label, style, inLegend: true, marks: true, points };
}

export function latencyPanel(title: string, series: readonly Series[], targets: readonly TargetLine[]): Panel {
  return {
    y: yAxis(title, [...valuesOf(series), ...targets.map(({ value }) => value)], formatSeconds),
    weight: 1.2,
    series: drawn(series),
    targets,
  };
}

/** With the line on which all that was offered is answered; the axis is of the kind of the x axis, so that it is straight. */
export function throughputPanel(
  series: readonly Series[],
  targets: Targets,
  x: Axis,
  trials: readonly JudgedTrial[],
): Panel {
  const lines = targetLines(targets, 'throughput').filter(({ value }) => fits(value, x, series));
  const values = [...valuesOf(series), ...lines.map(({ value }) => value)];
  const axis = x.scale === 'log' ? logAxis : linearAxis;
  const y = axis('Successful requests/s', values, formatRate);
  const offered = offeredLine(x, y, requestsPerIteration(trials), trials);
  return { y, weight: 1, series: [...drawn(series), ...(offered === null ? [] : [offered])], targets: lines };
}

/** On a linear axis a target far above would press what was measured to the ground. */
const FARTHEST_TARGET = 2;

function fits(target: number, x: Axis, series: readonly Series[]): boolean {
  return x.scale === 'log' || target <= FARTHEST_TARGET * Math.max(...valuesOf(series));
}

/** `Not shown: target >= 1,000/s, far above what was answered`; empty where all targets are shown. */
export function targetsBeyond({ targets: shown }: Panel, targets: Targets): string {
  const beyond = targetLines(targets, 'throughput').filter(({ value }) => !shown.some((line) => line.value === value));
  const labels = beyond.map(({ label }) => label).filter((label) => label !== '');
  return labels.length === 0 ? '' : `Not drawn: ${list(labels)}, far above what was answered`;
}

function drawn(series: readonly Series[]): readonly Series[] {
  return series.filter(({ points }) => points.length > 0);
}

/** As far as it fits the axes: beyond what was answered it would only press the other lines to the ground. */
function offeredLine(x: Axis, y: Axis, requests: number | null, trials: readonly JudgedTrial[]): Series | null {
  if (requests === null) return null;
  const [first, last] = [Math.max(x.from, y.from / requests), Math.min(x.to, y.to / requests)];
  if (!(last > first)) return null;
  const rates = trials.map(({ summary }) => loadLevel(summary.load)).filter((rate) => rate > first && rate < last);
  const points = [...new Set([first, ...rates, last])]
    .toSorted((left, right) => left - right)
    .map((rate) => ({
      x: rate,
      y: rate * requests,
      text: `${formatRate(rate * requests)} would be all that was due at ${formatRate(rate)}`,
    }));
  return { label: 'offered', style: null, inLegend: false, marks: false, isReference: true, points };
}

/** The usual number, from the trials in which nothing failed where there are such; null where nothing was completed. */
function requestsPerIteration(trials: readonly JudgedTrial[]): number | null {
  const work = trials.map(({ record }) => workOf(record.trial)).filter(({ completed }) => completed > 0);
  const whole = work.filter(({ failures }) => failures.length === 0);
  const ratios = (whole.length > 0 ? whole : work)
    .map(({ requests, completed }) => requests / completed)
    .toSorted((left, right) => left - right);
  const middle = ratios[Math.floor(ratios.length / 2)];
  if (middle === undefined || middle === 0) return null;
  // What began in the window and ended in it are not quite the same requests.
  return Math.abs(middle - Math.round(middle)) < 0.02 * middle ? Math.round(middle) : Number(middle.toPrecision(2));
}

/** None where all work was answered rightly. */
function lostWorkPanel(trials: readonly JudgedTrial[]): readonly Panel[] {
  const works = trials.map(({ record, summary, validity }) => ({ summary, validity, work: workOf(record.trial) }));
  if (works.every(({ work }) => lostWork(work).length === 0)) return [];
  const series = (['dropped', 'failed'] as const).map((kind, index): Series => {
    const points = works.map(({ summary, validity, work }): Point => {
      const share = work[`${kind}Ratio`];
      const text = `${formatRatio(share)} at ${describeLoad(summary.load)}`;
      return { x: loadLevel(summary.load), y: share, sound: validity.kind === 'valid', text };
    });
    return { label: kind, style: 4 + index, inLegend: true, marks: true, points };
  });
  const shown = series.filter(({ points }) => points.some(({ y }) => (y ?? 0) > 0));
  return [{ y: linearAxis('Errors', valuesOf(shown), formatRatio), weight: 0.6, series: shown, targets: [] }];
}

/** The last point of each line in words. */
export function endsOf(panels: readonly Panel[]): string {
  return panels
    .map(({ y, series }) => {
      const lines = series.filter(({ isReference }) => isReference !== true);
      return `${y.title}: ${list(lines.map(({ label, points }) => `${label} ${points.at(-1)?.text ?? ''}`))}`;
    })
    .join('; ');
}
