import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatNumber } from '../../harness/core/units.ts';
import { linearTicks, loadAxis, logTicks, rateAxis, timeTicks, yAxis } from './axes.ts';

describe('axes', () => {
  const positive = fc.double({ min: 1e-6, max: 1e9, noNaN: true });

  test('every value lies between the first and the last tick, and the ticks ascend', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 20 }), (values) => {
        const axis = yAxis('y', values, formatNumber);
        const ticks = axis.ticks.map(({ value }) => value);
        expect(ticks).toEqual(ticks.toSorted((left, right) => left - right));
        expect(new Set(ticks).size).toBe(ticks.length);
        for (const value of values) {
          expect(value).toBeGreaterThanOrEqual(axis.from * (1 - 1e-9));
          expect(value).toBeLessThanOrEqual(axis.to * (1 + 1e-9));
        }
        expect(ticks.length).toBeLessThan(20);
      }),
    );
  });

  test('a wide range is logarithmic, a narrow one starts at 0', () => {
    expect(yAxis('y', [17, 1647], formatNumber).scale).toBe('log');
    expect(yAxis('y', [150, 200], formatNumber)).toMatchObject({ scale: 'linear', from: 0, to: 200 });
    expect(yAxis('y', [], formatNumber)).toMatchObject({ scale: 'linear', from: 0, to: 1 });
  });

  test('ticks are round', () => {
    expect(linearTicks(0.95, formatNumber).map(({ label }) => label)).toEqual(['0', '0.2', '0.4', '0.6', '0.8', '1']);
    expect(logTicks(17, 1647, formatNumber).map(({ value }) => value)).toEqual([10, 20, 50, 100, 200, 500, 1000, 2000]);
    expect(timeTicks(9, 325, formatNumber).map(({ value }) => value)).toEqual([60, 120, 180, 240, 300]);
  });

  test('rates stand as far apart as they are, with room for the marks at both ends', () => {
    expect(rateAxis('x', [50, 400], formatNumber)).toMatchObject({ scale: 'linear', from: 0, to: 420 });
    const wide = rateAxis('x', [10, 5000], formatNumber);
    expect(wide).toMatchObject({ scale: 'log', from: 10 / 1.2, to: 6000 });
    expect(wide.ticks.map(({ value }) => value)).toEqual([10, 20, 50, 100, 200, 500, 1000, 2000, 5000]);
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 }), (rates) => {
        const { from, to, ticks } = rateAxis('x', rates, formatNumber);
        expect(ticks.length).toBeGreaterThan(0);
        for (const value of [...rates, ...ticks.map((tick) => tick.value)]) {
          expect(value).toBeGreaterThanOrEqual(from);
          expect(value).toBeLessThanOrEqual(to);
        }
      }),
    );
  });

  test('each load has its tick', () => {
    expect(loadAxis('x', [100, 1, 10, 10], formatNumber)).toMatchObject({
      scale: 'log',
      ticks: [{ value: 1 }, { value: 10 }, { value: 100 }],
    });
    expect(loadAxis('x', [10], formatNumber)).toMatchObject({ scale: 'linear', from: 9, to: 11 });
  });
});
