import type { Estimate } from '../core/units.ts';
import { studentT95 } from '../statistics/student-t.ts';
import { mean, sum } from '../statistics/sums.ts';
import { fitInstances } from './scaling-of-instances.ts';
import { expectedCapacities, type Station } from './service-demand.ts';
import { uslThroughputPerS } from './usl.ts';

/** One value of a sweep, measured. */
export interface SweepMeasurement {
  /** Of the setting that is swept; null where it is no number. */
  readonly value: number | null;
  /** What was sustained, in requests/s. */
  readonly ratePerS: Estimate;
  /** What a request costs each resource, as measured with this value, and how much there is of it; empty where not known. */
  readonly stations: readonly Station[];
}

export type HeldOutModel = 'demands' | 'usl' | 'interpolation';

/** What the other values of a sweep say of one of them, beside what was measured with it. */
export interface HeldOut {
  readonly model: HeldOutModel;
  readonly predictedPerS: Estimate;
  readonly measuredPerS: Estimate;
  /** Predicted over measured, minus 1. */
  readonly errorRatio: number;
  /** Whether the measured value lies in the interval. */
  readonly isInside: boolean;
}

/**
 * How much the sustained rate differs from one start of a tier to the next, with all that a model leaves out: standard
 * deviation of its logarithm, and how many measurements that is worth. Two or three values of a sweep show little of it.
 */
export const USUAL_SCATTER = 0.08;
const WORTH = 4;
/** Of the logarithm of the rate for each logarithm of the value beyond those that were measured. */
export const SCATTER_BEYOND = 0.12;
/** A law of two or three parameters through as many points bends where it likes beyond them. */
const SCATTER_BEYOND_USL = 0.6;

/** Each value of a sweep predicted from the others; null where they say nothing of it. In the order of the values. */
export function leaveOneOut(sweep: readonly SweepMeasurement[], isOfInstances: boolean): readonly (HeldOut | null)[] {
  return sweep.map((measured, index) => {
    const others = sweep.filter((_, each) => each !== index);
    const model = modelFor(others, measured, isOfInstances);
    const predictedPerS = model === null ? null : predictors[model](others, measured);
    if (model === null || predictedPerS === null) return null;
    const { value } = measured.ratePerS;
    return {
      model,
      predictedPerS,
      measuredPerS: measured.ratePerS,
      errorRatio: predictedPerS.value / value - 1,
      isInside: value >= predictedPerS.low && value <= predictedPerS.high,
    };
  });
}

/**
 * Which model is used: demands first, as they are measured for each service; the Universal Scalability Law for instances
 * alone, where three others were measured; else what lies between two neighbours.
 */
function modelFor(
  others: readonly SweepMeasurement[],
  at: Pick<SweepMeasurement, 'value' | 'stations'>,
  isOfInstances: boolean,
): HeldOutModel | null {
  const haveDemands = [...others, at].every(({ stations }) => stations.some(({ perUnitS }) => perUnitS > 0));
  if (others.length > 0 && haveDemands) return 'demands';
  if (isOfInstances && others.length >= 3 && others.every(({ value }) => value !== null)) return 'usl';
  return others.length >= 2 ? 'interpolation' : null;
}

/** Only how much there is of each resource is taken from `at`: not its demands, and not its rate. */
type Predictor = (
  others: readonly SweepMeasurement[],
  at: Pick<SweepMeasurement, 'value' | 'stations'>,
) => Estimate | null;

const predictors: Readonly<Record<HeldOutModel, Predictor>> = {
  /**
   * The rate at which the first resource is used up, times the share of it that the others sustained: between two
   * neighbours that share goes from the one to the other, which holds what demands do not show, such as a full pool.
   */
  demands(others, at) {
    const limitPerS = (sizes: readonly Station[]) => {
      const stations = sizes.map((size) => {
        const own = others.flatMap(({ stations: all }) => all.filter(({ name }) => name === size.name));
        const meanOf = (of: (station: Station) => number, usual: number) =>
          own.length === 0 ? usual : mean(own.map(of));
        return {
          ...size,
          perUnitS: meanOf(({ perUnitS }) => perUnitS, 0),
          backgroundPerS: meanOf(({ backgroundPerS }) => backgroundPerS, 0),
        };
      });
      return expectedCapacities(stations)[0]?.atMostPerS ?? 0;
    };
    const limit = limitPerS(at.stations);
    const shares = others.flatMap(({ value, ratePerS, stations }) => {
      const own = limitPerS(stations);
      return own > 0 ? [{ value, log: Math.log(ratePerS.value / own) }] : [];
    });
    if (shares.length === 0 || !(limit > 0)) return null;
    return around(Math.log(limit) + between(shares, at.value), shares, at.value);
  },
  usl(others, { value }) {
    const points = others.flatMap(({ value: instances, ratePerS }) =>
      instances === null ? [] : [{ concurrency: instances, throughputPerS: ratePerS.value }],
    );
    const fitted = fitInstances(points, 0)?.fitted;
    if (value === null || fitted === undefined) return null;
    const shares = points.map(({ concurrency, throughputPerS }) => ({
      value: concurrency,
      log: Math.log(throughputPerS / uslThroughputPerS(fitted, concurrency)),
    }));
    return around(Math.log(uslThroughputPerS(fitted, value)), shares, value, SCATTER_BEYOND_USL);
  },
  interpolation(others, { value }) {
    const rates = others.map((each) => ({ value: each.value, log: Math.log(each.ratePerS.value) }));
    const [below, above] = neighbours(rates, value);
    if (below === undefined || above === undefined) return null;
    // Between two measurements a rate may be anything from the one to the other.
    const { value: middle, low, high } = around(between(rates, value), [], value);
    const ends = [Math.exp(below.log), Math.exp(above.log)];
    return { value: middle, low: Math.min(low, ...ends), high: Math.max(high, ...ends) };
  },
};

interface Logged {
  readonly value: number | null;
  readonly log: number;
}

/** The interval that holds a further measurement in 95 of 100 cases, by Student's t. */
function around(
  middle: number,
  shares: readonly Logged[],
  at: number | null,
  scatterBeyond = SCATTER_BEYOND,
): Estimate {
  const count = Math.max(1, shares.length);
  const centre = shares.length === 0 ? 0 : mean(shares.map(({ log }) => log));
  const squares = sum(shares.map(({ log }) => (log - centre) ** 2));
  const freedom = WORTH + count - 1;
  const variance = (WORTH * USUAL_SCATTER ** 2 + squares) / freedom;
  const beyond = scatterBeyond * distanceBeyond(shares, at);
  const margin = studentT95(freedom) * Math.sqrt(variance * (1 + 1 / count) + beyond ** 2);
  return { value: Math.exp(middle), low: Math.exp(middle - margin), high: Math.exp(middle + margin) };
}

/** Between two neighbours along the logarithm of the value, else that of the nearest; their mean where values are no numbers. */
function between(points: readonly Logged[], at: number | null): number {
  const [below, above] = neighbours(points, at);
  if (below === undefined || above === undefined) {
    return (below ?? above)?.log ?? mean(points.map(({ log }) => log));
  }
  const [from, to] = [logOf(below.value), logOf(above.value)];
  const share = to === from ? 0 : (logOf(at) - from) / (to - from);
  return below.log + share * (above.log - below.log);
}

function neighbours(points: readonly Logged[], at: number | null): readonly [Logged | undefined, Logged | undefined] {
  if (at === null) return [undefined, undefined];
  const sorted = points
    .filter(({ value }) => value !== null)
    .toSorted((one, other) => (one.value ?? 0) - (other.value ?? 0));
  return [sorted.findLast(({ value }) => (value ?? 0) < at), sorted.find(({ value }) => (value ?? 0) > at)];
}

function distanceBeyond(points: readonly Logged[], at: number | null): number {
  const known = points.flatMap(({ value }) => (value === null ? [] : [logOf(value)]));
  if (at === null || known.length === 0) return 0;
  return Math.max(0, logOf(at) - Math.max(...known), Math.min(...known) - logOf(at));
}

function logOf(value: number | null): number {
  return Math.log(Math.max(value ?? 1, 1e-9));
}
