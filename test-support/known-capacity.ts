import type { Random } from '../harness/statistics/block-bootstrap.ts';

/** Simulated servers whose sustained rate is known, for tests and the benchmark of the search. Queues start empty. */

export interface Answers {
  readonly all: number;
  /** Slower than the server's latency limit, or failed. */
  readonly bad: number;
  /** Of a server with a goal of at most `ERROR_GOAL_RATIO` of errors. */
  readonly failed?: number;
}

export interface TrialTimes {
  /** Not counted, before each trial, as in a run. */
  readonly warmUpS: number;
  readonly durationS: number;
  /** Since the start of the search. */
  readonly atS: number;
}

export interface KnownServer {
  readonly name: string;
  /** The rate at which 5 % are bad, or the errors reach their goal. `tookS`: for a server that drifts, seconds of the search; the middle of it counts. */
  readonly truthPerS: (tookS: number) => number;
  /** Where lower rates miss too, the lowest that does is an answer as well. */
  readonly lowestMissPerS?: number;
  /** What it serves at most, about. */
  readonly capacityPerS: number;
  readonly trial: (ratePerS: number, times: TrialTimes, random: Random) => Answers;
}

export const ERROR_GOAL_RATIO = 0.001;

const DRIFT_PER_S = 0.0001;

/** Capacity differs from trial to trial by lognormal noise; `noise` is the standard deviation of its logarithm. */
export function knownServers(noise: number): readonly KnownServer[] {
  const factor = (random: Random) => Math.exp(noise * normal(random));
  const markov =
    (drift: (atS: number) => number): KnownServer['trial'] =>
    (ratePerS, times, random) => {
      const served = 250 * drift(times.atS) * factor(random);
      return queue(
        ratePerS,
        times,
        { servers: 1, limitS: 0.2, serviceS: () => exponential(1 / served, random) },
        random,
      );
    };
  const drift = (atS: number) => 1 - DRIFT_PER_S * Math.min(atS, 300);
  const cliff =
    (hasBump: boolean): KnownServer['trial'] =>
    (ratePerS, { durationS }, random) => {
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
      trial: (ratePerS, times, random) => {
        const serviceS = 0.01 / factor(random);
        return queue(ratePerS, times, { servers: 4, limitS: 0.05, serviceS: () => serviceS }, random);
      },
    },
    { name: 'cliff', capacityPerS: 300, truthPerS: () => 300, trial: cliff(false) },
    { name: 'not monotone', capacityPerS: 300, lowestMissPerS: 225, truthPerS: () => 300, trial: cliff(true) },
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
      trial: (ratePerS, times, random) => {
        const speed = factor(random);
        const serviceS = () => (0.06 * (0.9 + 0.2 * random())) / speed;
        return queue(ratePerS, times, { servers: 2, limitS: 0.3, serviceS }, random);
      },
    },
  ];
}

/** Others than those by which the search was made: what holds for them may hold for a server that nobody knows. */
export function otherServers(noise: number): readonly KnownServer[] {
  const server = (
    name: string,
    capacityPerS: number,
    truthPerS: number,
    { servers, limitS, service }: Omit<Queue, 'serviceS'> & { readonly service: (random: Random) => Queue['serviceS'] },
  ): KnownServer => ({
    name,
    capacityPerS,
    truthPerS: () => truthPerS,
    trial(ratePerS, times, random) {
      const speed = Math.exp(noise * normal(random));
      const serviceS = service(random);
      return queue(ratePerS, times, { servers, limitS, serviceS: (atS) => serviceS(atS) / speed }, random);
    },
  });
  const markov = (perS: number) => (random: Random) => () => exponential(1 / perS, random);
  return [
    server('M/M/1, 60/s', 60, 60 - Math.log(20) / 0.5, { servers: 1, limitS: 0.5, service: markov(60) }),
    server('M/M/1, 1,000/s', 1000, 1000 - Math.log(20) / 0.1, { servers: 1, limitS: 0.1, service: markov(1000) }),
    server('long-tailed', 250, LONG_TAILED_TRUTH, { servers: 2, limitS: 0.2, service: longTailed }),
    server('bursty', 325, BURSTY_TRUTH, { servers: 1, limitS: 0.2, service: bursty }),
    server('slow login', 10, SLOW_LOGIN_TRUTH, {
      servers: 1,
      limitS: 0.5,
      service: (random) => () => 0.09 + 0.02 * random(),
    }),
    {
      name: 'errors',
      capacityPerS: 300,
      truthPerS: () => 200,
      trial(ratePerS, times, random) {
        const speed = Math.exp(noise * normal(random));
        const served = 300 * speed;
        const serviceS = () => exponential(1 / served, random);
        const { all, bad } = queue(ratePerS, times, { servers: 1, limitS: 0.2, serviceS }, random);
        // From 0.02 % of errors at 150/s to 0.5 % at 250/s.
        const ratio = ERROR_GOAL_RATIO * 25 ** ((ratePerS / speed - 200) / 100);
        let failed = 0;
        for (let request = 0; request < all; request += 1) if (random() < ratio) failed += 1;
        return { all, bad: Math.min(all, bad + failed), failed };
      },
    },
  ];
}

/** Lognormal with a coefficient of variation of 2, 8 ms in the mean. */
function longTailed(random: Random): Queue['serviceS'] {
  const variance = Math.log(5);
  return () => 0.008 * Math.exp(Math.sqrt(variance) * normal(random) - variance / 2);
}

/** 400/s, and in stretches of 0.15 s on average, after 0.35 s on average, 150/s. */
function bursty(random: Random): Queue['serviceS'] {
  let isSlow = false;
  let untilS = 0;
  return (atS) => {
    while (untilS <= atS) {
      isSlow = !isSlow;
      untilS += exponential(isSlow ? 0.15 : 0.35, random);
    }
    return exponential(1 / (isSlow ? 150 : 400), random);
  };
}

/** Found by bisection over 20,000 s without noise and more. */
const MD4_TRUTH = 365.33;
const LOGIN_TRUTH = 27.829;
const LONG_TAILED_TRUTH = 209.75;
const BURSTY_TRUTH = 236.44;
const SLOW_LOGIN_TRUTH = 6.923;

interface Queue {
  readonly servers: number;
  readonly limitS: number;
  /** Of a request that is taken at that time. */
  readonly serviceS: (atS: number) => number;
}

function queue(
  ratePerS: number,
  { warmUpS, durationS }: TrialTimes,
  { servers, limitS, serviceS }: Queue,
  random: Random,
): Answers {
  const free = new Float64Array(servers);
  let all = 0;
  let bad = 0;
  for (let atS = 0; ; ) {
    atS += exponential(1 / ratePerS, random);
    if (atS > warmUpS + durationS) return { all, bad };
    let first = 0;
    for (let each = 1; each < free.length; each += 1) if ((free[each] ?? 0) < (free[first] ?? 0)) first = each;
    const takenS = Math.max(atS, free[first] ?? 0);
    const endS = takenS + serviceS(takenS);
    free[first] = endS;
    if (atS < warmUpS) continue;
    all += 1;
    if (endS - atS > limitS) bad += 1;
  }
}

function exponential(mean: number, random: Random): number {
  return -Math.log(1 - random()) * mean;
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
