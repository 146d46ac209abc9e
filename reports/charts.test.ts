import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatNumber } from '../harness/core/units.ts';
import { analyse } from './analysis.ts';
import { linearTicks, loadAxis, logTicks, rateAxis, timeTicks, yAxis } from './axes.ts';
import type { ChartDescription } from './chart.ts';
import { syntheticRun } from './fixtures/synthetic-run.ts';

const analysis = analyse(syntheticRun());

function chart(id: string): ChartDescription {
  const found = analysis.tiers[0]?.charts.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no chart ${id}`);
  return found;
}

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

test('throughput and p95 show each scenario with its intervals, the limit, and which trials are not sound', () => {
  const [panel] = chart('single-latency').panels;
  expect(panel?.series.map(({ label }) => label)).toEqual(['login', 'crud', 'browse']);
  expect(panel?.targets).toEqual([{ value: 0.2, label: 'target < 200 ms', shortLabel: '< 200 ms' }]);
  for (const { y, low, high } of panel?.series.flatMap(({ points }) => points) ?? []) {
    expect(low).toBeLessThanOrEqual(y ?? Number.NaN);
    expect(high).toBeGreaterThanOrEqual(y ?? Number.NaN);
  }
  const hollow = panel?.series.flatMap(({ label, points }) =>
    points.filter(({ sound }) => !sound).map(({ x }) => [label, x]),
  );
  expect(hollow).toEqual([['browse', 100]]);
  expect(chart('single-throughput').panels[0]?.targets.map(({ value }) => value)).toEqual([1000]);
});

test('the distribution ascends and ends where the samples no longer allow an interval', () => {
  const series = chart('single-distribution').panels[0]?.series ?? [];
  for (const { points } of series) {
    const latencies = points.map(({ y }) => y ?? Number.NaN);
    expect(latencies).toEqual(latencies.toSorted((left, right) => left - right));
  }
  // 331 logins: too few for p99, which needs 368.
  const login = series[0]?.points.at(-1);
  expect(login?.x).toBeLessThan(2);
  expect(login?.x).toBeGreaterThan(1.8);
});

test('the time line has CPU of each process, throughput and p95, broken between trials', () => {
  const { panels, spans } = chart('single-time-line');
  expect(panels.map(({ y }) => y.title)).toEqual(['CPU', 'Requests/s', 'p95 latency']);
  expect(panels[0]?.series.map(({ label }) => label)).toEqual(['api/1', 'primary/1', 'generator']);
  expect(spans).toHaveLength(21);
  for (const { points } of panels.flatMap(({ series }) => series)) {
    expect(points.filter(({ y }) => y === null)).toHaveLength(21);
    const times = points.map(({ x }) => x);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
  }
});
