import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../statistics/seeded-random.ts';
import { describeUnsteadiness } from './steadiness.ts';

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
    if (describeUnsteadiness(perSecond) !== null) unsteady += 1;
  }
  return unsteady / trials;
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

describe('unsteady throughput', () => {
  it.each([8, 10, 20, 60, 300])('is found in at most 2 % of steady trials of %d s with noise of 5 %', (seconds) => {
    expect(unsteadyRatio(seconds, 0.05, () => 1)).toBeLessThanOrEqual(0.02);
  });

  it.each([
    { what: 'a climb by half, 8 s', seconds: 8, level: (at: number) => 0.75 + 0.5 * at, atLeast: 0.5 },
    { what: 'a fall by half, 10 s', seconds: 10, level: (at: number) => 1.25 - 0.5 * at, atLeast: 0.7 },
    { what: 'a climb by half, 30 s', seconds: 30, level: (at: number) => 0.75 + 0.5 * at, atLeast: 0.99 },
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
    const climb = (to: number) => Array.from({ length: 10 }, (_, second) => (second < 5 ? 1000 : to) + (second % 2));
    expect(describeUnsteadiness(climb(1050))).toBeNull();
    expect(describeUnsteadiness(climb(1200))).toMatch(/^it went from 1,000/);
  });

  it('is not claimed where there is too little to look at, or nothing at all', () => {
    expect(describeUnsteadiness([1, 100, 1, 100, 1])).toBeNull();
    expect(describeUnsteadiness(new Array(30).fill(0))).toBeNull();
    expect(describeUnsteadiness([])).toBeNull();
  });

  it('says when it settled', () => {
    // Both halves have the same mean, so only the steady-state rule can see it: calm from second 35 on.
    const settlesLate = Array.from({ length: 60 }, (_, second) => {
      if (second < 15) return 146;
      return second < 35 ? 30 : 100;
    });
    expect(describeUnsteadiness(settlesLate)).toBe(
      'it settled only after 35 of 60 seconds, at 100/s instead of 88.2/s',
    );
  });
});
