import { formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import { linearAxis, yAxis } from '../charts/axes.ts';
import { type ChartDescription, fileNamePart, type Point, valuesOf } from '../charts/chart.ts';
import {
  type Answer,
  type Block,
  type CellDraft,
  type Document,
  details,
  figures,
  head,
  left,
  right,
  table,
  tableBlocks,
} from '../document.ts';
import { changeSize, dateTime, type Format } from '../figures.ts';
import { FEWEST_RESULTS, type HistorySeries, SMALLEST_CHANGE } from '../history.ts';
import type { PipelineValue } from '../pipeline.ts';
import { chartName, list, plural } from '../text.ts';

/** What `tierbench history` says: which figures changed for good, when, and a chart of each. */
export function historyDocument(series: readonly HistorySeries[], folder: string): Document {
  const results = new Set(series.flatMap(({ points }) => points.map(({ source }) => source)));
  const changed = series.filter(({ changes }) => changes.length > 0);
  const steady = series.filter(({ changes, points }) => changes.length === 0 && points.length > 1);
  return {
    title: 'Results over time',
    subtitle: `${folder} · ${plural(results.size, 'result')}`,
    blocks: [
      { kind: 'answer', answers: [answerOf(series)] },
      ...machinesNote(series),
      ...tableBlocks(changesTable(changed)),
      ...figures(changed.map(chartOf)),
      ...details(`${plural(steady.length, 'figure')} without a change`, figures(steady.map(chartOf))),
    ],
    footer: `Changes of more than ${formatRatio(SMALLEST_CHANGE)} by E-divisive means and Student's t-test at 0.001, as Apache Otava finds them.`,
  };
}

/** Ratios of head to base are of one machine each. */
function machinesNote(series: readonly HistorySeries[]): readonly Block[] {
  const machines = new Set(
    series.flatMap(({ measure, points }) => (measure === 'head-over-base' ? [] : points.map(({ machine }) => machine))),
  );
  if (machines.size < 2) return [];
  const text = `${list([...machines])}. A change may be that of the machine.`;
  return [{ kind: 'note', title: `Measured on ${plural(machines.size, 'machine')}`, text }];
}

const units: Readonly<Record<PipelineValue['measure'], { readonly title: string; readonly format: Format }>> = {
  latency: { title: 'p95', format: formatSeconds },
  'cpu-time': { title: 'CPU time', format: formatSeconds },
  throughput: { title: 'iterations/s', format: formatRate },
  'error-ratio': { title: 'errors', format: formatRatio },
  'head-over-base': { title: 'head over base', format: formatNumber },
};

const MOST_NAMED = 3;

function answerOf(series: readonly HistorySeries[]): Answer {
  const about = '';
  const worse = series.flatMap((each) => {
    const last = each.changes.at(-1);
    return last?.isWorse === true ? [{ each, last }] : [];
  });
  if (worse.length > 0) {
    const texts = worse.map(({ each, last }) => `${each.name} ${sizeOf(last)} since ${dateOf(each, last.index)}`);
    const more = texts.length > MOST_NAMED ? [`${plural(texts.length - MOST_NAMED, 'other figure')}`] : [];
    return { about, statement: `Worse than before: ${list([...texts.slice(0, MOST_NAMED), ...more])}.`, because: '' };
  }
  if (!series.some(({ points }) => points.length >= FEWEST_RESULTS)) {
    const statement = 'Too few results to tell whether anything changed.';
    return { about, statement, because: `A figure takes ${FEWEST_RESULTS} of them.` };
  }
  const better = series.filter(({ changes }) => changes.length > 0).length;
  const because =
    better === 0 ? '' : `${plural(better, 'figure')} changed before, and the last change was for the better.`;
  return { about, statement: 'No figure is worse than before.', because };
}

function sizeOf({ before, after }: { readonly before: number; readonly after: number }): string {
  const ratio = after / before;
  return changeSize({ value: ratio, low: ratio, high: ratio }).replace(/ \(.*\)$/u, '');
}

function dateOf({ points }: HistorySeries, index: number): string {
  return (points[index]?.startedAt ?? '').slice(0, 10);
}

function changesTable(series: readonly HistorySeries[]) {
  return table(
    'Changes',
    [head('Figure'), head('Since'), right('Before'), right('After'), right('Change'), left('')],
    series.flatMap((each) =>
      each.changes.map((change, index): CellDraft[] => {
        const { format } = units[each.measure];
        const point = each.points[change.index];
        return [
          { text: each.name, repeated: index > 0 },
          { text: point === undefined ? '' : dateTime(point.startedAt), ...(point && { detail: point.source }) },
          { text: format(change.before) },
          { text: format(change.after) },
          { text: sizeOf(change) },
          { text: change.isWorse ? 'worse' : 'better', strong: change.isWorse },
        ];
      }),
    ),
  );
}

const MOST_TICKS = 8;

/** One after the other, at the same distance, with the mean between two changes as a dashed line. */
function chartOf(series: HistorySeries): ChartDescription {
  const { name, measure, points, changes } = series;
  const { title, format } = units[measure];
  const every = Math.ceil(points.length / MOST_TICKS);
  const measured = points.map(({ value, low, high, startedAt }, index): Point => {
    const interval = low === null || high === null ? {} : { low, high };
    return { x: index + 1, y: value, ...interval, text: `${format(value)} on ${dateTime(startedAt)}` };
  });
  const starts = [0, ...changes.map(({ index }) => index)];
  const means = starts.flatMap((start, part): Point[] => {
    const end = starts[part + 1] ?? points.length;
    const y = changes[part]?.before ?? changes.at(-1)?.after ?? null;
    const text = y === null ? '' : `mean ${format(y)}`;
    return [
      { x: start + 0.6, y, text },
      { x: end + 0.4, y, text },
      { x: end + 0.4, y: null, text: '' },
    ];
  });
  const line = { style: 0, inLegend: false, label: title, marks: true, points: measured };
  const reference = {
    label: 'mean',
    style: null,
    inLegend: false,
    marks: false,
    isReference: true as const,
    points: means,
  };
  return {
    id: fileNamePart(`history.${name}.${measure}`),
    title: chartName(name),
    subtitle: 'Bars: 95 % interval. Dashed: mean between two changes',
    alt: `${title} of ${plural(points.length, 'result')} over time. ${changes.length === 0 ? 'No change.' : `Changes: ${list(changes.map((change) => `${sizeOf(change)} on ${dateOf(series, change.index)}`))}.`}`,
    x: {
      ...linearAxis('Results, the oldest first', [points.length], formatNumber),
      from: 0.5,
      to: points.length + 0.5,
      ticks: points.flatMap(({ startedAt }, index) =>
        index % every === 0 ? [{ value: index + 1, label: startedAt.slice(0, 10) }] : [],
      ),
    },
    panels: [
      {
        y: yAxis(title, valuesOf([line, reference]), format),
        weight: 1,
        series: [line, ...(changes.length === 0 ? [] : [reference])],
        targets: [],
      },
    ],
    spans: [],
    moments: changes.map((change) => ({ at: change.index + 0.5, label: sizeOf(change) })),
  };
}

/** The JSON of `tierbench history --json`: times in seconds; `index` is the place in `points`, from 0. */
export function historyReport(series: readonly HistorySeries[]): string {
  return `${JSON.stringify({ schemaVersion: 1, series }, null, 2)}\n`;
}
