import { describeLoad } from '../harness/core/load.ts';
import { formatNumber, formatRatio, formatSeconds } from '../harness/core/units.ts';
import { isValidOrOverloaded, type JudgedTrial } from '../harness/judging/judged-trial.ts';
import {
  type HiddenLatency,
  hiddenLatency,
  isMisleading,
  type LatencyView,
  type LatencyViews,
} from '../harness/judging/latency-views.ts';
import { yAxis } from './axes.ts';
import type { ChartDescription, Series } from './chart.ts';
import { chartName, fileNamePart, valuesOf } from './charts.ts';
import { list } from './figures.ts';
import { curve, nines, percentileAxis } from './percentile-curve.ts';
import type { ScenarioAnalysis } from './scenario-analysis.ts';
import { left, right, type Table } from './table.ts';

/** Trials by arrival rate, each read in three ways: what a tool with coordinated omission would have hidden. */
export interface ViewsAnalysis {
  readonly trials: readonly ViewedTrial[];
  /** One sentence on the trial in which they differ most, or that they agree. */
  readonly inWords: string;
  /** Of that trial. */
  readonly chart: ChartDescription;
}

interface ViewedTrial {
  readonly trial: JudgedTrial;
  readonly views: LatencyViews;
}

/** Null where no trial can be read in more than one way. */
export function viewsOf(tier: string, scenarios: readonly ScenarioAnalysis[]): ViewsAnalysis | null {
  const trials = scenarios.flatMap((scenario) =>
    scenario.trials.flatMap((trial): ViewedTrial[] => {
      const { views } = trial;
      return views === null ? [] : [{ trial, views }];
    }),
  );
  const most = mostDifferent(trials);
  if (most === null) return null;
  return { trials, inWords: inWords(most, trials), chart: viewsChart(tier, most) };
}

const viewNames = {
  scheduled: 'from its scheduled start',
  sent: 'from when it was sent',
  closedLoop: 'as a closed-loop load of ten users reads it',
} as const;

/** Lateness of the generator would look like that of the system: a trial that is sound, or not so only as its queue grew, is preferred. */
function mostDifferent(trials: readonly ViewedTrial[]): ViewedTrial | null {
  const ranked = trials.toSorted((left, right) => {
    const [one, other] = [left, right].map(rank);
    const differs = one?.findIndex((part, index) => part !== other?.[index]) ?? -1;
    return differs === -1 ? 0 : (other?.[differs] ?? 0) - (one?.[differs] ?? 0);
  });
  return ranked[0] ?? null;
}

/** The earlier part matters more. */
function rank(viewed: ViewedTrial): readonly number[] {
  const hidden = hiddenLatency(viewed.views);
  return [Number(isTrusted(viewed)), Number(hidden !== null && isMisleading(hidden)), hidden?.times ?? 0];
}

/** A queue that grows is the system's own: had the trial gone on, the views would lie further apart. */
function isTrusted({ trial }: ViewedTrial): boolean {
  return isValidOrOverloaded(trial);
}

function inWords(viewed: ViewedTrial, trials: readonly ViewedTrial[]): string {
  const { summary } = viewed.trial;
  const hidden = hiddenLatency(viewed.views);
  if (hidden === null) return 'The samples of no trial allow a percentile in more than one view.';
  const sound = isTrusted(viewed) ? '' : ' This trial is not sound: the generator may have had its part in it.';
  const place = `${summary.scenario} at ${describeLoad(summary.load)}`;
  if (!isMisleading(hidden)) {
    const which = isTrusted(viewed) && !trials.every(isTrusted) ? 'The views of the sound trials' : 'The views';
    return `${which} agree: where they differ most, in ${place}, ${hidden.percentile} is ${formatSeconds(hidden.scheduledS)} from the scheduled start, and ${formatSeconds(hidden.readS)} as ${reader(hidden)} would have read it.${sound}`;
  }
  const read = `In ${place} ${reader(hidden)} would have read ${hidden.percentile} ${formatSeconds(hidden.readS)}`;
  if (hidden.scheduledS === Number.POSITIVE_INFINITY) {
    return `${read}, while ${formatRatio(summary.errorRatio)} of the work was dropped or failed, so that there is no such ${hidden.percentile}.${sound}`;
  }
  return `${read}, ${formatNumber(hidden.times)} times less than the ${formatSeconds(hidden.scheduledS)} from the scheduled start.${sound}`;
}

function reader({ by }: HiddenLatency): string {
  return by === 'closedLoop' ? 'a closed-loop tool of ten users' : 'a tool that counts from when a request was sent';
}

export function viewsTable(tier: string, { trials }: ViewsAnalysis): Table {
  return {
    caption: `The same trials read in three ways, on ${tier}`,
    columns: [
      left('Scenario'),
      right('Arrival rate'),
      left('Latency'),
      right('p50'),
      right('p95'),
      right('p99'),
      right('Longest'),
    ],
    rows: trials.flatMap(({ trial: { summary, validity }, views }) =>
      (['scheduled', 'sent', 'closedLoop'] as const).flatMap((name) => {
        const view = views[name];
        if (view === null) return [];
        const repeated = name !== 'scheduled';
        return [
          [
            { text: summary.scenario, repeated },
            {
              text: describeLoad(summary.load),
              repeated,
              ...(validity.kind === 'invalid' && { detail: 'not sound' }),
            },
            { text: viewNames[name] },
            ...[view.p50S, view.p95S, view.p99S, view.longestS].map((latencyS) => ({ text: latencyText(latencyS) })),
          ],
        ];
      }),
    ),
  };
}

export const howToReadViews =
  'From the scheduled start is what users had: what was dropped or failed counts as never answered. From when it was sent, a request that had to wait for its turn looks quick. Ten users who wait for each answer before they ask again ask least while the system is slowest: what a tool reads that makes its load so (coordinated omission).';

function latencyText(latencyS: number | null): string {
  if (latencyS === null) return '–';
  return latencyS === Number.POSITIVE_INFINITY ? 'never' : formatSeconds(latencyS);
}

/** The whole curve up to 99.9 %, or as far as the samples allow. What was never answered is past the end of its line. */
function viewsChart(tier: string, { trial: { summary, validity }, views }: ViewedTrial): ChartDescription {
  const series = (['scheduled', 'sent', 'closedLoop'] as const).flatMap((name, style): Series[] => {
    const view = views[name];
    if (view === null) return [];
    return [{ label: viewNames[name], style, inLegend: true, marks: false, points: pointsOf(view) }];
  });
  const drawn = series.filter(({ points }) => points.length > 0);
  const never = neverAnsweredFrom(views.scheduled);
  const ends = drawn.map(({ label, points }) => `${label}, ${points.at(-1)?.text ?? ''}`);
  const to = Math.max(1, ...drawn.flatMap(({ points }) => points.map(({ x }) => x)));
  return {
    id: fileNamePart(`${tier}-views`),
    title: `The same trial read in three ways · ${chartName(tier)}`,
    subtitle: `${chartName(summary.scenario)} at ${describeLoad(summary.load)}${validity.kind === 'valid' ? '' : ', not sound'}. Each line ends where its samples end, or where the rest was never answered`,
    alt: `Line chart of latency over percentile of ${summary.scenario} at ${describeLoad(summary.load)}: ${list(ends)}.`,
    x: percentileAxis('Percentile', to),
    panels: [{ y: yAxis('Latency', valuesOf(drawn), formatSeconds), weight: 1, series: drawn, targets: [] }],
    spans: [],
    moments:
      never === null || nines(never) > to
        ? []
        : [{ at: nines(never), label: `${formatRatio(1 - never)} never answered` }],
  };
}

const HIGHEST_PERCENTILE = 0.999;

function pointsOf({ quantileS }: LatencyView): Series['points'] {
  return curve((ratio) => (ratio > HIGHEST_PERCENTILE ? null : quantileS(ratio)));
}

/** The share that was answered at all; null where everything was, or hardly anything was not. */
function neverAnsweredFrom(scheduled: LatencyView): number | null {
  const answered = scheduled.answeredRatio;
  return answered < HIGHEST_PERCENTILE && answered > 0 ? answered : null;
}
