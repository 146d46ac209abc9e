import type { Target } from '../../core/target.ts';
import { type PilotEstimate, wholeRequests } from '../../judging/pilot.ts';

/** What the documents say a scenario is to be loaded with. */
export interface DocumentedLoads {
  /** Requests, not iterations, each second; ascending. */
  readonly requestRatesPerS: readonly number[];
  /** Virtual users; ascending. */
  readonly concurrencies: readonly number[];
}

/** Steps of arrival rates are of these times a power of ten, so that tiers, and runs, meet at the same ones. */
const ROUND_STEPS = [1, 1.5, 2, 3, 5, 7];
/** Steps reach from a share of the throughput of the pilot trial to just below it: beyond, the queue grows as long as one measures. */
const LOWEST_SHARE = 0.1;
const HIGHEST_SHARE = 0.95;
/** Of less than a decade. */
const MOST_ROUND_STEPS = ROUND_STEPS.length;
/** Where a quick run measures beside documented rates: the highest step and, where they are few, one at about half. */
const QUICK_SHARE = 0.6;
/** Steps that are nearer to a documented rate than this tell nothing more. */
const NEAR = 1.25;

/** The loads that targets for this tier and scenario speak of. */
export function documentedLoads(targets: readonly Target[], tier: string, scenario: string): DocumentedLoads {
  const own = targets.filter(
    ({ appliesTo: { tiers, scenarios } }) =>
      (tiers.length === 0 || tiers.includes(tier)) && (scenarios.length === 0 || scenarios.includes(scenario)),
  );
  const rates = own.flatMap(({ unit, value, appliesTo: { arrivalRatePerS } }) => [
    ...(unit === 'requests/s' ? [value].flat() : []),
    ...(arrivalRatePerS === undefined ? [] : [arrivalRatePerS]),
  ]);
  const concurrencies = own.flatMap(({ judged, appliesTo: { concurrency } }) =>
    judged.by === 'measured' && concurrency !== undefined ? [concurrency] : [],
  );
  return { requestRatesPerS: ascending(rates), concurrencies: ascending(concurrencies) };
}

/**
 * The arrival rates a scenario is measured at: round steps below the throughput of the pilot trial, and the documented rates as far
 * as the probe reached. Arrivals are iterations; documented rates are requests.
 */
export function arrivalRates(
  { iterationsPerS, requestsPerIteration }: Pick<PilotEstimate, 'iterationsPerS' | 'requestsPerIteration'>,
  documented: DocumentedLoads,
  quick: boolean,
): readonly number[] {
  const named = documented.requestRatesPerS
    .map((requestsPerS) => roundedUp(requestsPerS / wholeRequests(requestsPerIteration)))
    .filter((ratePerS) => ratePerS <= iterationsPerS);
  const steps = roundSteps(LOWEST_SHARE * iterationsPerS, HIGHEST_SHARE * iterationsPerS);
  const middle = steps.findLast((ratePerS) => ratePerS <= QUICK_SHARE * iterationsPerS);
  const highest = steps.at(-1);
  const few = named.length > 1 ? [highest] : [middle, highest];
  const chosen = quick ? few.filter((ratePerS) => ratePerS !== undefined) : steps;
  const others = chosen.filter((ratePerS) => !named.some((near) => ratePerS < near * NEAR && near < ratePerS * NEAR));
  return ascending([...named, ...others]);
}

/** How many rates there may be, before the pilot trial: it decides which of the documented ones are among them. */
export function countOfArrivalRates(
  { requestRatesPerS }: DocumentedLoads,
  quick: boolean,
): { readonly least: number; readonly most: number } {
  return { least: 1, most: (quick ? 2 : MOST_ROUND_STEPS) + requestRatesPerS.length };
}

function roundSteps(from: number, to: number): number[] {
  const steps: number[] = [];
  for (let power = Math.floor(Math.log10(from)); 10 ** power <= to; power += 1) {
    for (const step of ROUND_STEPS) {
      const ratePerS = Number((step * 10 ** power).toPrecision(2));
      if (ratePerS >= from && ratePerS <= to) steps.push(ratePerS);
    }
  }
  return steps;
}

/** To three digits, so that it is a rate one can type, and no fewer requests than documented. */
function roundedUp(ratePerS: number): number {
  const digit = 10 ** (Math.floor(Math.log10(ratePerS)) - 2);
  return Number((Math.ceil(ratePerS / digit - 1e-9) * digit).toPrecision(3));
}

function ascending(values: readonly number[]): number[] {
  return [...new Set(values)].toSorted((left, right) => left - right);
}
