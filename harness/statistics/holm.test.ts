import { expect, it } from 'vitest';
import { holm } from './holm.ts';

it('holds the smallest against level / n, the next against level / (n - 1), and ends at the first that fails', () => {
  // 0.01 <= 0.05/4; 0.015 <= 0.05/3; 0.03 > 0.05/2, so 0.04 falls with it though it is below 0.05.
  expect(holm([0.03, 0.01, 0.04, 0.015], 0.05)).toEqual([false, true, false, true]);
});

it('is the plain level for one, and nothing for none', () => {
  expect(holm([0.05], 0.05)).toEqual([true]);
  expect(holm([], 0.05)).toEqual([]);
});
