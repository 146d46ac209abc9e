import { type Random, randomStream } from '../../../scenarios/kit.ts';
import type { OfferedLoad } from '../../core/load.ts';

type OpenLoad = Extract<OfferedLoad, { model: 'open' }>;

/** A stream of randomness that no virtual user has. */
const ARRIVALS_STREAM = 0xffff_ffff;

/** Gives the next scheduled start, in seconds from the start of the measured window, without end. */
export type Arrivals = () => number;

/**
 * When iterations are scheduled, from `fromS` (not above 0) on. A function of load and seed alone, so that several threads can
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

function expectedIn({ fromRatePerS, slope }: Piece, durationS: number): number {
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
      const length = expectedIn(piece, piece.toS - piece.fromS);
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

/** Numbers in [0, 1) of 53 bits: with 32 no gap could be longer than 22 times the mean. */
function uniform53(seed: number): Random {
  const random = randomStream(seed, ARRIVALS_STREAM, -1);
  return () => random() + Math.floor(random() * 2 ** 21) / 2 ** 53;
}

/** What one of several processes drives of a trial: every `of`-th arrival and every `of`-th user, from `index` on. */
export interface Share {
  readonly index: number;
  readonly of: number;
}

/** A trial that one process drives alone. */
export const WHOLE: Share = { index: 0, of: 1 };

/** How many of `count` things are in the share. */
export function countIn({ index, of }: Share, count: number): number {
  return Math.max(0, Math.ceil((count - index) / of));
}

/** Each walks the whole schedule and leaves out what others take, so that together they send what one would. */
export function arrivalsOfShare({ index, of }: Share, arrivals: Arrivals): Arrivals {
  let others = index;
  return () => {
    for (; others > 0; others -= 1) arrivals();
    others = of - 1;
    return arrivals();
  };
}

/** The scheduled starts of one window by the clock of a thread. */
export interface ArrivalSchedule {
  /** Of the next arrival, in milliseconds; infinite when there is none in the window any more. */
  nextMs: number;
  /** That one has been dealt with. */
  advance(): void;
}

export const nothingScheduled: ArrivalSchedule = { nextMs: Number.POSITIVE_INFINITY, advance() {} };

export function createArrivalSchedule(arrivals: Arrivals, windowStartMs: number, durationS: number): ArrivalSchedule {
  const next = (): number => {
    const atS = arrivals();
    return atS < durationS ? windowStartMs + atS * 1000 : Number.POSITIVE_INFINITY;
  };
  const schedule: ArrivalSchedule = {
    nextMs: next(),
    advance() {
      schedule.nextMs = next();
    },
  };
  return schedule;
}
