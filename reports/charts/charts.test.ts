import { describe, expect, test } from 'vitest';
import { madeUpTierRun, rate, troubledRun, users } from '../../test-support/made-up-run.ts';
import { madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import { analyse } from '../analysis.ts';
import { chartsOf } from '../document.ts';
import { runDocument } from '../documents/run.ts';
import { tierChart } from './load-charts.ts';
import { faultChart } from './time-charts.ts';

const run = madeUpTierRun();
const charts = chartsOf(runDocument(analyse(run)).blocks);

function chart(id: string) {
  const found = charts.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no chart ${id} among ${charts.map((each) => each.id).join(', ')}`);
  return found;
}

test('each chart has an id of its own', () => {
  const ids = charts.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

describe('one scenario over its loads', () => {
  test('a line for each tier, in the colour of its place in the run, with intervals and targets', () => {
    const { panels } = chart('tiers.crud');
    expect(panels.map(({ targets }) => targets.map(({ value }) => value))).toEqual([[1000], [0.2]]);
    const lines = panels[1]?.series ?? [];
    expect(lines.map(({ label, style }) => [label, style])).toEqual([
      ['single', 0],
      ['pooled', 1],
      ['replicated', 2],
      ['cached', 3],
    ]);
    for (const { y, low, high } of lines.flatMap(({ points }) => points)) {
      expect(low).toBeLessThanOrEqual(y ?? Number.NaN);
      expect(high).toBeGreaterThanOrEqual(y ?? Number.NaN);
    }
  });

  test('a tier that was not run has no line, and the others keep their colours', () => {
    const troubled = chartsOf(runDocument(analyse(troubledRun(run))).blocks).find(({ id }) => id === 'tiers.crud');
    expect(troubled?.panels[1]?.series.map(({ label, style }) => [label, style])).toEqual([
      ['single', 0],
      ['replicated', 2],
      ['cached', 3],
    ]);
  });

  test('the line of what was offered is a reference and no measurement', () => {
    const [throughput] = chart('tiers.crud').panels;
    const offered = throughput?.series.filter(({ isReference }) => isReference === true) ?? [];
    expect(offered).toHaveLength(1);
    for (const { x, y } of offered[0]?.points ?? []) expect(y).toBeCloseTo(x);
  });

  test('an invalid trial is drawn hollow, failed and dropped requests have a panel', () => {
    const trials = [
      madeUpTrial({ load: rate(100) }),
      madeUpTrial({ load: rate(200), droppedPerS: 30, failedPerS: 5, generator: { utilizationRatio: 0.95 } }),
    ];
    const [tier] = analyse(madeUpRun(trials, [])).tiers;
    const drawn = tierChart('single', 'crud', tier?.scenarios[0]?.trials ?? [], [], 'open');
    expect(drawn?.panels.map(({ y }) => y.title)).toEqual(['Latency', 'Successful requests/s', 'Errors']);
    expect(drawn?.panels[2]?.series.map(({ label }) => label)).toEqual(['dropped', 'failed']);
    expect(drawn?.panels[0]?.series[0]?.points.map(({ valid }) => valid)).toEqual([true, false]);
  });

  test('a target far above a linear axis is named instead of drawn', () => {
    const target = madeUpTarget({
      value: 50_000,
      comparison: '>=',
      unit: 'requests/s',
      judged: { by: 'measured', metric: 'throughput' },
    });
    const [tier] = analyse(madeUpRun([madeUpTrial({ load: rate(100) })], [target])).tiers;
    const drawn = tierChart('single', 'crud', tier?.scenarios[0]?.trials ?? [], tier?.targets ?? [], 'open');
    expect(drawn?.panels[1]?.targets).toEqual([]);
    expect(drawn?.subtitle).toContain('50,000/s');
  });
});

test('the distribution ascends and ends where the samples allow no interval', () => {
  const series = chart('single-distribution').panels[0]?.series ?? [];
  for (const { points } of series) {
    const latencies = points.map(({ y }) => y ?? Number.NaN);
    expect(latencies).toEqual(latencies.toSorted((left, right) => left - right));
  }
  // 330 logins: too few for p99, which needs 368.
  expect(series[0]?.points.at(-1)?.x).toBeLessThan(2);
});

test('the ways of measuring have a curve each, which ends at 99.9 % or where nothing was answered', () => {
  const [views] = charts.filter(({ id }) => id === 'single-views');
  expect(views?.panels[0]?.series).toHaveLength(3);
  for (const { points } of views?.panels[0]?.series ?? []) expect(points.at(-1)?.x).toBeLessThanOrEqual(3);
});

describe('over time', () => {
  test('CPU of each process, throughput and p95, broken between trials', () => {
    const { panels, spans } = chart('single-time-line');
    expect(panels.map(({ y }) => y.title)).toEqual(['CPU', 'Requests/s', 'p95 latency']);
    expect(panels[0]?.series.map(({ label }) => label)).toEqual(['api/1', 'database/1', 'generator']);
    expect(spans).toHaveLength(10);
    for (const { points } of panels.flatMap(({ series }) => series)) {
      expect(points.filter(({ y }) => y === null)).toHaveLength(10);
      const times = points.map(({ x }) => x);
      expect(times).toEqual(times.toSorted((left, right) => left - right));
    }
  });

  test('no chart has more lines than a reader can distinguish', () => {
    for (const { panels } of charts) {
      const styles = panels.flatMap(({ series }) =>
        series.filter(({ inLegend }) => inLegend).map(({ style }) => style),
      );
      expect(styles.length).toBeLessThanOrEqual(6);
      expect(new Set(styles).size).toBe(styles.length);
    }
  });

  test('a fault has its moments', () => {
    const record = madeUpTrial({ load: users(10), purpose: 'fault', measuredS: 8 });
    const moments = [
      { at: 2, label: 'killed' },
      { at: 5, label: 'up again' },
    ];
    const drawn = faultChart(record, 'cache/1 killed', moments);
    expect(drawn?.moments).toEqual(moments);
    expect(drawn?.panels).toHaveLength(2);
  });
});
