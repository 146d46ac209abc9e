import { expect, test } from 'vitest';
import { binomialAtMost } from './binomial.ts';
import { atLeastOf } from './sign-test.ts';

test('with equal chances it is the tail of the binomial distribution', () => {
  for (const [successes, trials] of [
    [5, 5],
    [7, 8],
    [9, 11],
    [0, 3],
  ] as const) {
    const tail = 1 - binomialAtMost(successes - 1, trials, 0.5);
    expect(atLeastOf(successes, new Array<number>(trials).fill(0.5))).toBeCloseTo(tail, 12);
  }
});

test('with different chances it is the sum over all outcomes', () => {
  // 0.1 * 0.5 * 0.7 = 0.035 for all three; two of three: 0.1*0.5*0.3 + 0.1*0.5*0.7 + 0.9*0.5*0.7 = 0.365.
  expect(atLeastOf(3, [0.1, 0.5, 0.7])).toBeCloseTo(0.035, 12);
  expect(atLeastOf(2, [0.1, 0.5, 0.7])).toBeCloseTo(0.4, 12);
});
