import { mean } from './mean.ts';

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
