import { expect, test } from 'vitest';
import { ratioOfGroups } from './group-ratio.ts';

test('the ratio of geometric means, with the interval of the t-test on logarithms', () => {
  // ln: 0, 0.1 and 0.5, 0.6; s = 0.0707, 2 degrees of freedom, t = 4.303: 0.5 +- 4.303 x 0.0707.
  const ratio = ratioOfGroups([1, Math.exp(0.1)], [Math.exp(0.5), Math.exp(0.6)]);
  expect(ratio?.value).toBeCloseTo(Math.exp(0.5), 10);
  expect(Math.log(ratio?.low ?? 0)).toBeCloseTo(0.5 - 4.303 * 0.070_71, 4);
  expect(Math.log(ratio?.high ?? 0)).toBeCloseTo(0.5 + 4.303 * 0.070_71, 4);
});

test('one figure against several takes its variation from those', () => {
  expect(ratioOfGroups([1], [1.1, 1.2, 1.3])?.low).toBeLessThan(1);
});

test.each([
  [[1], [2]],
  [[], [1, 2, 3]],
  [
    [0, 1],
    [1, 2],
  ],
])('nothing is said of %j and %j', (before, after) => {
  expect(ratioOfGroups(before, after)).toBeNull();
});
