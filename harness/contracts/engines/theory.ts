/** What known servers make of a load: the truths that engines are held to. */

/**
 * A constant rate for `durationS` with one stall: those who come meanwhile wait for its end. One server of utilization u
 * has their queue to work off after that, and so many more wait. Utilization 0: a server for everybody.
 */
export function stallQuantileS(
  system: Readonly<Record<'durationS' | 'stallS' | 'serviceTimeS' | 'utilization', number>>,
  ratio: number,
): number {
  const { durationS, stallS, serviceTimeS, utilization } = system;
  return Math.max(serviceTimeS, stallS + serviceTimeS - (1 - ratio) * (1 - utilization) * durationS);
}

export const queues = ['M/M/1', 'M/D/1'] as const;
export type Queue = (typeof queues)[number];

/** Waiting and service together in the mean, in service times: Pollaczek and Khinchine. */
export function meanResponse(queue: Queue, utilization: number): number {
  return 1 + (utilization / (1 - utilization)) * (queue === 'M/M/1' ? 1 : 0.5);
}

/** A quantile of waiting and service together, in service times. */
export function responseQuantile(queue: Queue, utilization: number, ratio: number): number {
  return queue === 'M/M/1' ? -Math.log(1 - ratio) / (1 - utilization) : 1 + waitQuantileOfMD1(utilization, ratio);
}

function waitQuantileOfMD1(utilization: number, ratio: number): number {
  let [low, high] = [0, 20];
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (waitsAtMostInMD1(utilization, middle) < ratio) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * P(wait <= t) in M/D/1 with service time 1 (Crommelin, "Delay probability formulae when the holding times are constant",
 * 1932). Exact, but a sum of large terms of both signs: good to t = 20.
 */
function waitsAtMostInMD1(utilization: number, t: number): number {
  let sum = 0;
  let factorial = 1;
  for (let k = 0; k <= Math.floor(t); k += 1) {
    if (k > 0) factorial *= k;
    sum += ((utilization * (k - t)) ** k / factorial) * Math.exp(-utilization * (k - t));
  }
  return (1 - utilization) * sum;
}
