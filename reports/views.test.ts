import { describe, expect, test } from 'vitest';
import { type MadeUpTrial, madeUpRun, madeUpTrial } from '../test-support/made-up-trial.ts';
import { type Analysis, analyse } from './analysis.ts';
import { calmRateRun, rateRun } from './fixtures/rate-runs.ts';
import { renderJson } from './json.ts';
import { viewsTable } from './views.ts';

function viewsOf({ tiers: [tier] }: Analysis) {
  if (tier === undefined || tier.views === null) throw new Error('the tier has views');
  return tier.views;
}

function madeUpViews(trials: readonly MadeUpTrial[]) {
  return viewsOf(analyse(madeUpRun(trials.map(madeUpTrial), [])));
}

function rate(arrivalRatePerS: number, choice: MadeUpTrial): MadeUpTrial {
  return { load: { model: 'open', arrivalRatePerS, arrivals: 'poisson' }, serviceTimeS: 0.01, ...choice };
}

const quick = { latencyS: 0.01, coordinatedS: Array<number>(500).fill(0.01) };
const hidden = { latencyS: 0.4, coordinatedS: Array<number>(500).fill(0.01) };

describe('one sentence on what would have been hidden', () => {
  test('the trial in which the views differ most', () => {
    const { inWords, chart } = viewsOf(analyse(rateRun()));
    expect(inWords).toBe(
      'In crud at 200/s a closed-loop tool of ten users would have read p95 10.9 ms, 32.9 times less than the 359 ms from the scheduled start.',
    );
    expect(chart.subtitle).toMatch(/^crud at 200\/s\. /);
  });

  test('that they agree', () => {
    expect(viewsOf(analyse(calmRateRun())).inWords).toMatch(
      /^The views agree: where they differ most, in crud at 100\/s, p\d+ is [\d.]+ ms from the scheduled start, and [\d.]+ ms as a closed-loop tool of ten users would have read it\.$/,
    );
  });

  test('that so much was never answered that there is no such percentile', () => {
    expect(madeUpViews([rate(100, { ...quick, droppedPerS: 0.5, failedPerS: 6 })]).inWords).toMatch(
      /would have read p99 10 ms, while 6\.\d+ % of the work was dropped or failed, so that there is no such p99\.$/,
    );
  });

  test('a late generator makes views differ too: sound trials come first, and others are told', () => {
    const late = { ...hidden, generator: { sendLagP99S: 0.3 } };
    expect(madeUpViews([rate(100, quick), rate(200, late)]).inWords).toMatch(
      /^The views of the sound trials agree: where they differ most, in crud at 100\/s/,
    );
    expect(madeUpViews([rate(200, late)]).inWords).toMatch(
      /This trial is not sound: the generator may have had its part/,
    );
  });

  test('a queue that only grew is the own of the system', () => {
    const growing = { ...hidden, latencyS: (_: number, second: number) => 0.1 + 0.1 * second };
    expect(madeUpViews([rate(100, quick), rate(200, growing)]).inWords).toMatch(/^In crud at 200\/s [^:]*start\.$/);
  });

  test('too few samples for any percentile', () => {
    const { inWords, chart } = madeUpViews([rate(1, { okPerS: 1, measuredS: 5, latencyS: 0.01 })]);
    expect(inWords).toBe('The samples of no trial allow a percentile in more than one view.');
    expect(chart.panels[0]?.y.ticks.length).toBeGreaterThan(0);
  });

  test('an engine that tells no more than one view has none', () => {
    const one = madeUpTrial({ load: { model: 'open', arrivalRatePerS: 100, arrivals: 'poisson' } });
    expect(analyse(madeUpRun([one], [])).tiers[0]?.views).toBeNull();
    expect(JSON.parse(renderJson(analyse(madeUpRun([one], [])))).tiers[0].viewsInWords).toBeNull();
  });
});

test('the table has every trial in every view; what was never answered has no time', () => {
  const views = viewsOf(analyse(rateRun()));
  const rows = viewsTable('single', views).rows.map((row) => row.map(({ text }) => text));
  expect(rows).toHaveLength(9 * 3);
  expect(rows.filter((row) => row[1] === '200/s').map((row) => row.slice(2))).toEqual([
    ['from its scheduled start', '6.09 ms', '359 ms', '564 ms', '613 ms'],
    ['from when it was sent', '5.44 ms', '9.81 ms', '12.9 ms', '608 ms'],
    ['as a closed-loop load of ten users reads it', '5.66 ms', '10.9 ms', '17.4 ms', '608 ms'],
  ]);
  expect(rows.find((row) => row[1] === '400/s')?.slice(-2)).toEqual(['never', 'never']);
  const trial = JSON.parse(renderJson(analyse(rateRun()))).tiers[0].scenarios[1].trials.at(-1);
  expect(trial.views.due).toMatchObject({ p50S: expect.any(Number), p95S: 'never', longestS: 'never' });
});

test('the curves ascend, end at 99.9 % at the latest, and say from where on nothing was answered', () => {
  const { chart } = madeUpViews([rate(100, { ...hidden, failedPerS: 5 })]);
  const [due, ...others] = chart.panels[0]?.series ?? [];
  expect(others.map(({ label }) => label)).toEqual([
    'from when it was sent',
    'as a closed-loop load of ten users reads it',
  ]);
  for (const { points } of chart.panels[0]?.series ?? []) {
    const latencies = points.map(({ y }) => y ?? Number.NaN);
    expect(latencies).toEqual(latencies.toSorted((left, right) => left - right));
    expect(points.at(-1)?.x).toBeLessThanOrEqual(3);
  }
  const [never] = chart.moments;
  expect(never?.label).toBe('4.76 % never answered');
  expect(due?.points.at(-1)?.x).toBeLessThanOrEqual(never?.at ?? 0);
});
