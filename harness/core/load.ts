/** How arrivals follow one another: at random, as from many people who do not know of each other, or evenly. */
export const arrivalProcesses = ['poisson', 'constant'] as const;
export type ArrivalProcess = (typeof arrivalProcesses)[number];

/**
 * What we try to impose on the system. Open: requests arrive whether or not earlier ones were answered.
 * Closed: a fixed number of virtual users, each waiting for its answer before it goes on.
 */
export type OfferedLoad =
  | {
      readonly model: 'open';
      readonly arrivalRatePerS: number;
      readonly arrivals: ArrivalProcess;
      /** How the rate changes on the way, in the order of time: steps and ramps. Constant when left out. */
      readonly changes?: readonly RateChange[];
    }
  | { readonly model: 'closed'; readonly concurrency: number };

interface RateChange {
  /** Seconds from the start of the measured window; not before the end of the change before. */
  readonly atS: number;
  /** It changes evenly over so many seconds: 0 is a step, more is a ramp. */
  readonly overS: number;
  readonly toRatePerS: number;
}

/** Virtual users, or arrivals per second. */
export function loadLevel(load: OfferedLoad): number {
  return load.model === 'closed' ? load.concurrency : load.arrivalRatePerS;
}

export function isSameLoad(left: OfferedLoad, right: OfferedLoad): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

export function describeLoad(load: OfferedLoad): string {
  return load.model === 'open'
    ? `${load.arrivalRatePerS}/s (${load.arrivals} arrivals)`
    : `concurrency ${load.concurrency}`;
}
