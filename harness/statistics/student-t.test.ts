import { expect, it } from 'vitest';
import { studentT95, studentTBeyond } from './student-t.ts';

it.each([1, 2, 4, 9, 18, 20])('the 95 %% point of %i degrees of freedom is exceeded in 5 %%', (freedom) => {
  expect(studentTBeyond(studentT95(freedom), freedom)).toBeCloseTo(0.05, 4);
});

it('has the values that are known exactly', () => {
  // One degree of freedom is the Cauchy distribution; two have a closed form: 1 - t/sqrt(2 + t^2).
  expect(studentTBeyond(1, 1)).toBeCloseTo(0.5, 12);
  expect(studentTBeyond(10, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(10), 12);
  expect(studentTBeyond(3, 2)).toBeCloseTo(1 - 3 / Math.sqrt(11), 12);
  // Many degrees of freedom are the normal distribution.
  expect(studentTBeyond(1.959964, 1e7)).toBeCloseTo(0.05, 6);
  expect(studentTBeyond(0, 5)).toBe(1);
  expect(studentTBeyond(Number.POSITIVE_INFINITY, 5)).toBe(0);
});
