import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../statistics/block-bootstrap.ts';
import { latencyDrift, throughputDrift } from './steadiness.ts';

const trials = 500;

/** How many of 500 made-up trials with normal noise are called unsteady. */
function unsteadyRatio(seconds: number, noise: number, level: (progress: number) => number): number {
  const random = seededRandom(5);
  let unsteady = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    const perSecond = Array.from(
      { length: seconds },
      (_, second) => 100 * level(second / seconds) * (1 + noise * normal(random)),
    );
    if (throughputDrift(perSecond) !== null) unsteady += 1;
  }
  return unsteady / trials;
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function exponential(random: Random, ratePerS: number): number {
  return -Math.log(1 - random()) / ratePerS;
}

describe('unsteady throughput', () => {
  it.each([8, 10, 20, 60, 300])('is found in at most 2 % of steady trials of %d s with noise of 5 %', (seconds) => {
    expect(unsteadyRatio(seconds, 0.05, () => 1)).toBeLessThanOrEqual(0.02);
  });

  it.each([
    { arrivalRatePerS: 5, seconds: 20 },
    { arrivalRatePerS: 20, seconds: 30 },
    { arrivalRatePerS: 100, seconds: 60 },
  ])(
    'is found in at most 1 % of trials of $seconds s in which $arrivalRatePerS/s come at random',
    ({ arrivalRatePerS, seconds }) => {
      const random = seededRandom(3);
      let unsteady = 0;
      for (let trial = 0; trial < trials; trial += 1) {
        const perSecond: number[] = new Array(seconds).fill(0);
        for (
          let atS = exponential(random, arrivalRatePerS);
          atS < seconds;
          atS += exponential(random, arrivalRatePerS)
        ) {
          perSecond[Math.floor(atS)] = (perSecond[Math.floor(atS)] ?? 0) + 1;
        }
        if (throughputDrift(perSecond) !== null) unsteady += 1;
      }
      expect(unsteady / trials).toBeLessThanOrEqual(0.01);
    },
  );

  it.each([
    { what: 'a rise by half, 8 s', seconds: 8, level: (at: number) => 0.75 + 0.5 * at, atLeast: 0.5 },
    { what: 'a fall by half, 10 s', seconds: 10, level: (at: number) => 1.25 - 0.5 * at, atLeast: 0.7 },
    { what: 'a rise by half, 30 s', seconds: 30, level: (at: number) => 0.75 + 0.5 * at, atLeast: 0.99 },
    {
      what: 'a collapse after two thirds, 30 s',
      seconds: 30,
      level: (at: number) => (at < 0.67 ? 1 : 0.5),
      atLeast: 0.99,
    },
    {
      what: 'a step up past the middle, 60 s',
      seconds: 60,
      level: (at: number) => (at < 0.6 ? 0.7 : 1),
      atLeast: 0.99,
    },
  ])('is found in at least $atLeast of the trials with $what', ({ seconds, level, atLeast }) => {
    expect(unsteadyRatio(seconds, 0.05, level)).toBeGreaterThanOrEqual(atLeast);
  });

  it('is not a drift of less than 10 %, however certain', () => {
    const rising = (to: number) => Array.from({ length: 10 }, (_, second) => (second < 5 ? 1000 : to) + (second % 2));
    expect(throughputDrift(rising(1050))).toBeNull();
    expect(throughputDrift(rising(1200))).toMatchObject({ code: 'throughput-drift', firstHalfPerS: 1000.4 });
  });

  it('is not claimed where there is too little to look at, or nothing at all', () => {
    expect(throughputDrift([1, 100, 1, 100, 1])).toBeNull();
    expect(throughputDrift(new Array(30).fill(0))).toBeNull();
    expect(throughputDrift([])).toBeNull();
  });

  it('says when it settled', () => {
    // Both halves have the same mean, so only the steady-state rule can see it: calm from second 35 on.
    const settlesLate = Array.from({ length: 60 }, (_, second) => {
      if (second < 15) return 146;
      return second < 35 ? 30 : 100;
    });
    expect(throughputDrift(settlesLate)).toEqual({
      code: 'throughput-settled-late',
      afterSeconds: 35,
      ofSeconds: 60,
      settledPerS: 100,
      wholePerS: expect.closeTo(88.17, 2),
    });
  });
});

interface Queue {
  /** Of one server. */
  readonly utilization: number;
  readonly arrivalRatePerS: number;
  readonly durationS: number;
  readonly warmUpS: number;
  /** How many times as long service takes, by the second in which it begins. */
  readonly slownessAt?: (atS: number) => number;
}

const grows = (drift: NonNullable<ReturnType<typeof latencyDrift>>) => drift.secondHalfMeanS > drift.firstHalfMeanS;

/** In which share of so many M/M/1 queues a drift of latency is seen: growing, and falling. */
function driftsOf(queues: number, queue: Queue): { readonly growing: number; readonly falling: number } {
  const random = seededRandom(17);
  const seen = { growing: 0, falling: 0 };
  for (let trial = 0; trial < queues; trial += 1) {
    const drift = latencyDrift(meanLatencies(queue, random));
    if (drift !== null) seen[grows(drift) ? 'growing' : 'falling'] += 1;
  }
  return { growing: seen.growing / queues, falling: seen.falling / queues };
}

/** Of each second, by when it ended. */
function meanLatencies(
  { utilization, arrivalRatePerS, durationS, warmUpS, slownessAt = () => 1 }: Queue,
  random: Random,
): readonly number[] {
  const seconds = Array.from({ length: durationS }, () => ({ sumS: 0, count: 0 }));
  let freeAtS = -warmUpS;
  for (let atS = -warmUpS; atS < durationS; atS += exponential(random, arrivalRatePerS)) {
    const beginS = Math.max(atS, freeAtS);
    freeAtS = beginS + slownessAt(beginS) * exponential(random, arrivalRatePerS / utilization);
    const second = seconds[Math.floor(freeAtS)];
    if (second === undefined) continue;
    second.sumS += freeAtS - atS;
    second.count += 1;
  }
  return seconds.filter(({ count }) => count > 0).map(({ sumS, count }) => sumS / count);
}

describe('drifting latency', () => {
  it.each([
    { utilization: 0.8, arrivalRatePerS: 100, durationS: 6, atMost: 0.03 },
    { utilization: 0.8, arrivalRatePerS: 100, durationS: 10, atMost: 0.02 },
    { utilization: 0.8, arrivalRatePerS: 100, durationS: 30, atMost: 0.02 },
    { utilization: 0.8, arrivalRatePerS: 500, durationS: 20, atMost: 0.02 },
    { utilization: 0.8, arrivalRatePerS: 20, durationS: 20, atMost: 0.07 },
    { utilization: 0.5, arrivalRatePerS: 20, durationS: 60, atMost: 0.02 },
  ])(
    'is seen in at most $atMost of the steady queues of utilization $utilization at $arrivalRatePerS/s for $durationS s',
    ({ atMost, ...queue }) => {
      const { growing, falling } = driftsOf(500, { ...queue, warmUpS: 20 });
      expect(growing + falling).toBeLessThanOrEqual(atMost);
    },
  );

  it.each([
    { what: '20 % more comes than is served, 10 s', utilization: 1.2, durationS: 10, atLeast: 0.9 },
    { what: '20 % more comes than is served, 30 s', utilization: 1.2, durationS: 30, atLeast: 0.98 },
    { what: 'twice as much comes as is served, 6 s', utilization: 2, durationS: 6, atLeast: 0.95 },
    { what: '5 % more comes than is served, 60 s', utilization: 1.05, durationS: 60, atLeast: 0.9 },
  ])('grows where $what', ({ atLeast, utilization, durationS }) => {
    const { growing, falling } = driftsOf(100, { utilization, durationS, arrivalRatePerS: 100, warmUpS: 5 });
    expect(growing).toBeGreaterThanOrEqual(atLeast);
    expect(falling).toBe(0);
  });

  it.each([
    { what: '1.8 times as slow at first', slownessAt: (atS: number) => 1 + 0.8 * Math.exp(-atS / 10) },
    { what: 'three times as slow, less and less for 20 s', slownessAt: (atS: number) => Math.max(1, 3 - atS / 10) },
  ])('falls where the system warms up, whatever the throughput is: $what', ({ slownessAt }) => {
    const queue = { utilization: 0.3, arrivalRatePerS: 100, durationS: 60, warmUpS: 0 };
    const { growing, falling } = driftsOf(100, { ...queue, slownessAt });
    expect(falling).toBeGreaterThanOrEqual(0.9);
    expect(growing).toBe(0);
  });

  it('has the means it went from and to', () => {
    const step = Array.from({ length: 12 }, (_, second) => (second < 6 ? 0.02 : 0.05) + 0.001 * (second % 3));
    expect(latencyDrift(step)).toEqual({
      code: 'latency-drift',
      firstHalfMeanS: expect.closeTo(0.021),
      secondHalfMeanS: expect.closeTo(0.051),
    });
    expect(latencyDrift(step.toReversed())).toMatchObject({ firstHalfMeanS: expect.closeTo(0.051) });
    expect(latencyDrift([0.01, 0.012, 0.014, 0.016, 0.018, 0.02])).not.toBeNull();
    expect(latencyDrift([0.01, 0.012, 0.011, 0.016, 0.018, 0.02])).toBeNull();
  });

  it('is not claimed where there is too little to look at, or where it is small', () => {
    expect(latencyDrift([])).toBeNull();
    expect(latencyDrift([1, 2, 4, 8, 16])).toBeNull();
    expect(latencyDrift(Array.from({ length: 60 }, (_, second) => 0.02 + 0.00005 * second))).toBeNull();
    expect(latencyDrift(new Array(10).fill(0.02))).toBeNull();
  });
});
