import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import {
  type Choice,
  drawWorlds,
  type Inputs,
  leastRegret,
  likelyWorld,
  quantileOf,
  sizeOf,
  spreadOf,
  tornado,
  type Uncertain,
} from './monte-carlo.ts';

const WORLDS = 10_000;
const range = (low: number, high: number): Uncertain => ({ value: (low + high) / 2, low, high, shape: 'range' });

describe('worlds', () => {
  const inputs: Inputs<'interval' | 'lopsided' | 'range' | 'exact'> = {
    interval: { value: 100, low: 50, high: 200, shape: 'interval' },
    lopsided: { value: 10, low: 9, high: 40, shape: 'interval' },
    range: range(2, 4),
    exact: range(7, 7),
  };
  const worlds = drawWorlds(inputs, WORLDS, seededRandom(1));

  it('have 95 % of an interval between its ends, and its value in the middle', () => {
    for (const id of ['interval', 'lopsided'] as const) {
      const { value, low, high } = spreadOf(worlds.map((world) => world[id]));
      expect(value / inputs[id].value).toBeCloseTo(1, 1);
      expect(low / inputs[id].low).toBeCloseTo(1, 1);
      expect(high / inputs[id].high).toBeCloseTo(1, 1);
    }
  });

  it('have a range evenly, and what is exact exactly', () => {
    const { value, low, high } = spreadOf(worlds.map((world) => world.range));
    expect(value).toBeCloseTo(3, 1);
    expect(low).toBeCloseTo(2.05, 1);
    expect(high).toBeCloseTo(3.95, 1);
    expect(worlds.every(({ exact, range: each }) => exact === 7 && each >= 2 && each <= 4)).toBe(true);
  });

  it('are the same for the same seed', () => {
    expect(drawWorlds(inputs, 50, seededRandom(1))).toEqual(worlds.slice(0, 50));
    expect(drawWorlds(inputs, 50, seededRandom(2))).not.toEqual(worlds.slice(0, 50));
  });

  test('the product of two lognormal intervals has their logarithms added as squares', () => {
    const two = drawWorlds({ a: inputs.interval, b: inputs.interval }, WORLDS, seededRandom(3));
    const { value, high } = spreadOf(two.map(({ a, b }) => a * b));
    // ln 2 for each: √2 ln 2 together.
    expect(value / 1e4).toBeCloseTo(1, 1);
    expect(Math.log(high / 1e4)).toBeCloseTo(Math.SQRT2 * Math.LN2, 1);
  });
});

test('quantiles are values that occur', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([0, 0.5, 0.95, 1].map((share) => quantileOf(hundred, share))).toEqual([1, 50, 95, 100]);
});

describe('tornado', () => {
  it('moves one input at a time, and has the largest swing first', () => {
    const inputs = { small: range(1, 2), exact: range(5, 5), large: range(10, 30) };
    expect(tornado(inputs, ({ small, exact, large }) => small * exact * large)).toEqual([
      { input: 'large', atLow: 75, atHigh: 225 },
      { input: 'small', atLow: 100, atHigh: 200 },
    ]);
  });

  it('of a sum has each range as its swing, whatever the others are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 100 })), {
          minLength: 1,
          maxLength: 6,
        }),
        (ends) => {
          const inputs = Object.fromEntries(ends.map(([low, width], index) => [`x${index}`, range(low, low + width)]));
          const swings = tornado(inputs, (world) => Object.values(world).reduce((total, each) => total + each, 0));
          expect(swings.map(sizeOf)).toEqual(ends.map(([, width]) => width).toSorted((one, other) => other - one));
          expect(Object.values(likelyWorld(inputs))).toHaveLength(ends.length);
        },
      ),
    );
  });
});

describe('least regret', () => {
  const choices: readonly Choice[] = [1, 2].map((each) => ({ cost: each, capacity: each }));

  it('buys more where capacity that is missing costs more than capacity that is not needed', () => {
    const [first, second] = leastRegret(choices, [1, 2], 3);
    // 1 is paid and not needed; or half of a demand that costs 2 is missing, three times.
    expect(first).toEqual({ choice: choices[1], regrets: [1, 0] });
    expect(second).toEqual({ choice: choices[0], regrets: [0, 3] });
    expect(leastRegret(choices, [1, 2], 0.5)[0]?.choice).toEqual(choices[0]);
  });

  it('has no regret of what nobody carries, nor of the best choice for one demand', () => {
    expect(leastRegret(choices, [5], 3).map(({ regrets }) => regrets)).toEqual([[0], [0]]);
    fc.assert(
      fc.property(
        fc.array(fc.record({ cost: fc.integer({ min: 1, max: 99 }), capacity: fc.integer({ min: 1, max: 9 }) }), {
          minLength: 1,
        }),
        fc.integer({ min: 1, max: 9 }),
        (all, demand) => {
          const [best] = leastRegret(all, [demand], 100);
          const carrying = all.filter(({ capacity }) => capacity >= demand).map(({ cost }) => cost);
          expect(best?.regrets).toEqual([0]);
          expect(carrying.length === 0 || best?.choice.cost === Math.min(...carrying)).toBe(true);
        },
      ),
    );
  });
});
