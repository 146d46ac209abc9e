/**
 * What we try to impose on the system. Open: requests arrive whether or not earlier ones were answered.
 * Closed: a fixed number of virtual users, each waiting for its answer before it goes on.
 */
export type OfferedLoad =
  | { readonly model: 'open'; readonly arrivalRatePerS: number; readonly arrivals: 'poisson' | 'constant' }
  | { readonly model: 'closed'; readonly concurrency: number };

/** Virtual users, or arrivals per second. */
export function loadLevel(load: OfferedLoad): number {
  return load.model === 'closed' ? load.concurrency : load.arrivalRatePerS;
}

export function describeLoad(load: OfferedLoad): string {
  return load.model === 'open'
    ? `${load.arrivalRatePerS}/s (${load.arrivals} arrivals)`
    : `concurrency ${load.concurrency}`;
}
