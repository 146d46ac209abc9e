import type { ConcurrencyPoint } from '../core/measured-curve.ts';
import type { Estimate } from '../core/units.ts';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import { type Curve, estimateFrom, fitCurve, type Identified, identified } from './curve-fit.ts';
import { type Usl, uslPeakConcurrency, uslThroughputPerS } from './usl.ts';

/** How the sustained rate grows with instances. */
export interface InstancesFit {
  readonly lambdaPerS: Estimate;
  readonly sigma: Estimate;
  /** Null for three values, which leave nothing to tell contention from coherency by. */
  readonly kappa: Estimate | null;
  /** The number of instances with the highest rate. */
  readonly peak: Identified;
  readonly fitted: Usl;
}

const FEWEST = 3;
/** Three parameters pass through any three points. */
const FEWEST_FOR_COHERENCY = 4;
const REPLICATES = 300;

/**
 * The Universal Scalability Law through sustained rates over instances (`concurrency`), by relative least squares: starts of a
 * tier differ in proportion. Three values fit it without κ (Amdahl's law). Null for fewer. Without `replicates` estimates have
 * no interval.
 */
export function fitInstances(
  points: readonly Pick<ConcurrencyPoint, 'concurrency' | 'throughputPerS'>[],
  replicates = REPLICATES,
): InstancesFit | null {
  const counts = new Set(points.map(({ concurrency }) => concurrency));
  if (counts.size < FEWEST) return null;
  const hasCoherency = counts.size >= FEWEST_FOR_COHERENCY;
  const perOne = Math.max(...points.map(({ concurrency, throughputPerS }) => throughputPerS / concurrency));
  const parameters = hasCoherency ? 3 : 2;
  const curve: Curve = {
    at: (values, instances) => uslThroughputPerS(uslOf(values), instances),
    bounds: (
      [
        [perOne * 1e-6, perOne * 1e3],
        [0, 1],
        [0, 1],
      ] as const
    ).slice(0, parameters),
    starts: [
      [perOne, 0.01, 1e-3],
      [perOne, 0.2, 1e-2],
    ].map((start) => start.slice(0, parameters)),
  };
  const fit = fitCurve(
    points.map(({ concurrency, throughputPerS }) => ({ x: concurrency, y: throughputPerS })),
    [curve],
    { noise: 'relative', random: seededRandom(1), replicates },
  );
  const estimate = (value: (model: Usl) => number) => estimateFrom(fit, (each) => value(uslOf(each.parameters)));
  return {
    lambdaPerS: estimate(({ lambdaPerS }) => lambdaPerS),
    sigma: estimate(({ sigma }) => sigma),
    kappa: hasCoherency ? estimate(({ kappa }) => kappa) : null,
    peak: identified(estimate(uslPeakConcurrency), Math.max(...counts)),
    fitted: uslOf(fit.parameters),
  };
}

function uslOf([lambdaPerS = 0, sigma = 0, kappa = 0]: readonly number[]): Usl {
  return { lambdaPerS, sigma, kappa };
}
