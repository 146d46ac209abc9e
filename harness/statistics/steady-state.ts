import { serialCorrelation } from './correlation.ts';
import { mean } from './sums.ts';

/**
 * How many observations to cut off the front so that the rest is steady: MSER-m, the cut that minimises the squared
 * standard error of the mean of what is left,
 *
 *     MSER(d) = sum over i > d of (Y_i - mean of Y_{d+1..k})^2 / (k - d)^2,
 *
 * over the means Y of batches of m observations (K. P. White, M. J. Cobb and S. C. Spratt, *A Comparison of Five Steady-State
 * Truncation Heuristics for Simulation*, Winter Simulation Conference 2000, with m = 5). The last `batchSize` batches
 * are no candidates, because few values are alike by chance. Observations that fill no batch are left out at the end.
 *
 * A cut of more than half of the observations means that no steady state was seen.
 */
export function steadyStateStart(observations: readonly number[], batchSize = 5): number {
  const batches = batchMeans(observations, batchSize);
  let best = { cut: 0, score: Number.POSITIVE_INFINITY };
  let sum = 0;
  let squares = 0;
  // Values are taken relative to the mean: sums of squares of large, similar numbers would cancel.
  const centre = mean(batches);
  for (let cut = batches.length - 1; cut >= 0; cut -= 1) {
    const value = (batches[cut] ?? 0) - centre;
    sum += value;
    squares += value * value;
    const left = batches.length - cut;
    const score = Math.max(0, squares - (sum * sum) / left) / (left * left);
    if (left >= 5 && score <= best.score) best = { cut, score };
  }
  return best.cut * batchSize;
}

function batchMeans(observations: readonly number[], batchSize: number): number[] {
  return Array.from({ length: Math.floor(observations.length / batchSize) }, (_, batch) =>
    mean(observations.slice(batch * batchSize, (batch + 1) * batchSize)),
  );
}

/** How alike neighbours are is looked for in parts of at least so many values, so many of them. */
const LEAST_IN_PART = 6;
const FEWEST_PARTS = 2;
const MOST_PARTS = 4;

/**
 * How surely values rise (above 0) or fall from one to the next, in standard deviations of what chance does: the trend
 * test of H. B. Mann, *Nonparametric tests against trend*, Econometrica 13, 1945, with the variance of M. G. Kendall, *Rank
 * Correlation Methods*, 1975. Only their order counts, so that a single extreme value says little.
 *
 * Neighbours that are alike make trends by chance: the variance is widened by (1 + r)/(1 - r), the first-order case of
 * K. H. Hamed and A. R. Rao, *A modified Mann-Kendall trend test for autocorrelated data*, Journal of Hydrology 204, 1998.
 * The correlation r is what is left within parts of the values when the parabola through each is taken off, so that the
 * trend itself is not taken for it. Where values stay alike for as long as a part, that is too little.
 */
export function trendScore(values: readonly number[]): number {
  const count = values.length;
  let rises = 0;
  for (const [index, value] of values.entries()) {
    for (const later of values.slice(index + 1)) rises += Math.sign(later - value);
  }
  if (rises === 0) return 0;
  const correlation = serialCorrelation(inParts(values).map(withoutParabola));
  const variance = ((count * (count - 1) * (2 * count + 5)) / 18) * ((1 + correlation) / (1 - correlation));
  return (Math.sign(rises) * (Math.abs(rises) - 1)) / Math.sqrt(variance);
}

function inParts(values: readonly number[]): readonly number[][] {
  const parts = Math.max(FEWEST_PARTS, Math.min(MOST_PARTS, Math.floor(values.length / LEAST_IN_PART)));
  const edge = (part: number) => Math.floor((part * values.length) / parts);
  return Array.from({ length: parts }, (_, part) => values.slice(edge(part), edge(part + 1)));
}

/** What is left of the values when the parabola through them, by least squares, is taken off. */
function withoutParabola(values: readonly number[]): readonly number[] {
  const middle = (values.length - 1) / 2;
  const line = values.map((_, index) => index - middle);
  const level = values.map(() => 1);
  const bend = without(
    level,
    line.map((at) => at ** 2),
  );
  // None of the three says anything of the others, so that each can be taken off by itself.
  return [level, line, bend].reduce((left: readonly number[], shape) => without(shape, left), values);
}

/** What is left of the values when as much of the shape as fits them best is taken off. */
function without(shape: readonly number[], values: readonly number[]): readonly number[] {
  const products = shape.reduce((sum, part, index) => sum + part * (values[index] ?? 0), 0);
  const squares = shape.reduce((sum, part) => sum + part * part, 0);
  const share = squares > 0 ? products / squares : 0;
  return values.map((value, index) => value - share * (shape[index] ?? 0));
}
