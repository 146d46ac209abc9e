import type { Target } from '../../core/target.ts';
import { isAbout } from '../../judging/load-steps.ts';
import { type PilotEstimate, wholeRequests } from '../../judging/pilot.ts';
import { samplesNeeded } from '../../statistics/quantile-ranks.ts';

/** What the documents say a scenario is to be loaded with. */
export interface DocumentedLoads {
  /** Requests, not iterations, each second; ascending. */
  readonly requestRatesPerS: readonly number[];
  /** Virtual users; ascending. */
  readonly concurrencies: readonly number[];
}

/** An open-loop load may get a little more out of a system than the users of the pilot trial. */
const BEYOND_PILOT = 1.2;

/** Chance gives fewer requests than the rate promises. */
const SAMPLES_TO_SPARE = 1.3;

/** The loads that targets for this tier and scenario speak of. */
export function documentedLoads(targets: readonly Target[], tier: string, scenario: string): DocumentedLoads {
  const own = targets.filter((target) => isAbout(target, tier, scenario));
  const rates = own.flatMap(({ unit, value, appliesTo: { arrivalRatePerS } }) => [
    ...(unit === 'requests/s' ? [value].flat() : []),
    ...(arrivalRatePerS === undefined ? [] : [arrivalRatePerS]),
  ]);
  const concurrencies = own.flatMap(({ judged, appliesTo: { concurrency } }) =>
    judged.by === 'measured' && concurrency !== undefined ? [concurrency] : [],
  );
  return { requestRatesPerS: ascending(rates), concurrencies: ascending(concurrencies) };
}

/** Documented rates that the pilot trial reached or nearly did. Arrivals are iterations; documented rates are requests. */
export function documentedRates(
  { iterationsPerS, requestsPerIteration }: Pick<PilotEstimate, 'iterationsPerS' | 'requestsPerIteration'>,
  { requestRatesPerS }: DocumentedLoads,
): readonly number[] {
  const rates = requestRatesPerS
    .map((requestsPerS) => roundedUp(requestsPerS / wholeRequests(requestsPerIteration)))
    .filter((ratePerS) => ratePerS <= BEYOND_PILOT * iterationsPerS);
  return ascending(rates);
}

/** To three digits, so that it is a rate one can type, and no fewer requests than documented. */
function roundedUp(ratePerS: number): number {
  const digit = 10 ** (Math.floor(Math.log10(ratePerS)) - 2);
  return Number((Math.ceil(ratePerS / digit - 1e-9) * digit).toPrecision(3));
}

function ascending(values: readonly number[]): number[] {
  return [...new Set(values)].toSorted((left, right) => left - right);
}

/** At low rates a trial lasts, as far as it may, until p95 of each step has samples enough: each iteration gives one. */
export function longEnoughS(durationS: number, mostS: number, iterationRatePerS: number): number {
  const neededS = Math.ceil((SAMPLES_TO_SPARE * samplesNeeded(0.95)) / iterationRatePerS);
  return Math.max(durationS, Math.min(neededS, mostS));
}
