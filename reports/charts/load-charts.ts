import { describeLoad, loadLevel } from '../../harness/core/load.ts';
import type { MeasuredMetric, Target } from '../../harness/core/target.ts';
import {
  type Estimate,
  formatBound,
  formatNumber,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../../harness/core/units.ts';
import type { JudgedTarget } from '../../harness/judging/judged-target.ts';
import { isValid, type JudgedTrial, type TrialSummary } from '../../harness/judging/judged-trial.ts';
import { byRate, byUsers } from '../analysis.ts';
import { estimateWithInterval, type Format } from '../figures.ts';
import { chartName, list, plural } from '../text.ts';
import { lostWork, workOf } from '../work.ts';
import { linearAxis, loadAxis, logAxis, rateAxis, yAxis } from './axes.ts';
import {
  type Axis,
  type ChartDescription,
  fileNamePart,
  type Panel,
  type Point,
  type Series,
  type TargetLine,
  valuesOf,
} from './chart.ts';

/** Charts over load: arrival rates, or numbers of users where the load is closed-loop. */

export type LoadModel = 'open' | 'closed';
type Targets = readonly JudgedTarget[];
type Estimator = (summary: TrialSummary) => Estimate | null;

/** What one tier was measured at in a scenario. */
export interface TierTrials {
  readonly tier: string;
  readonly trials: readonly JudgedTrial[];
}

const throughputOf: Estimator = ({ throughputPerS }) => throughputPerS;
const percentiles = [
  { label: 'p50', estimate: ({ latency }: TrialSummary) => latency.p50S },
  { label: 'p95', estimate: ({ latency }: TrialSummary) => latency.p95S },
  { label: 'p99', estimate: ({ latency }: TrialSummary) => latency.p99S },
] as const;

/**
 * Throughput and p95 of one scenario with a line for each tier, whose colour is its place in the run. Null where no load of
 * this kind was measured.
 */
export function scenarioChart(
  scenario: string,
  tiers: readonly TierTrials[],
  targets: Targets,
  model: LoadModel,
): ChartDescription | null {
  const own = tiers.map(({ tier, trials }) => ({ tier, trials: ofModel(trials, model) }));
  const all = own.flatMap(({ trials }) => trials);
  if (all.length === 0) return null;
  const x = loadAxisOf(all, model);
  const lines = (estimate: Estimator, format: Format, inLegend: boolean) =>
    own.map(({ tier, trials }, style) => ({ ...lineOf(chartName(tier), style, trials, estimate, format), inLegend }));
  const limits = targets.filter((each) => each.scenario === scenario);
  const throughput = throughputPanel(lines(throughputOf, formatRate, true), limits, x, all, model);
  const p95 = latencyPanel(
    'p95 latency',
    lines(({ latency }) => latency.p95S, formatSeconds, false),
    targetLines(limits, 'latency-p95'),
  );
  return {
    id: fileNamePart(`tiers.${scenario}${model === 'closed' ? '.users' : ''}`),
    title: `${chartName(scenario)}: throughput and p95 against ${model === 'open' ? 'arrival rate' : 'concurrency'}`,
    subtitle: subtitleOf(all, model, targetsBeyond(throughput, limits)),
    alt: `Line charts of throughput and p95 latency of ${scenario} over ${model === 'open' ? 'the arrival rate' : 'concurrency'}, with a line for each tier. At the highest load: ${endsOf([throughput, p95])}.`,
    x,
    panels: [throughput, p95],
    spans: [],
    moments: [],
  };
}

/** One scenario of one tier: p50, p95 and p99, throughput, and errors where there were any. Null without such loads. */
export function tierChart(
  tier: string,
  scenario: string,
  trials: readonly JudgedTrial[],
  targets: Targets,
  model: LoadModel,
): ChartDescription | null {
  const all = ofModel(trials, model);
  if (all.length === 0) return null;
  const own = targets.filter((each) => each.scenario === null || each.scenario === scenario);
  const x = loadAxisOf(all, model);
  const latency = percentiles.map(({ label, estimate }, style) => lineOf(label, style, all, estimate, formatSeconds));
  const throughput = throughputPanel([lineOf('throughput', 3, all, throughputOf, formatRate)], own, x, all, model);
  const limits = targetLines(own, 'latency-p95').map((line) => ({ ...line, label: line.label && `p95 ${line.label}` }));
  const panels = [latencyPanel('Latency', latency, limits), throughput, ...lostWorkPanel(all)];
  return {
    id: fileNamePart(`${tier}-loads.${scenario}${model === 'closed' ? '.users' : ''}`),
    title: `${chartName(scenario)}: latency and throughput · ${chartName(tier)}`,
    subtitle: subtitleOf(all, model, targetsBeyond(throughput, own)),
    alt: `Line charts of latency, throughput${panels.length > 2 ? ' and errors' : ''} of ${scenario} over ${model === 'open' ? 'the arrival rate' : 'concurrency'}. At the highest load: ${endsOf(panels)}.`,
    x,
    panels,
    spans: [],
    moments: [],
  };
}

function ofModel(trials: readonly JudgedTrial[], model: LoadModel): readonly JudgedTrial[] {
  return model === 'open' ? byRate(trials) : byUsers(trials);
}

function loadAxisOf(trials: readonly JudgedTrial[], model: LoadModel): Axis {
  const levels = trials.map(({ summary }) => loadLevel(summary.load));
  return model === 'open'
    ? rateAxis('Arrival rate (iterations/s)', levels, formatNumber)
    : loadAxis('Concurrency (virtual users)', levels, formatNumber);
}

/** `more`: a sentence of its own, or nothing. */
function subtitleOf(trials: readonly JudgedTrial[], model: LoadModel, more: string): string {
  const requests = model === 'open' ? requestsPerIteration(trials) : null;
  return [
    'Bars: 95 % interval',
    ...(requests === null
      ? []
      : [`Dashed: the rate that was offered${requests === 1 ? '' : `, ${plural(requests, 'request')} an iteration`}`]),
    ...(trials.some((trial) => !isValid(trial)) ? ['Hollow marks: the trial is invalid'] : []),
    ...(more === '' ? [] : [more]),
  ].join('. ');
}

function lineOf(
  label: string,
  style: number,
  trials: readonly JudgedTrial[],
  estimate: Estimator,
  format: Format,
): Series {
  const points = trials.flatMap((trial): Point[] => {
    const { summary } = trial;
    const found = estimate(summary);
    if (found === null) return [];
    return [
      {
        x: loadLevel(summary.load),
        y: found.value,
        low: found.low,
        high: found.high,
        valid: isValid(trial),
        text: `${estimateWithInterval(found, format)} at ${describeLoad(summary.load)}`,
      },
    ];
  });
  return { label, style, inLegend: true, marks: true, points };
}

function latencyPanel(title: string, series: readonly Series[], targets: readonly TargetLine[]): Panel {
  const values = [...valuesOf(series), ...targets.map(({ value }) => value)];
  return { y: yAxis(title, values, formatSeconds), weight: 1.2, series: drawn(series), targets };
}

/** With the line on which everything offered is answered; the axis is of the kind of the x axis, so that it is straight. */
function throughputPanel(
  series: readonly Series[],
  targets: Targets,
  x: Axis,
  trials: readonly JudgedTrial[],
  model: LoadModel,
): Panel {
  const lines = targetLines(targets, 'throughput').filter(({ value }) => fits(value, x, series));
  const values = [...valuesOf(series), ...lines.map(({ value }) => value)];
  const axis = model === 'closed' ? yAxis : x.scale === 'log' ? logAxis : linearAxis;
  const y = axis('Successful requests/s', values, formatRate);
  const offered = model === 'closed' ? null : offeredLine(x, y, requestsPerIteration(trials), trials);
  return { y, weight: 1, series: [...drawn(series), ...(offered === null ? [] : [offered])], targets: lines };
}

/** On a linear axis a target far above would press the measured lines to the bottom. */
const FARTHEST_TARGET = 2;

function fits(target: number, x: Axis, series: readonly Series[]): boolean {
  return x.scale === 'log' || target <= FARTHEST_TARGET * Math.max(...valuesOf(series));
}

/** Empty when all targets are drawn. */
function targetsBeyond({ targets: shown }: Panel, targets: Targets): string {
  const beyond = targetLines(targets, 'throughput').filter(({ value }) => !shown.some((line) => line.value === value));
  const labels = beyond.map(({ label }) => label).filter((label) => label !== '');
  return labels.length === 0 ? '' : `Not drawn: ${list(labels)}, far above what was answered`;
}

function drawn(series: readonly Series[]): readonly Series[] {
  return series.filter(({ points }) => points.length > 0);
}

/** As far as it fits the axes. */
function offeredLine(x: Axis, y: Axis, requests: number | null, trials: readonly JudgedTrial[]): Series | null {
  if (requests === null) return null;
  const [first, last] = [Math.max(x.from, y.from / requests), Math.min(x.to, y.to / requests)];
  if (!(last > first)) return null;
  const rates = trials.map(({ summary }) => loadLevel(summary.load)).filter((rate) => rate > first && rate < last);
  const points = [...new Set([first, ...rates, last])]
    .toSorted((left, right) => left - right)
    .map((rate) => ({ x: rate, y: rate * requests, text: `${formatRate(rate * requests)} offered` }));
  return { label: 'offered', style: null, inLegend: false, marks: false, isReference: true, points };
}

/** The usual number, from the trials without failures where there are such; null where nothing was completed. */
function requestsPerIteration(trials: readonly JudgedTrial[]): number | null {
  const work = trials.map(({ record }) => workOf(record.trial)).filter(({ completed }) => completed > 0);
  const whole = work.filter(({ failures }) => failures.length === 0);
  const ratios = (whole.length > 0 ? whole : work)
    .map(({ requests, completed }) => requests / completed)
    .toSorted((left, right) => left - right);
  const middle = ratios[Math.floor(ratios.length / 2)];
  if (middle === undefined || middle === 0) return null;
  // The requests that started in the window and those that ended in it are not quite the same.
  return Math.abs(middle - Math.round(middle)) < 0.02 * middle ? Math.round(middle) : Number(middle.toPrecision(2));
}

/** None where every request succeeded. */
function lostWorkPanel(trials: readonly JudgedTrial[]): readonly Panel[] {
  const works = trials.map((trial) => ({ trial, work: workOf(trial.record.trial) }));
  if (works.every(({ work }) => lostWork(work).length === 0)) return [];
  const series = (['dropped', 'failed'] as const).map((kind, index): Series => {
    const points = works.map(({ trial, work }): Point => {
      const { load } = trial.summary;
      const share = work[`${kind}Ratio`];
      const text = `${formatRatio(share)} at ${describeLoad(load)}`;
      return { x: loadLevel(load), y: share, valid: isValid(trial), text };
    });
    return { label: kind, style: 4 + index, inLegend: true, marks: true, points };
  });
  const shown = series.filter(({ points }) => points.some(({ y }) => (y ?? 0) > 0));
  return [{ y: linearAxis('Errors', valuesOf(shown), formatRatio), weight: 0.6, series: shown, targets: [] }];
}

/** The last point of each line in words. */
function endsOf(panels: readonly Panel[]): string {
  return panels
    .map(({ y, series }) => {
      const lines = series.filter(({ isReference }) => isReference !== true);
      return `${y.title}: ${list(lines.map(({ label, points }) => `${label} ${points.at(-1)?.text ?? ''}`))}`;
    })
    .join('; ');
}

/** Each documented limit once, in words of its own: several targets may say the same. */
export function targetLines(targets: Targets, metric: MeasuredMetric): readonly TargetLine[] {
  const lines = new Map<number, string>();
  for (const { target } of targets) {
    if (target.judged.by !== 'measured' || target.judged.metric !== metric) continue;
    for (const [index, value] of ends(target).entries()) {
      lines.set(value, lines.get(value) ?? (index === 0 ? `target ${formatBound(target)}` : ''));
    }
  }
  return [...lines].map(([value, label]) => ({ value, label })).toSorted((left, right) => left.value - right.value);
}

function ends({ value }: Target): readonly number[] {
  return typeof value === 'number' ? [value] : value;
}
