import type { Estimate } from '../core/units.ts';
import { studentT95 } from '../statistics/student-t.ts';
import { sum } from '../statistics/sums.ts';
import { dot, solve } from './least-squares.ts';

/** What a service used while requests of each step were answered. */
export interface StepUsage {
  /** The name of a step -> requests per second. */
  readonly ratesPerS: ReadonlyMap<string, number>;
  /** CPU seconds per second, without what is used in idleness. */
  readonly usedPerS: number;
}

export interface StepDemand {
  /** Several where they come in the same proportion in all trials, so that nothing tells them apart. */
  readonly steps: readonly string[];
  /** Seconds for one request of any of them; null where the trials do not tell. */
  readonly estimate: Estimate | null;
}

/** Shares that differ by less than this angle are the same: random choices of users make so much of a difference. */
const SAME_PROPORTION_COSINE = 0.998;
/** An interval that reaches further from its value, as a share of it, says nothing. */
const WIDEST_RATIO = 0.5;

/**
 * The demand of each step by least squares over trials of different scenarios: used = Σ rate × demand. Each trial is
 * scaled to a used share of 1, since errors grow with it. A step has a demand of its own only where its 95 % interval (Student's t)
 * stays within half of its value: where scenarios are too alike, or fewer than the steps, it is not.
 */
export function stepDemands(trials: readonly StepUsage[]): readonly StepDemand[] {
  const working = trials.filter(({ usedPerS }) => usedPerS > 0);
  const names = [...new Set(working.flatMap(({ ratesPerS }) => [...ratesPerS.keys()]))];
  const columns = names.map((name) => ({
    steps: [name],
    values: working.map(({ ratesPerS, usedPerS }) => (ratesPerS.get(name) ?? 0) / usedPerS),
  }));
  const groups: { steps: string[]; values: number[] }[] = [];
  for (const column of columns.filter(({ values }) => sum(values) > 0)) {
    const same = groups.find(({ values }) => cosine(values, column.values) > SAME_PROPORTION_COSINE);
    if (same === undefined) groups.push(column);
    else {
      same.steps.push(...column.steps);
      same.values = same.values.map((value, index) => value + (column.values[index] ?? 0));
    }
  }
  const fitted = leastSquares(groups.map(({ values }) => values));
  return groups.map(({ steps }, index) => ({ steps, estimate: fitted?.[index] ?? null }));
}

function cosine(one: readonly number[], other: readonly number[]): number {
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}

/** Of Σ column × coefficient = 1. Null for each that is not known; for all where there are too few rows. */
function leastSquares(columns: readonly (readonly number[])[]): readonly (Estimate | null)[] | null {
  const rows = columns[0]?.length ?? 0;
  const freedom = rows - columns.length;
  if (freedom < 1) return null;
  const products = columns.map((one) => columns.map((other) => dot(one, other)));
  const coefficients = solve(
    products,
    columns.map((column) => sum(column)),
  );
  const residuals = Array.from({ length: rows }, (_, row) => {
    return 1 - sum(columns.map((column, index) => (column[row] ?? 0) * (coefficients[index] ?? 0)));
  });
  const variance = dot(residuals, residuals) / freedom;
  return coefficients.map((value, index) => {
    // The diagonal of the inverse of the products: how much of the variance is in this coefficient.
    const unit = columns.map((_, other) => (other === index ? 1 : 0));
    const margin = studentT95(freedom) * Math.sqrt(variance * (solve(products, unit)[index] ?? 0));
    return value > 0 && margin <= WIDEST_RATIO * value ? { value, low: value - margin, high: value + margin } : null;
  });
}
