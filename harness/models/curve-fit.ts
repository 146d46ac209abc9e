import type { Estimate } from '../core/units.ts';
import type { Random } from '../statistics/block-bootstrap.ts';
import { normalAtMost, studentT95 } from '../statistics/student-t.ts';
import { mean } from '../statistics/sums.ts';
import { leastSquares } from './least-squares.ts';

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

/** A curve y(x) with parameters within bounds, and where to start looking for them. */
export interface Curve {
  readonly at: (parameters: readonly number[], x: number) => number;
  readonly bounds: readonly (readonly [low: number, high: number])[];
  readonly starts: readonly (readonly number[])[];
}

/** `relative`: larger values have larger errors, so that logarithms are compared. */
export type Noise = 'absolute' | 'relative';

export interface FittedCurve<Kind extends Curve = Curve> {
  /** Of the curves that were given, the one with the least squares. */
  readonly curve: Kind;
  readonly parameters: readonly number[];
}

export interface CurveFit<Kind extends Curve = Curve> extends FittedCurve<Kind> {
  readonly squares: number;
  /** Root mean square of measured over fitted, minus 1. */
  readonly relativeError: number;
  /** The fits to resampled data. */
  readonly replicates: readonly FittedCurve<Kind>[];
  readonly degreesOfFreedom: number;
}

/** A sum of squares of n points changes by 1/n of itself within what chance does: less need not be looked for. */
const GAIN_OF_REPLICATES = 1e-4;

/**
 * The curve that is nearest to the points, and what it might have been: residuals are drawn with replacement, added to the
 * fitted curve, and fitted again (B. Efron and R. Tibshirani, *An Introduction to the Bootstrap*, 1993, section 9.4). They
 * are enlarged by √(n/(n − p)), since the fit has made them smaller than the errors. Needs more points than parameters.
 * `nearby` says which curves a replicate may take, where there are many; all of them unless given.
 */
export function fitCurve<Kind extends Curve>(
  points: readonly CurvePoint[],
  curves: readonly Kind[],
  options: {
    readonly noise: Noise;
    readonly random: Random;
    readonly replicates: number;
    readonly nearby?: (curve: Kind) => readonly Kind[];
  },
): CurveFit<Kind> {
  const { noise, random, nearby = () => curves } = options;
  const scaled = noise === 'relative' ? Math.log : (value: number) => value;
  const measured = points.map(({ y }) => scaled(y));
  const valuesOf = ({ curve, parameters }: FittedCurve) => points.map(({ x }) => scaled(curve.at(parameters, x)));
  const best = bestFit(points, measured, curves, scaled, 1e-14);
  const fitted = valuesOf(best);
  const freedom = Math.max(1, points.length - best.parameters.length);
  const residuals = measured.map((value, index) => value - (fitted[index] ?? 0));
  const centre = mean(residuals);
  const enlarged = residuals.map((value) => (value - centre) * Math.sqrt(points.length / freedom));
  const replicates = Array.from({ length: options.replicates }, () => {
    const drawn = fitted.map((value) => value + (enlarged[Math.floor(random() * enlarged.length)] ?? 0));
    const started = nearby(best.curve).map((curve) => ({ ...curve, starts: [best.parameters] }));
    const { curve, parameters } = bestFit(points, drawn, started, scaled, GAIN_OF_REPLICATES);
    return { curve, parameters };
  });
  const errors = points.map(({ x, y }) => y / best.curve.at(best.parameters, x) - 1);
  return {
    ...best,
    relativeError: Math.sqrt(mean(errors.map((error) => error ** 2))),
    replicates,
    degreesOfFreedom: freedom,
  };
}

function bestFit<Kind extends Curve>(
  points: readonly CurvePoint[],
  measured: readonly number[],
  curves: readonly Kind[],
  scaled: (value: number) => number,
  smallestGain: number,
): FittedCurve<Kind> & { readonly squares: number } {
  const fits = curves.flatMap((curve) =>
    curve.starts.map((start) => ({
      curve,
      ...leastSquares({
        residuals: (parameters) =>
          points.map(({ x }, index) => (measured[index] ?? 0) - scaled(curve.at(parameters, x))),
        start,
        bounds: curve.bounds,
        smallestGain,
      }),
    })),
  );
  const [first, ...others] = fits;
  if (first === undefined) throw new RangeError('fitCurve needs a curve with a start');
  return others.reduce((best, each) => (each.squares < best.squares ? each : best), first);
}

/**
 * What follows from a fit, with the two-sided 95 % interval of the replicates. Its tails are those of Student's t, since
 * few points show little of their errors. Ends may be infinite.
 */
export function estimateFrom<Kind extends Curve>(
  fit: CurveFit<Kind>,
  value: (fitted: FittedCurve<Kind>) => number,
): Estimate {
  const sorted = fit.replicates.map(value).toSorted((one, other) => (one < other ? -1 : one > other ? 1 : 0));
  const tail = 1 - normalAtMost(studentT95(fit.degreesOfFreedom));
  const own = value(fit);
  const low = sorted[Math.floor(tail * (sorted.length - 1))] ?? own;
  const high = sorted[Math.ceil((1 - tail) * (sorted.length - 1))] ?? own;
  return { value: own, low: Math.min(own, low), high: Math.max(own, high) };
}

/**
 * Extrapolation is unstable: a value of the load axis is identified when its whole interval lies within what was measured
 * and a fifth more. Of any other value a lower bound is known, at most the largest load that was measured.
 */
export type Identified =
  | { readonly kind: 'identified'; readonly estimate: Estimate }
  | { readonly kind: 'not-identified'; readonly atLeast: number };

const BEYOND_DATA = 1.2;

export function identified(estimate: Estimate, largestMeasured: number): Identified {
  return estimate.high <= BEYOND_DATA * largestMeasured
    ? { kind: 'identified', estimate }
    : { kind: 'not-identified', atLeast: Math.min(estimate.low, largestMeasured) };
}
