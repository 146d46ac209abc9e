/** What users do, in words that people know. */
export interface Workload {
  /** Who use it on one day. */
  readonly dailyUsers: number;
  readonly sessionsPerUser: number;
  readonly requestsPerSession: number;
  /** The rate of the busiest time over the mean of the day. */
  readonly peakFactor: number;
}

export interface Demand {
  readonly meanPerS: number;
  readonly peakPerS: number;
}

const DAY_S = 86_400;

/** Requests per second: daily users × sessions × requests over a day, and as many times that as the peak factor says. */
export function requestRate({ dailyUsers, sessionsPerUser, requestsPerSession, peakFactor }: Workload): Demand {
  const meanPerS = (dailyUsers * sessionsPerUser * requestsPerSession) / DAY_S;
  return { meanPerS, peakPerS: meanPerS * peakFactor };
}

/** Who are active at once, by Little's law: each is served for `responseS` and thinks for `thinkS` between two requests. */
export function activeUsers(ratePerS: number, responseS: number, thinkS: number): number {
  return ratePerS * (responseS + thinkS);
}

/** The most requests per second that so many users send: none of them ever waits (the asymptotic bound N/(D + Z)). */
export function mostRequestsPerS(users: number, demandS: number, thinkS: number): number {
  return users / (demandS + thinkS);
}
