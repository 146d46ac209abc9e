import { describe, expect, it, test } from 'vitest';
import { leastSquares } from './least-squares.ts';

/** NIST StRD, Misra1a and MGH09: data, starting values and certified values of nist.gov/itl/products-services/strd. */
const misra1a = {
  x: [77.6, 114.9, 141.1, 190.8, 239.9, 289, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760],
  y: [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.4, 75.47, 81.78],
  model: ([b1 = 0, b2 = 0]: readonly number[], x: number) => b1 * (1 - Math.exp(-b2 * x)),
  certified: [2.3894212918e2, 5.5015643181e-4],
  squares: 1.2455138894e-1,
};
const mgh09 = {
  x: [4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625],
  y: [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246],
  model: ([b1 = 0, b2 = 0, b3 = 0, b4 = 0]: readonly number[], x: number) =>
    (b1 * (x ** 2 + x * b2)) / (x ** 2 + x * b3 + b4),
  certified: [1.9280693458e-1, 1.9128232873e-1, 1.2305650693e-1, 1.3606233068e-1],
  squares: 3.0750560385e-4,
};

const problem = ({ x, y, model }: typeof misra1a, start: readonly number[]) => ({
  residuals: (parameters: readonly number[]) => y.map((value, index) => value - model(parameters, x[index] ?? 0)),
  start,
  bounds: start.map(() => [-Infinity, Infinity] as const),
});

describe('NIST reference data, to 6 digits', () => {
  test.each([
    ['Misra1a, start 1', misra1a, [500, 0.0001]],
    ['Misra1a, start 2', misra1a, [250, 0.0005]],
    ['MGH09, start 1', mgh09, [25, 39, 41.5, 39]],
    ['MGH09, start 2', mgh09, [0.25, 0.39, 0.415, 0.39]],
  ])('%s', (_, data, start) => {
    const { parameters, squares } = leastSquares(problem(data, start));
    for (const [index, certified] of data.certified.entries()) {
      expect(Math.abs((parameters[index] ?? 0) / certified - 1)).toBeLessThan(1e-6);
    }
    expect(Math.abs(squares / data.squares - 1)).toBeLessThan(1e-6);
  });
});

it('stays within its bounds, and finds the best of what is left', () => {
  const residuals = ([a = 0, b = 0]: readonly number[]) => [a - 3, b - 1, a + b - 4];
  const { parameters } = leastSquares({
    residuals,
    start: [0, 0],
    bounds: [
      [0, 2],
      [0, 10],
    ],
  });
  expect(parameters[0]).toBe(2);
  expect(parameters[1]).toBeCloseTo(1.5, 9);
});

it('leaves a parameter that changes nothing where it starts', () => {
  const { parameters, squares } = leastSquares({
    residuals: ([a = 0]) => [a - 5, a - 5],
    start: [1, 7],
    bounds: [
      [0, 10],
      [0, 10],
    ],
  });
  expect(parameters[0]).toBeCloseTo(5, 9);
  expect(parameters[1]).toBe(7);
  expect(squares).toBeCloseTo(0, 12);
});
