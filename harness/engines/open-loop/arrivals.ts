import { type Random, randomStream } from '../../../scenarios/kit.ts';
import type { OfferedLoad } from '../../core/load.ts';

type OpenLoad = Extract<OfferedLoad, { model: 'open' }>;

/** A stream of randomness that no virtual user has. */
const ARRIVALS_STREAM = 0xffff_ffff;

/** Gives the next time something is due, in seconds from the start of the measured window, without end. */
export type Arrivals = () => number;

/**
 * When iterations are due, from `fromS` (not above 0) on. A function of load and seed alone, so that several threads can
 * walk the same schedule.
 *
 * Arrival n is the time at which n arrivals are expected: for constant arrivals n counts 0, 1, 2 ..., for Poisson
 * arrivals it grows by exponential steps of mean 1 (time-rescaling; Devroye, "Non-Uniform Random Variate Generation",
 * 1986, VI.1.3). So a constant rate does not drift however long it lasts, and a rate that changes stays a Poisson process.
 */
export function arrivalsOf(load: OpenLoad, seed: number, fromS: number): Arrivals {
  const timeAt = inverseOfExpected(load, fromS);
  if (load.arrivals === 'constant') {
    let count = -1;
    return () => {
      count += 1;
      return timeAt(count);
    };
  }
  const random = uniform53(seed);
  let expected = 0;
  return () => {
    expected -= Math.log(1 - random());
    return timeAt(expected);
  };
}

interface Piece {
  readonly fromS: number;
  readonly toS: number;
  readonly fromRatePerS: number;
  /** Change of the rate in each second. */
  readonly slope: number;
}

function piecesOf(load: OpenLoad): Piece[] {
  const { arrivalRatePerS, changes = [] } = load;
  const pieces: Piece[] = [];
  let fromS = Number.NEGATIVE_INFINITY;
  let rate = arrivalRatePerS;
  const hold = (toS: number): void => {
    if (toS > fromS) pieces.push({ fromS, toS, fromRatePerS: rate, slope: 0 });
    fromS = toS;
  };
  for (const change of changes) {
    hold(change.atS);
    if (change.overS > 0) {
      const slope = (change.toRatePerS - rate) / change.overS;
      pieces.push({ fromS, toS: fromS + change.overS, fromRatePerS: rate, slope });
      fromS += change.overS;
    }
    rate = change.toRatePerS;
  }
  hold(Number.POSITIVE_INFINITY);
  return pieces;
}

function arrivalsIn({ fromRatePerS, slope }: Piece, durationS: number): number {
  return slope === 0 ? fromRatePerS * durationS : (fromRatePerS + 0.5 * slope * durationS) * durationS;
}

/** The time by which so many arrivals are expected since `startS`; to be asked with numbers that do not go down. */
function inverseOfExpected(load: OpenLoad, startS: number): (expected: number) => number {
  const pieces = piecesOf(load);
  let index = pieces.findIndex((piece) => piece.toS > startS);
  let piece: Piece = { ...(pieces[index] as Piece), fromS: startS };
  let before = 0;
  return (expected) => {
    for (;;) {
      const length = arrivalsIn(piece, piece.toS - piece.fromS);
      const next = pieces[index + 1];
      if (next === undefined || expected - before < length) return piece.fromS + timeIn(piece, expected - before);
      before += length;
      index += 1;
      piece = next;
    }
  };
}

/** When in a piece so many arrivals are expected: the root of `rate t + slope t^2 / 2 = expected`, in its stable form. */
function timeIn({ fromRatePerS, slope }: Piece, expected: number): number {
  if (slope === 0) return expected / fromRatePerS;
  return (2 * expected) / (fromRatePerS + Math.sqrt(Math.max(0, fromRatePerS ** 2 + 2 * slope * expected)));
}

/** What is wrong with the rates, for a person; undefined when nothing is. */
export function rateProblem({ arrivalRatePerS, changes = [] }: OpenLoad): string | undefined {
  if (!(arrivalRatePerS > 0 && Number.isFinite(arrivalRatePerS))) {
    return `the arrival rate must be a number above 0 per second, but is ${arrivalRatePerS}`;
  }
  let freeFromS = Number.NEGATIVE_INFINITY;
  for (const { atS, overS, toRatePerS } of changes) {
    if (!(toRatePerS > 0 && Number.isFinite(toRatePerS))) return `the rate cannot change to ${toRatePerS} per second`;
    if (!(overS >= 0 && Number.isFinite(overS))) return `a rate cannot change over ${overS} seconds`;
    if (!(atS >= freeFromS && Number.isFinite(atS)))
      return `the rate changes at ${atS} s before its last change is done`;
    freeFromS = atS + overS;
  }
  return undefined;
}

/** Numbers in [0, 1) of 53 bits: with 32 no gap could be longer than 22 times the mean. */
function uniform53(seed: number): Random {
  const random = randomStream(seed, ARRIVALS_STREAM, -1);
  return () => random() + Math.floor(random() * 2 ** 21) / 2 ** 53;
}
