import { type ChangePoint, changePoints } from '../harness/statistics/change-points.ts';
import type { PipelineResult, PipelineValue } from './pipeline.ts';

/** Results over time: a series for each figure, and where it changed for good. */

export interface HistorySeries extends Pick<PipelineValue, 'name' | 'measure'> {
  readonly points: readonly HistoryPoint[];
  readonly changes: readonly HistoryChange[];
}

export interface HistoryPoint extends Pick<PipelineValue, 'value' | 'low' | 'high'> {
  readonly startedAt: string;
  readonly source: string;
  readonly machine: string;
}

export interface HistoryChange extends ChangePoint {
  readonly isWorse: boolean;
}

/** A result, where it lies, and what it was measured on. */
export interface KeptResult {
  readonly source: string;
  readonly machine: string;
  readonly result: Pick<PipelineResult, 'startedAt' | 'values'>;
}

/** As few as the published examples have on one side of a change, twice. */
export const FEWEST_RESULTS = 6;
/** Smaller changes are not worth a look, and another start of the system may differ by as much. */
export const SMALLEST_CHANGE = 0.05;
const P_VALUE = 0.001;

/** In the order of their time. Of a gate only ratios of head to base, which the machine does not change. */
export function historyOf(results: readonly KeptResult[]): readonly HistorySeries[] {
  const ordered = results.toSorted(
    (one, other) => Date.parse(one.result.startedAt) - Date.parse(other.result.startedAt),
  );
  const all = ordered.flatMap(({ source, machine, result: { startedAt, values } }) => {
    const ratios = values.filter(({ measure }) => measure === 'head-over-base');
    return (ratios.length > 0 ? ratios : values).map((value) => ({ ...value, startedAt, source, machine }));
  });
  return [...Map.groupBy(all, ({ name, measure }) => JSON.stringify([name, measure])).values()].flatMap((points) => {
    const [first] = points;
    if (first === undefined) return [];
    const { name, measure } = first;
    const series = points.map(({ value }) => value);
    const found =
      series.length < FEWEST_RESULTS ? [] : changePoints(series, { pValue: P_VALUE, smallestRatio: SMALLEST_CHANGE });
    const changes = found.map((change) => ({ ...change, isWorse: isWorse(measure, change) }));
    return [{ name, measure, points, changes }];
  });
}

function isWorse(measure: PipelineValue['measure'], { before, after }: ChangePoint): boolean {
  return measure === 'throughput' ? after < before : after > before;
}

/** Worse: the last change of a series is one, so that it is still so. */
export function historyVerdict(series: readonly HistorySeries[]): 'met' | 'missed' | 'inconclusive' {
  if (series.some(({ changes }) => changes.at(-1)?.isWorse === true)) return 'missed';
  return series.some(({ points }) => points.length >= FEWEST_RESULTS) ? 'met' : 'inconclusive';
}
