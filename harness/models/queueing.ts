/**
 * Queues with Poisson arrivals and `servers` that work alike: M/M/c where service times are exponential (A. K. Erlang,
 * 1917; D. Gross and others, *Fundamentals of Queueing Theory*, 2008, chapter 2), M/G/c where they vary otherwise.
 */
export interface Queue {
  readonly servers: number;
  readonly meanServiceS: number;
  /** Standard deviation of the service time over its mean: 0 for a constant one, 1 for M/M/c. */
  readonly variation: number;
}

/** The share of arrivals that find all servers busy and are lost. `load`: arrival rate × mean service time, in erlangs. */
export function erlangB(servers: number, load: number): number {
  let blocked = 1;
  for (let each = 1; each <= servers; each += 1) blocked = (load * blocked) / (each + load * blocked);
  return blocked;
}

/** The share of arrivals that find all servers busy and wait. 1 where the load is not less than the servers. */
export function erlangC(servers: number, load: number): number {
  if (load >= servers) return 1;
  const blocked = erlangB(servers, load);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

/** The mean wait: exact for M/M/c and for M/G/1, else the approximation of A. Allen and D. Cunneen. Infinite where overloaded. */
export function meanWaitS(queue: Queue, ratePerS: number): number {
  const waits = waitOf(queue, ratePerS);
  return waits === null ? Number.POSITIVE_INFINITY : waits.probability / waits.endsPerS;
}

/**
 * The response time (wait and service) that a share of arrivals does not exceed: 0.95 for p95. Infinite where overloaded.
 *
 * Exact for M/M/c. Else two moments are kept: who waits, waits exponentially (H. Tijms, *Stochastic Models*, 1994, section
 * 4.3) with the mean of Allen and Cunneen; a service time is a constant and an exponential part up to variation 1, and one
 * of two exponentials with balanced means above it (W. Whitt, *Approximating a Point Process by a Renewal Process*,
 * Operations Research 30, 1982).
 */
export function responseQuantileS(queue: Queue, ratePerS: number, share: number): number {
  const waits = waitOf(queue, ratePerS);
  if (waits === null) return Number.POSITIVE_INFINITY;
  const { constantS, parts } = serviceParts(queue);
  const beyond = (overS: number) =>
    parts.reduce((total, { weight, meanS }) => total + weight * sumBeyond(overS, meanS, waits), 0);
  if (beyond(0) <= 1 - share) return constantS;
  return constantS + whereEqual(beyond, 1 - share, queue.meanServiceS);
}

interface Wait {
  readonly probability: number;
  /** Of those who wait: 1 over the mean. */
  readonly endsPerS: number;
}

function waitOf({ servers, meanServiceS, variation }: Queue, ratePerS: number): Wait | null {
  const load = ratePerS * meanServiceS;
  if (load >= servers) return null;
  const sparePerS = servers / meanServiceS - ratePerS;
  return { probability: erlangC(servers, load), endsPerS: (2 * sparePerS) / (1 + variation ** 2) };
}

function serviceParts({ meanServiceS, variation }: Queue) {
  if (variation <= 1) {
    return { constantS: meanServiceS * (1 - variation), parts: [{ weight: 1, meanS: meanServiceS * variation }] };
  }
  const square = variation ** 2;
  const weight = (1 + Math.sqrt((square - 1) / (square + 1))) / 2;
  return {
    constantS: 0,
    parts: [weight, 1 - weight].map((each) => ({ weight: each, meanS: meanServiceS / (2 * each) })),
  };
}

/** P(wait + exponential service > t). */
function sumBeyond(overS: number, meanS: number, { probability, endsPerS }: Wait): number {
  if (meanS === 0) return probability * Math.exp(-endsPerS * overS);
  const servedPerS = 1 / meanS;
  const served = Math.exp(-servedPerS * overS);
  const apart = endsPerS - servedPerS;
  // (δe^−μt − μe^−δt)/(δ − μ), in a form that holds where both are nearly equal.
  const waited =
    Math.abs(apart * overS) < 1
      ? served * (1 + servedPerS * (apart === 0 ? overS : -Math.expm1(-apart * overS) / apart))
      : (endsPerS * served - servedPerS * Math.exp(-endsPerS * overS)) / apart;
  return (1 - probability) * served + probability * waited;
}

/** Where a falling function has a value, by false position on its logarithm, which is nearly a line (Illinois method). */
function whereEqual(beyond: (overS: number) => number, value: number, scaleS: number): number {
  const above = (overS: number) => Math.log(beyond(overS) / value);
  let low = 0;
  let high = scaleS;
  while (above(high) > 0) high *= 2;
  let [atLow, atHigh] = [above(low), above(high)];
  let side = 0;
  for (let step = 0; step < 100 && high - low > 1e-12 * high; step += 1) {
    const middle = (low * atHigh - high * atLow) / (atHigh - atLow);
    const atMiddle = above(middle);
    if (Math.abs(atMiddle) < 1e-13) return middle;
    if (atMiddle > 0) {
      [low, atLow] = [middle, atMiddle];
      if (side > 0) atHigh /= 2;
      side = 1;
    } else {
      [high, atHigh] = [middle, atMiddle];
      if (side < 0) atLow /= 2;
      side = -1;
    }
  }
  return (low + high) / 2;
}
