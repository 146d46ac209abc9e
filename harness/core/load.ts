import { formatRate, formatSeconds } from './units.ts';

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
  return JSON.stringify(partsOf(left)) === JSON.stringify(partsOf(right));
}

/** In one order: files may have the keys in another. */
function partsOf(load: OfferedLoad): readonly unknown[] {
  if (load.model === 'closed') return [load.concurrency];
  const changes = (load.changes ?? []).map(({ atS, overS, toRatePerS }) => [atS, overS, toRatePerS]);
  return [load.arrivalRatePerS, load.arrivals, changes];
}

/** Arrival rates first, then those that change on the way, then numbers of users; each ascending. */
export function byLoad(left: OfferedLoad, right: OfferedLoad): number {
  return kindOrder(left) - kindOrder(right) || loadLevel(left) - loadLevel(right);
}

function kindOrder(load: OfferedLoad): number {
  if (load.model === 'closed') return 2;
  return isOneRate(load) ? 0 : 1;
}

/** Open-loop load whose arrival rate does not change. */
export function isOneRate(load: OfferedLoad): boolean {
  return load.model === 'open' && (load.changes ?? []).length === 0;
}

/** `concurrency 100`, `500/s`, `500/s (constant arrivals)`, `100/s, to 500/s at 10 s, to 1,000/s from 20 s to 30 s` */
export function describeLoad(load: OfferedLoad): string {
  if (load.model === 'closed') return `concurrency ${load.concurrency}`;
  const { arrivalRatePerS, arrivals, changes = [] } = load;
  const rates = [formatRate(arrivalRatePerS), ...changes.map(describeChange)].join(', ');
  return arrivals === 'poisson' ? rates : `${rates} (${arrivals} arrivals)`;
}

function describeChange({ atS, overS, toRatePerS }: RateChange): string {
  const from = formatSeconds(atS);
  const when = overS === 0 ? `at ${from}` : `from ${from} to ${formatSeconds(atS + overS)}`;
  return `to ${formatRate(toRatePerS)} ${when}`;
}
