import type { ProbeSample, TrialRecord } from '../harness/core/trial.ts';
import { formatRate, formatRatio, formatSeconds } from '../harness/core/units.ts';
import { samplesNeeded } from '../harness/statistics/quantile-ranks.ts';
import { linearAxis, yAxis } from './axes.ts';
import { isCpu } from './busiest.ts';
import type { ChartDescription, Series } from './chart.ts';
import { chartName, fileNamePart } from './charts.ts';
import { list, plural } from './figures.ts';
import {
  joined,
  latencyPoints,
  type Placed,
  placeOnRunClock,
  spanOf,
  throughputPoints,
  timeAxis,
  timePanel,
  unnamed,
} from './time-panels.ts';

/** CPU of each process, throughput and p95 over the whole run of one tier; null when there is nothing to draw. */
export function timeLineChart(
  tier: string,
  runStartedAt: string,
  trials: readonly TrialRecord[],
): ChartDescription | null {
  const placed = placeOnRunClock(runStartedAt, trials);
  const cpu = cpuSeries(placed);
  const panels = [
    timePanel(cpu.series, (values) => linearAxis('CPU', values, formatRatio)),
    timePanel([unnamed('throughput', throughputPoints(placed))], (values) => yAxis('Requests/s', values, formatRate)),
    timePanel([unnamed('p95', latencyPoints(placed))], (values) => yAxis('p95 latency', values, formatSeconds)),
  ].filter((each) => each !== null);
  if (panels.length === 0) return null;
  const spans = placed.map(spanOf);
  const sources = panels.flatMap(({ series }) => series.filter(({ inLegend }) => inLegend).map(({ label }) => label));
  const quiet = cpu.quiet === null ? '' : ` ${cpu.quiet}`;
  return {
    id: fileNamePart(`${tier}-time-line`),
    title: `Time line · ${chartName(tier)}`,
    subtitle: `CPU: 100 % is one core.${quiet} Shaded: one trial each, with its load. p95 over each second, or as many as ${samplesNeeded(0.95)} answers take`,
    alt: `Three charts over the time of the run: CPU ${sources.length === 0 ? 'was not sampled' : `of ${list(sources)}`}, requests per second, and p95 latency.`,
    x: timeAxis(spans, 'Time since the run began'),
    panels,
    spans,
    moments: [],
  };
}

/** More lines cannot be told apart, by colour or by dash. */
const MOST_SERIES = 6;

/** The busiest processes, and of the others what the busiest of them used. */
function cpuSeries(placed: readonly Placed[]): { readonly series: readonly Series[]; readonly quiet: string | null } {
  const samples = placed.flatMap(({ measured }) => measured.samples.filter(isCpu));
  const ranked = [...Map.groupBy(samples, ({ source }) => source)]
    .map(([source, own]) => ({ source, highest: highest(own) }))
    .toSorted((one, other) => other.highest - one.highest);
  const shown = new Set(ranked.slice(0, MOST_SERIES).map(({ source }) => source));
  const left = ranked.slice(MOST_SERIES);
  const sources = [...new Set(samples.map(({ source }) => source))]
    .filter((source) => shown.has(source))
    .toSorted((one, other) => Number(one === 'generator') - Number(other === 'generator'));
  return {
    series: sources.map((source, style) => ({
      label: chartName(source),
      style,
      inLegend: true,
      marks: false,
      points: joined(placed, ({ measured, startS }) =>
        measured.samples
          .filter((sample) => isCpu(sample) && sample.source === source)
          .map(({ atS, value }) => ({ x: startS + atS, y: value, text: `${source} ${formatRatio(value)} of a core` })),
      ),
    })),
    quiet:
      left.length === 0
        ? null
        : `Not drawn: ${plural(left.length, 'process', 'processes')} that used ${formatRatio(left[0]?.highest ?? 0)} at most.`,
  };
}

function highest(samples: readonly ProbeSample[]): number {
  return samples.reduce((most, { value }) => Math.max(most, value), 0);
}
