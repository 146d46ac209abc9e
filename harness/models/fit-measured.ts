import type { ConcurrencyPoint, MeasuredCurve, RatePoint } from '../core/measured-curve.ts';
import type { Estimate } from '../core/units.ts';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import {
  type Curve,
  type CurveFit,
  estimateFrom,
  fitCurve,
  type Identified,
  identified,
  type Noise,
} from './curve-fit.ts';
import { type Queue, responseQuantileS } from './queueing.ts';
import { type Usl, uslConcurrencyAtThroughput, uslLimitPerS, uslPeakConcurrency, uslThroughputPerS } from './usl.ts';

/**
 * Which model is used for what: the Universal Scalability Law for throughput over concurrency, a queue with several servers
 * for p95 over the arrival rate.
 */

export interface FitOptions {
  /** Of throughput. Latencies always vary in proportion to their size. */
  readonly noise: Noise;
  /** The p95 latency whose arrival rate is asked for; null where none is. */
  readonly targetP95S: number | null;
  readonly seed: number;
}

export type ModelFit = ScalabilityFit | QueueFit | NoFit;

export interface ScalabilityFit {
  readonly model: 'usl';
  readonly name: string;
  readonly points: readonly ConcurrencyPoint[];
  readonly lambdaPerS: Estimate;
  readonly sigma: Estimate;
  readonly kappa: Estimate;
  /** The residual sum of squares: of throughput, or of its logarithm where the noise is relative. */
  readonly squares: number;
  /** How far measured values are off the curve: the root mean square. */
  readonly relativeError: number;
  /** The concurrency of the highest throughput. */
  readonly peak: Identified;
  /** That throughput. Not identified: the highest that was measured. */
  readonly peakPerS: Identified;
  /** Where 95 % of it is reached: more users gain little. Null where the peak is not identified. */
  readonly enough: Estimate | null;
  readonly fitted: Usl;
}

export interface QueueFit {
  readonly model: 'queue';
  readonly name: string;
  readonly points: readonly RatePoint[];
  readonly serviceS: Estimate;
  readonly variation: Estimate;
  readonly servers: Estimate;
  readonly relativeError: number;
  /** Requests per second at which the queue grows without end. */
  readonly capacityPerS: Identified;
  /** The highest arrival rate within the target. Null where no target was given, or nothing is within it. */
  readonly withinTargetPerS: Identified | null;
  readonly targetP95S: number | null;
  readonly fitted: Queue;
}

/** Why there is no fit. */
export interface NoFit {
  readonly model: null;
  readonly name: string;
  readonly points: MeasuredCurve['points'];
  readonly kind: MeasuredCurve['kind'];
  readonly why: { readonly code: 'too-few-loads'; readonly loads: number; readonly needed: number };
}

/** Three parameters can be bent through any three points; as many again show how well they fit. */
const FEWEST_LOADS = 6;
/** More than this off, and the model says little about the system. */
export const POOR_FIT = 0.2;
const USL_REPLICATES = 500;
const QUEUE_REPLICATES = 200;

/** Points may come in any order, and several at the same load. */
export function fitMeasured(curve: MeasuredCurve, options: FitOptions): ModelFit {
  const loads = new Set(
    curve.kind === 'rate'
      ? curve.points.map(({ ratePerS }) => ratePerS)
      : curve.points.map(({ concurrency }) => concurrency),
  );
  if (loads.size < FEWEST_LOADS) {
    const why = { code: 'too-few-loads', loads: loads.size, needed: FEWEST_LOADS } as const;
    return { model: null, name: curve.name, points: curve.points, kind: curve.kind, why };
  }
  return curve.kind === 'rate'
    ? fitQueue(curve.name, curve.points, options)
    : fitScalability(curve.name, curve.points, options);
}

function fitScalability(name: string, measured: readonly ConcurrencyPoint[], options: FitOptions): ScalabilityFit {
  const points = measured.toSorted((one, other) => one.concurrency - other.concurrency);
  const perUser = Math.max(...points.map(({ concurrency, throughputPerS }) => throughputPerS / concurrency));
  const curve: Curve = {
    at: (parameters, concurrency) => uslThroughputPerS(uslOf(parameters), concurrency),
    bounds: [
      [perUser * 1e-9, perUser * 1e3],
      [0, 1],
      [0, 1],
    ],
    starts: [
      [perUser, 0.01, 1e-4],
      [perUser, 0.1, 1e-2],
      [perUser, 0, 0],
    ],
  };
  const fit = fitCurve(
    points.map(({ concurrency, throughputPerS }) => ({ x: concurrency, y: throughputPerS })),
    [curve],
    { noise: options.noise, random: seededRandom(options.seed), replicates: USL_REPLICATES },
  );
  const estimate = (value: (model: Usl) => number) => estimateFrom(fit, ({ parameters }) => value(uslOf(parameters)));
  const largest = Math.max(...points.map(({ concurrency }) => concurrency));
  const peak = identified(estimate(uslPeakConcurrency), largest);
  const isKnown = peak.kind === 'identified';
  return {
    model: 'usl',
    name,
    points,
    lambdaPerS: estimate(({ lambdaPerS }) => lambdaPerS),
    sigma: estimate(({ sigma }) => sigma),
    kappa: estimate(({ kappa }) => kappa),
    squares: fit.squares,
    relativeError: fit.relativeError,
    peak,
    peakPerS: isKnown
      ? { kind: 'identified', estimate: estimate(uslLimitPerS) }
      : { kind: 'not-identified', atLeast: Math.max(...points.map(({ throughputPerS }) => throughputPerS)) },
    enough: isKnown ? estimate(concurrencyNearPeak) : null,
    fitted: uslOf(fit.parameters),
  };
}

function uslOf([lambdaPerS = 0, sigma = 0, kappa = 0]: readonly number[]): Usl {
  return { lambdaPerS, sigma, kappa };
}

const NEAR_PEAK = 0.95;

function concurrencyNearPeak(model: Usl): number {
  return uslConcurrencyAtThroughput(model, NEAR_PEAK * uslLimitPerS(model)) ?? uslPeakConcurrency(model);
}

/** So many servers are tried; between them the curves are nearly alike. */
const serverCounts = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
/** Beyond this a few requests decide p95, and the model has nothing to say. */
const LARGEST_VARIATION = 4;
const P95 = 0.95;

interface QueueCurve extends Curve {
  readonly servers: number;
}

function fitQueue(name: string, measured: readonly RatePoint[], options: FitOptions): QueueFit {
  const points = measured.toSorted((one, other) => one.ratePerS - other.ratePerS);
  const highestPerS = points.at(-1)?.ratePerS ?? 0;
  const lowestP95S = Math.min(...points.map(({ p95S }) => p95S));
  const curves = serverCounts.map((servers): QueueCurve => {
    // All that was measured was served, so that it is less than the capacity.
    const longestS = (0.9999 * servers) / highestPerS;
    return {
      servers,
      at: ([meanServiceS = 0, variation = 0], ratePerS) =>
        responseQuantileS({ servers, meanServiceS, variation }, ratePerS, P95),
      bounds: [
        [Math.min(lowestP95S, longestS) * 1e-6, longestS],
        [0, LARGEST_VARIATION],
      ],
      starts: [[Math.min(lowestP95S / 2, 0.95 * longestS), 0.7]],
    };
  });
  const fit = fitCurve(
    points.map(({ ratePerS, p95S }) => ({ x: ratePerS, y: p95S })),
    curves,
    {
      noise: 'relative',
      random: seededRandom(options.seed),
      replicates: QUEUE_REPLICATES,
      nearby: (curve) => curves.filter((_, index) => Math.abs(index - curves.indexOf(curve)) <= 1),
    },
  );
  const estimate = (value: (queue: Queue) => number) =>
    estimateFrom(fit, ({ curve, parameters }) => value(queueOf(curve, parameters)));
  const { targetP95S } = options;
  return {
    model: 'queue',
    name,
    points,
    serviceS: estimate(({ meanServiceS }) => meanServiceS),
    variation: estimate(({ variation }) => variation),
    servers: estimate(({ servers }) => servers),
    relativeError: fit.relativeError,
    capacityPerS: identified(estimate(capacityOf), highestPerS),
    withinTargetPerS: targetP95S === null ? null : withinTarget(fit, targetP95S, highestPerS),
    targetP95S,
    fitted: queueOf(fit.curve, fit.parameters),
  };
}

function queueOf({ servers }: QueueCurve, [meanServiceS = 0, variation = 0]: readonly number[]): Queue {
  return { servers, meanServiceS, variation };
}

function capacityOf({ servers, meanServiceS }: Queue): number {
  return servers / meanServiceS;
}

function withinTarget(fit: CurveFit<QueueCurve>, targetP95S: number, highestPerS: number): Identified | null {
  const estimate = estimateFrom(fit, ({ curve, parameters }) => rateWithin(queueOf(curve, parameters), targetP95S));
  return estimate.value === 0 ? null : identified(estimate, highestPerS);
}

/** The highest rate whose p95 is at most `p95S`; 0 where that of the service alone is more. */
function rateWithin(queue: Queue, p95S: number): number {
  let low = 0;
  let high = capacityOf(queue);
  if (responseQuantileS(queue, high * 1e-9, P95) > p95S) return 0;
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (responseQuantileS(queue, middle, P95) <= p95S) low = middle;
    else high = middle;
  }
  return low;
}
