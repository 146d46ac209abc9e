import type { AssumptionId, WorkloadKind } from '../core/plan.ts';

export interface Load {
  readonly meanPerS: number;
  readonly peakPerS: number;
}

const DAY_S = 86_400;

/** The assumptions that the peak of such a workload depends on. */
export const peakAssumptions: Readonly<Record<WorkloadKind, readonly AssumptionId[]>> = {
  'daily-users': ['sessionsPerUser', 'requestsPerSession', 'peakFactor'],
  'monthly-users': ['dailyShareRatio', 'sessionsPerUser', 'requestsPerSession', 'peakFactor'],
  'concurrent-users': ['thinkS'],
  'peak-rate': [],
};

/**
 * Requests per second. Users of a day: users × sessions × requests over a day, and as many times that as the peak factor
 * says. So many users at once send at most N/(D + Z): none of them ever waits (the asymptotic bound; D = `demandS`).
 */
export function loadOf(
  kind: WorkloadKind,
  values: Readonly<Record<AssumptionId | 'amount', number>>,
  demandS: number,
): Load {
  const { amount, sessionsPerUser, requestsPerSession, peakFactor, thinkS } = values;
  if (kind === 'concurrent-users' || kind === 'peak-rate') {
    const peakPerS = kind === 'peak-rate' ? amount : amount / (demandS + thinkS);
    return { meanPerS: peakPerS / peakFactor, peakPerS };
  }
  const users = kind === 'daily-users' ? amount : amount * values.dailyShareRatio;
  const meanPerS = (users * sessionsPerUser * requestsPerSession) / DAY_S;
  return { meanPerS, peakPerS: meanPerS * peakFactor };
}

/** Who are active at once, by Little's law: each is served for `responseS` and thinks for `thinkS` between two requests. */
export function activeUsers(ratePerS: number, responseS: number, thinkS: number): number {
  return ratePerS * (responseS + thinkS);
}
