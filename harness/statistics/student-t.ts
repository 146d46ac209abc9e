// prettier-ignore
const twoSided95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086,
];

/**
 * The two-sided 95 % point of Student's t: P(|T| > t) = 0.05. From 1 degree of freedom on; above 20 the value for
 * 20, which is a little too large and so errs towards wide intervals. Any table has them (NIST/SEMATECH e-Handbook, 1.3.6.7.2).
 */
export function studentT95(degreesOfFreedom: number): number {
  return twoSided95[Math.min(degreesOfFreedom, twoSided95.length) - 1] ?? Number.POSITIVE_INFINITY;
}

/**
 * P(|T| > t) of Student's t, for t >= 0 and any degrees of freedom above 0: the regularised incomplete beta function
 * I(x; df/2, 1/2) at x = df/(df + t^2) (NIST Digital Library of Mathematical Functions, 8.17).
 */
export function studentTBeyond(t: number, degreesOfFreedom: number): number {
  if (t === 0) return 1;
  if (!Number.isFinite(t)) return 0;
  const x = degreesOfFreedom / (degreesOfFreedom + t * t);
  return Math.min(1, Math.max(0, regularisedBeta(x, degreesOfFreedom / 2, 0.5)));
}

/** The t that is exceeded with this probability (one side, up to 0.5): P(T > t) = probability. */
export function studentTQuantile(probability: number, degreesOfFreedom: number): number {
  let low = 0;
  let high = 1;
  while (studentTBeyond(high, degreesOfFreedom) > 2 * probability && high < 1e12) high *= 2;
  for (let step = 0; step < 100; step += 1) {
    const middle = (low + high) / 2;
    if (studentTBeyond(middle, degreesOfFreedom) > 2 * probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** By its continued fraction (NIST DLMF 8.17.22), which converges quickly below the mean; above it by symmetry. */
function regularisedBeta(x: number, a: number, b: number): number {
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  let numerator = 1;
  let denominator = 1 / (1 - ((a + b) * x) / (a + 1));
  let fraction = denominator;
  for (let m = 1; m < 300; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    denominator = 1 / (1 + even * denominator);
    numerator = 1 + even / numerator;
    fraction *= denominator * numerator;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / (1 + odd * denominator);
    numerator = 1 + odd / numerator;
    const step = denominator * numerator;
    fraction *= step;
    if (Math.abs(step - 1) < 1e-15) break;
  }
  return front * fraction;
}

/** ln(Gamma(x)) for x > 0: Stirling's series (NIST DLMF 5.11.1), from 10 on exact to 12 digits. */
function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  const square = x * x;
  const series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / square) / square) / square) / x;
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
}

/** P(Z <= x) of a standard normal Z: G. Marsaglia, *Evaluating the Normal Distribution*, Journal of Statistical Software 11(4), 2004. */
export function normalAtMost(x: number): number {
  if (x < 0) return 1 - normalAtMost(-x);
  if (x > 8) return 1;
  let term = x;
  let total = x;
  for (let divisor = 3; term > 1e-17; divisor += 2) {
    term *= (x * x) / divisor;
    total += term;
  }
  return 0.5 + (total * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
