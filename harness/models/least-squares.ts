import { sum } from '../statistics/sums.ts';

/** What is minimised and where a minimum is looked for. */
export interface LeastSquaresProblem {
  /** Measured minus modelled, one for each observation. An infinite or undefined residual makes a point unacceptable. */
  readonly residuals: (parameters: readonly number[]) => readonly number[];
  readonly start: readonly number[];
  /** Lowest and highest value of each parameter. */
  readonly bounds: readonly (readonly [low: number, high: number])[];
  /** A step that improves the sum of squares by less than this share ends the search. */
  readonly smallestGain?: number;
}

export interface LeastSquaresFit {
  readonly parameters: readonly number[];
  /** The residual sum of squares. */
  readonly squares: number;
}

const MOST_STEPS = 500;
/** Of a parameter, for central differences: the cube root of the precision of a number balances both of their errors. */
const DIFFERENCE = Math.cbrt(Number.EPSILON);

/**
 * Least squares within bounds: the method of Levenberg and Marquardt (D. W. Marquardt, *An Algorithm for Least-Squares
 * Estimation of Nonlinear Parameters*, SIAM Journal 11, 1963), damped in the scale of each parameter (J. J. Moré, *The
 * Levenberg-Marquardt Algorithm*, 1978), each step projected into the bounds. A parameter that lies at a bound and would
 * leave it stays there and is left out of the step. It finds the minimum that is downhill from `start`.
 */
export function leastSquares({ residuals, start, bounds, smallestGain = 1e-14 }: LeastSquaresProblem): LeastSquaresFit {
  const within = (parameters: readonly number[]) =>
    parameters.map((value, index) => {
      const [low, high] = bounds[index] ?? [-Infinity, Infinity];
      return Math.min(Math.max(value, low), high);
    });
  let parameters = within(start);
  let now = residuals(parameters);
  let squares = sumOfSquares(now);
  let damping = 1e-3;
  const scales = parameters.map(() => 0);
  for (let step = 0; step < MOST_STEPS && squares > 0; step += 1) {
    const slopes = parameters.map((_, index) => slopesOf(residuals, parameters, index, bounds[index]));
    const downhill = slopes.map((slope) => -dot(slope, now));
    for (const [index, slope] of slopes.entries()) scales[index] = Math.max(scales[index] ?? 0, dot(slope, slope));
    const free = parameters.flatMap((value, index) => {
      const [low, high] = bounds[index] ?? [-Infinity, Infinity];
      const leaves = (value <= low && (downhill[index] ?? 0) < 0) || (value >= high && (downhill[index] ?? 0) > 0);
      return leaves || !((scales[index] ?? 0) > 0) ? [] : [index];
    });
    const better = improve();
    if (better === null) break;
    const gain = (squares - better.squares) / squares;
    [parameters, now, squares] = [better.parameters, better.residuals, better.squares];
    if (gain < smallestGain) break;

    /** Shortens the step until it goes down; null where no step does. */
    function improve() {
      for (; damping < 1e18; damping *= 4) {
        const matrix = free.map((row) =>
          free.map((column) => {
            const product = dot(slopes[row] ?? [], slopes[column] ?? []);
            return row === column ? product + damping * (scales[row] ?? 0) : product;
          }),
        );
        const change = solve(
          matrix,
          free.map((index) => downhill[index] ?? 0),
        );
        const next = within(parameters.map((value, index) => value + (change[free.indexOf(index)] ?? 0)));
        const nextResiduals = residuals(next);
        const nextSquares = sumOfSquares(nextResiduals);
        if (nextSquares < squares) {
          damping = Math.max(damping / 9, 1e-15);
          return { parameters: next, residuals: nextResiduals, squares: nextSquares };
        }
      }
      return null;
    }
  }
  return { parameters, squares };
}

/** How each residual changes with one parameter: central differences, one-sided at a bound. */
function slopesOf(
  residuals: LeastSquaresProblem['residuals'],
  parameters: readonly number[],
  index: number,
  [low, high]: readonly [number, number] = [-Infinity, Infinity],
): readonly number[] {
  const value = parameters[index] ?? 0;
  const distance = DIFFERENCE * (Math.abs(value) || 1e-3);
  const above = Math.min(value + distance, high);
  const below = Math.max(value - distance, low);
  const [up, down] = [above, below].map((each) => residuals(parameters.with(index, each)));
  return (up ?? []).map((each, row) => (each - (down?.[row] ?? 0)) / (above - below));
}

/** Gaussian elimination with partial pivoting; zeros for a singular system. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): readonly number[] {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column += 1) {
    const pivot = rows
      .slice(column)
      .toSorted((one, other) => Math.abs(other[column] ?? 0) - Math.abs(one[column] ?? 0))[0];
    if (pivot === undefined || !(Math.abs(pivot[column] ?? 0) > 0)) return right.map(() => 0);
    const place = rows.indexOf(pivot);
    [rows[column], rows[place]] = [pivot, rows[column] ?? pivot];
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = (row[column] ?? 0) / (pivot[column] ?? 1);
      for (let each = column; each <= size; each += 1) row[each] = (row[each] ?? 0) - factor * (pivot[each] ?? 0);
    }
  }
  return rows.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
}

export function dot(one: readonly number[], other: readonly number[]): number {
  let total = 0;
  for (const [index, value] of one.entries()) total += value * (other[index] ?? 0);
  return total;
}

/** Infinite where any residual is not a number. */
function sumOfSquares(values: readonly number[]): number {
  const total = sum(values.map((value) => value ** 2));
  return Number.isNaN(total) ? Number.POSITIVE_INFINITY : total;
}
