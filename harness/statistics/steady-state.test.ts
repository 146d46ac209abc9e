import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { steadyStateStart } from './steady-state.ts';

describe('the start of the steady state', () => {
  it('follows the definition: worked example', () => {
    // By hand, batches of 1: cuts 0..5 leave 10..5 values; only the 1 and the 4 differ from 10.
    // Cut 0: mean 8.5, squares 94.5 / 100; cut 1: 9.33, 32 / 81; cut 2: 0.
    expect(steadyStateStart([1, 4, 10, 10, 10, 10, 10, 10, 10, 10], 1)).toBe(2);
  });

  it('is the start when nothing changes, and 0 when there is too little to look at', () => {
    expect(steadyStateStart(new Array(60).fill(7))).toBe(0);
    expect(steadyStateStart([])).toBe(0);
    expect(steadyStateStart([1, 2, 3], 1)).toBe(0);
  });

  it('is where a warm-up ends, to a batch, in noise of 5 %', () => {
    const random = seededRandom(1);
    const noisy = (level: number) => level * (0.95 + 0.1 * random());
    const observations = Array.from({ length: 100 }, (_, second) => noisy(second < 22 ? 300 : 1000));
    expect(steadyStateStart(observations)).toBeGreaterThanOrEqual(20);
    expect(steadyStateStart(observations)).toBeLessThanOrEqual(30);
  });

  it('is past half when the level never settles', () => {
    const climbing = Array.from({ length: 100 }, (_, second) => 100 + 10 * second);
    expect(steadyStateStart(climbing)).toBeGreaterThan(50);
  });

  it('does not depend on the unit of what is observed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 30, maxLength: 80 }),
        fc.constantFrom(0.5, 2, 1024),
        (observations, factor) => {
          const scaled = observations.map((value) => value * factor);
          expect(steadyStateStart(scaled)).toBe(steadyStateStart(observations));
        },
      ),
    );
  });
});
