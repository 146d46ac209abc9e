import { describe, expect, test } from 'vitest';
import { judgeChanges, looks, looksWithin, sidesOfPairs, visibleRatio } from './paired-change.ts';

const tolerance = 0.1;

/** So many changes around a middle, none of them the same, half of them above it. */
function changes(pairs: number, middle: number, spread = 0.01): readonly number[] {
  return Array.from({ length: pairs }, (_, index) => middle + spread * ((index + 0.5) / pairs - 0.5));
}

function lookAt(pairs: number) {
  const look = looks.find((each) => each.pairs === pairs);
  if (look === undefined) throw new Error('there is no such look');
  return look;
}

const kindsAt = (pairs: number, ...all: readonly (readonly number[])[]) =>
  judgeChanges(all, lookAt(pairs), tolerance).map(({ kind }) => kind);

describe('several metrics', () => {
  test('all looks together spend less than 2 %', () => {
    expect(looks.map(({ pairs }) => pairs)).toEqual([8, 14, 20, 30]);
    expect(looks.reduce((sum, { errorProbability }) => sum + errorProbability, 0)).toBeCloseTo(0.017, 12);
  });

  test('of eight pairs the first alone can alarm, and only far off', () => {
    const [none, far] = [changes(8, 0), changes(8, 0.2)];
    expect(kindsAt(8, far, none, none)).toEqual(['slower', 'not-slower', 'not-slower']);
    expect(kindsAt(8, none, far, none)[1]).toBe('undecided');
    expect(kindsAt(8, changes(8, 0.07), none)[0]).toBe('undecided');
    expect(kindsAt(14, changes(14, 0.07), changes(14, 0))[0]).toBe('slower');
  });

  test('an alarm about the first names the others that changed too', () => {
    const far = changes(8, 0.2);
    expect(kindsAt(8, far, far, far, changes(8, 0))).toEqual(['slower', 'slower', 'slower', 'not-slower']);
  });

  test('others alarm without the first as soon as Holm allows', () => {
    const others = (pairs: number, count: number) => Array.from({ length: count }, () => changes(pairs, 0));
    const kindOfOne = (pairs: number, count: number) =>
      kindsAt(pairs, changes(pairs, 0), changes(pairs, 0.1), ...others(pairs, count))[1];
    // 2^-14 is below 0.003 / 8 / 2 / 3, and above the same by 4.
    expect(kindOfOne(14, 2)).toBe('slower');
    expect(kindOfOne(14, 3)).toBe('undecided');
    expect(kindOfOne(20, 30)).toBe('slower');
  });

  test('a change that is sure and too small to matter is no alarm', () => {
    expect(kindsAt(30, changes(30, 0.03))).toEqual(['not-slower']);
  });
});

describe('what a gate sees', () => {
  const first = { metrics: 20, isFirst: true, toleranceRatio: tolerance };

  test('grows with noise, and is less for the first metric and for more pairs', () => {
    const at = (noise: number, pairs = 30, isFirst = true) => visibleRatio(noise, pairs, { ...first, isFirst }) ?? 9;
    expect(at(0)).toBeCloseTo(1.05, 10);
    expect(at(0.1)).toBeGreaterThan(1.08);
    expect(at(0.1)).toBeLessThan(1.11);
    expect(at(0.1, 14)).toBeGreaterThan(at(0.1));
    expect(at(0.1, 30, false)).toBeGreaterThan(at(0.1));
  });

  test('is nothing where so many pairs cannot alarm', () => {
    expect(visibleRatio(0.01, 7, first)).toBeNull();
    expect(visibleRatio(0.01, 8, { ...first, isFirst: false })).toBeNull();
  });
});

test('looks are those that the time allows, and the first one always', () => {
  expect(looksWithin(3).map(({ pairs }) => pairs)).toEqual([8]);
  expect(looksWithin(20.5).map(({ pairs }) => pairs)).toEqual([8, 14, 20]);
});

test('in every two pairs each comes first once, by a seed', () => {
  const orders = sidesOfPairs(20, 3).map(([first]) => first);
  for (let pair = 0; pair < 20; pair += 2) expect(new Set(orders.slice(pair, pair + 2)).size).toBe(2);
  expect(sidesOfPairs(20, 3)).toEqual(sidesOfPairs(20, 3));
  expect(sidesOfPairs(20, 4)).not.toEqual(sidesOfPairs(20, 3));
});
