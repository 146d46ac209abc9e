/** A resource that users wait for, one after the other. */
export interface MvaStation {
  readonly name: string;
  /** Seconds of it for each request, over all visits. */
  readonly demandS: number;
  /** How many work alike, such as CPUs or instances. */
  readonly servers: number;
}

export interface MvaResult {
  readonly throughputPerS: number;
  readonly responseS: number;
  /** Of each station: how long a request is at it, and how many requests are there. */
  readonly stations: readonly { readonly name: string; readonly residenceS: number; readonly queue: number }[];
}

/**
 * Exact mean value analysis of a closed network: so many users, each thinking for `thinkS` between two requests (M. Reiser
 * and S. Lavenberg, 1980; R. Jain, *The Art of Computer Systems Performance Analysis*, 1991, chapter 34). A station of m
 * servers is one that is m times as fast and a delay of the rest (A. Seidmann and others, *Performance Evaluation* 7, 1987),
 * which is exact where it is hardly or fully used.
 */
export function meanValueAnalysis(stations: readonly MvaStation[], users: number, thinkS: number): MvaResult {
  const queueing = stations.map(({ demandS, servers }) => demandS / servers);
  const delays = stations.map(({ demandS, servers }) => (demandS * (servers - 1)) / servers);
  let queues = stations.map(() => 0);
  let residences = queueing;
  let throughputPerS = 0;
  for (let population = 1; population <= users; population += 1) {
    residences = queueing.map((demand, index) => demand * (1 + (queues[index] ?? 0)) + (delays[index] ?? 0));
    throughputPerS = population / (thinkS + residences.reduce((total, each) => total + each, 0));
    const rate = throughputPerS;
    queues = residences.map((each, index) => rate * (each - (delays[index] ?? 0)));
  }
  return {
    throughputPerS,
    responseS: residences.reduce((total, each) => total + each, 0),
    stations: stations.map(({ name }, index) => ({
      name,
      residenceS: residences[index] ?? 0,
      queue: throughputPerS * (residences[index] ?? 0),
    })),
  };
}
