import { TierbenchError } from '../../core/errors.ts';
import { describeLoad, type OfferedLoad } from '../../core/load.ts';
import type { TrialPlan } from '../../core/trial.ts';

/** The addresses of a trial: undefined is the name of the main one. Throws INVALID_BASE_URL. */
export function checkBaseUrls({ baseUrl, baseUrls = {} }: TrialPlan): ReadonlyMap<string | undefined, URL> {
  const named = Object.entries(baseUrls).map(([name, url]) => [name, checkBaseUrl(url)] as const);
  return new Map<string | undefined, URL>([[undefined, checkBaseUrl(baseUrl)], ...named]);
}

/** The address the paths of a scenario are appended to. Throws INVALID_BASE_URL. */
function checkBaseUrl(text: string): URL {
  const url = URL.parse(text);
  if (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === '' &&
    // Nothing listens there.
    url.port !== '0'
  ) {
    return url;
  }
  // It may hold a secret, so no more of it is shown than where it leads.
  const shown = url === null ? 'not an address' : `${url.protocol}//${url.host}/... with more to it`;
  throw new TierbenchError(
    'INVALID_BASE_URL',
    `The base URL must be http://host:port or https://host:port with an optional path, but is ${shown}.`,
    'Give the address that the paths of the scenario are appended to, without user, password, query and fragment.',
  );
}

/** Whether so many users can offer the load. Throws INVALID_LOAD or TOO_FEW_USERS. */
export function checkLoad(load: OfferedLoad, users: number): void {
  if (load.model === 'closed') {
    checkConcurrency(load.concurrency, users);
    return;
  }
  const problem = rateProblem(load);
  if (problem !== undefined) {
    throw new TierbenchError('INVALID_LOAD', `It cannot be loaded with this: ${problem}.`, 'Ask for another rate.');
  }
  if (users === 0) {
    throw new TierbenchError(
      'TOO_FEW_USERS',
      `${describeLoad(load)} needs at least one user, but there is none.`,
      'Give as many users as iterations will be in flight at once: arrivals that find none free are dropped.',
    );
  }
}

/** A closed load needs a user for each virtual user. Throws INVALID_LOAD or TOO_FEW_USERS. */
function checkConcurrency(concurrency: number, users: number): void {
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new TierbenchError(
      'INVALID_LOAD',
      `The concurrency must be a whole number above 0, but is ${concurrency}.`,
      'Ask for 1 or more virtual users.',
    );
  }
  if (users < concurrency) {
    throw new TierbenchError(
      'TOO_FEW_USERS',
      `Concurrency ${concurrency} needs as many users, but there are ${users}: no two virtual users share one.`,
      `Seed at least ${concurrency} users, or ask for a concurrency of at most ${users}.`,
    );
  }
}

/** What is wrong with the rates, for a person; undefined when nothing is. */
function rateProblem({ arrivalRatePerS, changes = [] }: Extract<OfferedLoad, { model: 'open' }>): string | undefined {
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
