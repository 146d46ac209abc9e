import type { Random } from '../harness/statistics/block-bootstrap.ts';

/** Simulated servers whose sustained rate is known, for tests and the benchmark of the search. Queues start empty. */

export interface Answers {
  readonly all: number;
  /** Slower than the server's latency limit, or failed. */
  readonly bad: number;
}

export interface KnownServer {
  readonly name: string;
  /** The rate at which 5 % are bad. `tookS`: for a server that drifts, seconds of the search; the middle of it counts. */
  readonly truthPerS: (tookS: number) => number;
  /** What it serves at most, about. */
  readonly capacityPerS: number;
  /** A trial that begins `atS` seconds after the start of the search. */
  readonly trial: (ratePerS: number, durationS: number, atS: number, random: Random) => Answers;
}

/** Not counted, before each trial, as in a run. */
export const WARM_UP_S = 2;

const DRIFT_PER_S = 0.0001;

/** Capacity differs from trial to trial by lognormal noise; `noise` is the standard deviation of its logarithm. */
export function knownServers(noise: number): readonly KnownServer[] {
  const factor = (random: Random) =>
    Math.exp(noise * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
  const markov =
    (drift: (atS: number) => number): KnownServer['trial'] =>
    (ratePerS, durationS, atS, random) => {
      const served = 250 * drift(atS) * factor(random);
      return queue(
        { ratePerS, durationS, servers: 1, limitS: 0.2, serviceS: () => exponential(1 / served, random) },
        random,
      );
    };
  const drift = (atS: number) => 1 - DRIFT_PER_S * Math.min(atS, 300);
  const cliff =
    (hasBump: boolean): KnownServer['trial'] =>
    (ratePerS, durationS, _atS, random) => {
      const all = Math.round(ratePerS * durationS);
      if (ratePerS > 300 * factor(random)) return { all, bad: Math.round(0.6 * all) };
      return { all, bad: hasBump && ratePerS > 225 && ratePerS < 240 ? Math.round(0.08 * all) : 0 };
    };
  // P(response > t) of M/M/1 is e^-(mu - rate)t. The other two queues: by bisection over 3,000 and 20,000 s without noise.
  const markovTruth = 250 - Math.log(20) / 0.2;
  return [
    { name: 'M/M/1', capacityPerS: 250, truthPerS: () => markovTruth, trial: markov(() => 1) },
    {
      name: 'M/D/4',
      capacityPerS: 400,
      truthPerS: () => MD4_TRUTH,
      trial: (ratePerS, durationS, _atS, random) => {
        const serviceS = 0.01 / factor(random);
        return queue({ ratePerS, durationS, servers: 4, limitS: 0.05, serviceS: () => serviceS }, random);
      },
    },
    { name: 'cliff', capacityPerS: 300, truthPerS: () => 300, trial: cliff(false) },
    { name: 'not monotone', capacityPerS: 300, truthPerS: () => 300, trial: cliff(true) },
    {
      name: 'drifting',
      capacityPerS: 250,
      truthPerS: (tookS) => 250 * drift(tookS / 2) - Math.log(20) / 0.2,
      trial: markov(drift),
    },
    {
      name: 'login',
      capacityPerS: 33,
      truthPerS: () => LOGIN_TRUTH,
      trial: (ratePerS, durationS, _atS, random) => {
        const speed = factor(random);
        const serviceS = () => (0.06 * (0.9 + 0.2 * random())) / speed;
        return queue({ ratePerS, durationS, servers: 2, limitS: 0.3, serviceS }, random);
      },
    },
  ];
}

const MD4_TRUTH = 365.33;
const LOGIN_TRUTH = 27.829;

function queue(
  settings: {
    readonly ratePerS: number;
    readonly durationS: number;
    readonly servers: number;
    readonly limitS: number;
    readonly serviceS: () => number;
  },
  random: Random,
): Answers {
  const free = new Float64Array(settings.servers);
  let all = 0;
  let bad = 0;
  for (let atS = 0; ; ) {
    atS += exponential(1 / settings.ratePerS, random);
    if (atS > WARM_UP_S + settings.durationS) return { all, bad };
    let first = 0;
    for (let each = 1; each < free.length; each += 1) if ((free[each] ?? 0) < (free[first] ?? 0)) first = each;
    const endS = Math.max(atS, free[first] ?? 0) + settings.serviceS();
    free[first] = endS;
    if (atS < WARM_UP_S) continue;
    all += 1;
    if (endS - atS > settings.limitS) bad += 1;
  }
}

function exponential(mean: number, random: Random): number {
  return -Math.log(1 - random()) * mean;
}
