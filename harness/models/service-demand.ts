import type { Estimate } from '../core/units.ts';
import { studentT95 } from '../statistics/student-t.ts';
import { mean, sum } from '../statistics/sums.ts';

/** What a service used while so much work was done. */
export interface Usage {
  /** Units of work per second. */
  readonly ratePerS: number;
  /** CPU seconds per second, or another resource. */
  readonly usedPerS: number;
}

export interface ServiceDemand {
  /** Seconds for each unit of work, taken near saturation. The interval is null for fewer than three trials. */
  readonly perUnitS: number;
  readonly interval: Pick<Estimate, 'low' | 'high'> | null;
  /** What is used without any work, per second; 0 where the rates are too alike to tell. */
  readonly backgroundPerS: number;
}

/** Rates that differ by less do not show what is used without work. */
const SPREAD_FOR_BACKGROUND = 1.5;
const FEWEST_FOR_BACKGROUND = 4;
/** Trials at this share of the highest rate and above are near saturation: demands fall with load (batches, warm code). */
const NEAR_SATURATION = 0.7;

/**
 * The service demand law: D = U / X, utilization over throughput (E. Lazowska et al., *Quantitative System Performance*,
 * 1984, section 3.3), with what is used without work subtracted. The background is the intercept of least squares over all
 * trials, each weighted by 1/X² since its error grows with its rate, and bounded to 0 and the least usage that was seen.
 * The interval is Student's t over the trials near saturation: they are the independent observations.
 * @returns null where no work was done.
 */
export function serviceDemand(trials: readonly Usage[]): ServiceDemand | null {
  const working = trials.filter(({ ratePerS }) => ratePerS > 0);
  const highestPerS = Math.max(...working.map(({ ratePerS }) => ratePerS));
  if (working.length === 0) return null;
  const backgroundPerS = backgroundOf(working);
  const near = working
    .filter(({ ratePerS }) => isNearSaturation(ratePerS, highestPerS))
    .map(({ ratePerS, usedPerS }) => Math.max(0, usedPerS - backgroundPerS) / ratePerS);
  const perUnitS = mean(near);
  return { perUnitS, interval: intervalOf(near, perUnitS), backgroundPerS };
}

/** Whether demands are taken at this rate, where `highestPerS` is the highest that was measured. */
export function isNearSaturation(ratePerS: number, highestPerS: number): boolean {
  return ratePerS >= NEAR_SATURATION * highestPerS;
}

function intervalOf(values: readonly number[], middle: number): ServiceDemand['interval'] {
  if (values.length < 3) return null;
  const variance = sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1);
  const margin = studentT95(values.length - 1) * Math.sqrt(variance / values.length);
  return { low: Math.max(0, middle - margin), high: middle + margin };
}

function backgroundOf(trials: readonly Usage[]): number {
  const rates = trials.map(({ ratePerS }) => ratePerS);
  if (trials.length < FEWEST_FOR_BACKGROUND || Math.max(...rates) < SPREAD_FOR_BACKGROUND * Math.min(...rates))
    return 0;
  // Least squares of usedPerS = background + demand × rate with weights 1/rate² is that of used/rate over 1/rate.
  const points = trials.map(({ ratePerS, usedPerS }) => ({ x: 1 / ratePerS, y: usedPerS / ratePerS }));
  const middleX = mean(points.map(({ x }) => x));
  const middleY = mean(points.map(({ y }) => y));
  const spread = sum(points.map(({ x }) => (x - middleX) ** 2));
  const slope = sum(points.map(({ x, y }) => (x - middleX) * (y - middleY))) / spread;
  return Math.min(Math.max(0, slope), Math.min(...trials.map(({ usedPerS }) => usedPerS)));
}

/** A resource that work is done by, and how much of it there is. */
export interface Station {
  /** Such as the name of a service, or the machine that all share. */
  readonly name: string;
  /** Seconds of it for each unit of work. */
  readonly perUnitS: number;
  readonly backgroundPerS: number;
  /** Seconds of it per second: 2 for two CPUs. */
  readonly availablePerS: number;
}

export interface ExpectedCapacity {
  /** Units of work per second at which it is used up. */
  readonly atMostPerS: number;
  readonly station: string;
}

/**
 * The bottleneck law: X <= 1 / Dmax, where each station is used up first (Lazowska et al., section 5.2). Ascending: the
 * first is the capacity and what limits it, the next what it would be without the first. Stations of one name, such as all
 * CPU of a service and its main threads, are one, which is used up with the first of them. It is an upper bound: latency
 * targets are missed a little below.
 */
export function expectedCapacities(stations: readonly Station[]): readonly ExpectedCapacity[] {
  const working = stations.filter(({ perUnitS }) => perUnitS > 0);
  return [...Map.groupBy(working, ({ name }) => name)]
    .map(([station, own]) => ({ station, atMostPerS: Math.min(...own.map(atMostPerS)) }))
    .toSorted((one, other) => one.atMostPerS - other.atMostPerS);
}

function atMostPerS({ perUnitS, backgroundPerS, availablePerS }: Station): number {
  return Math.max(0, availablePerS - backgroundPerS) / perUnitS;
}
