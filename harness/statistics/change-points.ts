import { studentTBeyond } from './student-t.ts';
import { mean } from './sums.ts';

/**
 * Where a series of figures changes for good: E-divisive means (Matteson and James, Journal of the American Statistical
 * Association 109, 2014) with Student's t-test and merging, as Hunter does (Fleming et al., ICPE 2023) and Apache Otava,
 * whose published examples are the tests. There is no randomness in it.
 */

export interface ChangePoint {
  /** Of the first value after the change. */
  readonly index: number;
  /** Probability that both sides have the same mean. */
  readonly pValue: number;
  /** Means of the values from the change before to this one, and from this one to the next. */
  readonly before: number;
  readonly after: number;
}

export interface ChangePointOptions {
  /** A change is kept where it would be by chance with less than this probability. */
  readonly pValue?: number;
  /** The least change, as a share of the smaller of both means. */
  readonly smallestRatio?: number;
  /** How many values are looked at together. */
  readonly window?: number;
}

export function changePoints(
  series: readonly number[],
  { pValue = 0.001, smallestRatio = 0, window = 50 }: ChangePointOptions = {},
): readonly ChangePoint[] {
  // More candidates than would stand: some of them stand once their neighbours are merged.
  const firstPValue = pValue < 0.05 ? 10 * pValue : pValue < 0.5 ? 2 * pValue : pValue;
  return merged(series, candidates(series, firstPValue, window), pValue, smallestRatio);
}

/** In windows that overlap by half, or begin at the last change. */
function candidates(series: readonly number[], pValue: number, window: number): readonly number[] {
  const found = new Set<number>();
  const step = Math.floor(window / 2);
  let start = 0;
  while (start < series.length) {
    const own = splits(series.slice(start, start + window), pValue).map((index) => start + index);
    for (const index of own) found.add(index);
    start = Math.max(own.at(-1) ?? 0, start + step);
  }
  return [...found].toSorted((one, other) => one - other);
}

/** Splits at the most different of all splits of all intervals, as long as the difference is significant. Ascending. */
function splits(series: readonly number[], pValue: number): readonly number[] {
  const distances = summedDistances(series);
  const indexes: number[] = [];
  for (;;) {
    const ends = [0, ...indexes, series.length];
    const best = ends
      .slice(1)
      .flatMap((end, interval) => bestSplit(distances, ends[interval] ?? 0, end) ?? [])
      .reduce<Split | undefined>(
        (most, each) => (most === undefined || each.size > most.size ? each : most),
        undefined,
      );
    if (best === undefined) return indexes;
    if (changeAt(series, [...indexes, best.index].toSorted(ascending), best.index).pValue > pValue) return indexes;
    indexes.push(best.index);
    indexes.sort(ascending);
  }
}

interface Split {
  readonly index: number;
  readonly size: number;
}

type Sums = readonly Float64Array[];

/** The largest difference between values from `start` to an index and those from it to an end: the energy statistic. */
function bestSplit(distances: Sums, start: number, end: number): Split | undefined {
  let best: Split | undefined;
  for (let index = start + 1; index < end; index += 1) {
    const before = index - start;
    const withinBefore = rectangle(distances, start, index, start, index) / 2;
    for (let last = index + 1; last <= end; last += 1) {
      const after = last - index;
      const withinAfter = rectangle(distances, index, last, index, last) / 2;
      const between = rectangle(distances, start, index, index, last);
      const size =
        (2 / (before + after)) *
        (between -
          (before > 1 ? (after / (before - 1)) * withinBefore : 0) -
          (after > 1 ? (before / (after - 1)) * withinAfter : 0));
      if (best === undefined || size > best.size) best = { index, size };
    }
  }
  return best;
}

/** Distances of all pairs, summed up to each row and column, so that any rectangle takes four of them. */
function summedDistances(series: readonly number[]): Sums {
  const rows = [new Float64Array(series.length + 1)];
  for (const value of series) {
    const above = rows.at(-1) ?? new Float64Array();
    const row = new Float64Array(series.length + 1);
    let sum = 0;
    for (const [column, other] of series.entries()) {
      sum += Math.abs(value - other);
      row[column + 1] = (above[column + 1] ?? 0) + sum;
    }
    rows.push(row);
  }
  return rows;
}

function rectangle(sums: Sums, top: number, bottom: number, left: number, right: number): number {
  const at = (row: number, column: number) => sums[row]?.[column] ?? 0;
  return at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
}

/**
 * Takes the weakest away until all are significant and large enough. As in Otava the two changes that follow the one taken
 * away are judged anew, and the one before it is not: its published results depend on that.
 */
function merged(
  series: readonly number[],
  found: readonly number[],
  pValue: number,
  smallestRatio: number,
): readonly ChangePoint[] {
  let indexes = found;
  let changes = indexes.map((index) => changeAt(series, indexes, index));
  for (;;) {
    const weakest = least(changes, (change) => -change.pValue);
    const smallest = least(changes, sizeOf);
    if (weakest === undefined || smallest === undefined) return [];
    const removed = weakest.pValue >= pValue ? weakest : sizeOf(smallest) <= smallestRatio ? smallest : undefined;
    if (removed === undefined) return indexes.map((index) => changeAt(series, indexes, index));
    const place = changes.indexOf(removed);
    indexes = indexes.toSpliced(place, 1);
    changes = changes
      .toSpliced(place, 1)
      .map((each, at) => (at === place || at === place + 1 ? changeAt(series, indexes, each.index) : each));
  }
}

function least(changes: readonly ChangePoint[], of: (change: ChangePoint) => number): ChangePoint | undefined {
  return changes.reduce<ChangePoint | undefined>(
    (most, each) => (most === undefined || of(each) < of(most) ? each : most),
    undefined,
  );
}

/** Up or down, as a share of the smaller mean; 0 where one is 0. */
function sizeOf({ before, after }: ChangePoint): number {
  return Math.max(before === 0 ? 0 : Math.abs(after / before - 1), after === 0 ? 0 : Math.abs(before / after - 1));
}

/** `indexes`, ascending, hold `index`. Student's t-test with the deviations of a population, as Otava takes it. */
function changeAt(series: readonly number[], indexes: readonly number[], index: number): ChangePoint {
  const place = indexes.indexOf(index);
  const left = series.slice(indexes[place - 1] ?? 0, index);
  const right = series.slice(index, indexes[place + 1]);
  const [before, after] = [mean(left), mean(right)];
  const degrees = left.length + right.length - 2;
  if (degrees === 0) return { index, before, after, pValue: 1 };
  const spread = ((left.length - 1) * spreadOf(left) + (right.length - 1) * spreadOf(right)) / degrees;
  const error = Math.sqrt(spread * (1 / left.length + 1 / right.length));
  const pValue = before === after ? 1 : studentTBeyond(Math.abs(before - after) / error, degrees);
  return { index, before, after, pValue };
}

function spreadOf(values: readonly number[]): number {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
}

function ascending(one: number, other: number): number {
  return one - other;
}
