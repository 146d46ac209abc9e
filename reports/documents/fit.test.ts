import { describe, expect, it } from 'vitest';
import type { MeasuredCurve } from '../../harness/core/measured-curve.ts';
import { fitMeasured } from '../../harness/models/fit-measured.ts';
import { responseQuantileS } from '../../harness/models/queueing.ts';
import { uslThroughputPerS } from '../../harness/models/usl.ts';
import { chartsOf } from '../document.ts';
import { renderTerminal } from '../renderers/terminal.ts';
import { fitDocument, fitReport } from './fit.ts';

const model = { lambdaPerS: 100, sigma: 0.03, kappa: 0.002 };
const upTo = (most: number): MeasuredCurve => ({
  kind: 'concurrency',
  name: '',
  points: [1, 2, 4, 6, 8, 12, 16, 24, 32, 48]
    .filter((concurrency) => concurrency <= most)
    .map((concurrency, index) => ({
      concurrency,
      throughputPerS: uslThroughputPerS(model, concurrency) * (1 + 0.002 * (-1) ** index),
      latencyS: null,
    })),
});
const rates = (name: string): MeasuredCurve => ({
  kind: 'rate',
  name,
  points: [50, 150, 250, 300, 350, 380].map((ratePerS) => ({
    ratePerS,
    p95S: responseQuantileS({ servers: 4, meanServiceS: 0.01, variation: 0.5 }, ratePerS, 0.95),
  })),
});
const fitOf = (curve: MeasuredCurve, targetP95S: number | null = null) =>
  fitMeasured(curve, { noise: 'absolute', targetP95S, seed: 1 });
const textOf = (...fits: readonly ReturnType<typeof fitOf>[]) =>
  renderTerminal(fitDocument(fits, ['a.csv']), null, 100);

describe('the answer comes first', () => {
  it('is the peak, and where more gains little', () => {
    const text = textOf(fitOf(upTo(48)));
    expect(text).toMatch(/Throughput is highest at concurrency 2[12]/u);
    expect(text).toMatch(/at concurrency 15/u);
  });

  it('is a lower bound where the peak is beyond the data', () => {
    const text = textOf(fitOf(upTo(12)));
    expect(text).toMatch(
      /The highest throughput is not identified: it is at least 751\/s, at a concurrency of at least 12/,
    );
    expect(text).toMatch(/peak +not identified +at least 12 /);
  });

  it('is the rate within the target, behind the name of the curve', () => {
    expect(textOf(fitOf(rates('single, crud'), 0.03))).toMatch(/single, crud: p95 is at most 30 ms up to 2?3?\d\d\/s/);
  });

  it('says what is missing for a fit', () => {
    expect(textOf(fitOf(upTo(2)))).toContain(
      'Not identified: 2 different values of concurrency were measured, and a fit needs 6.',
    );
  });
});

it('draws what was measured, the model, and the model beyond the data apart', () => {
  const [chart, other] = chartsOf(fitDocument([fitOf(upTo(48)), fitOf(rates(''), 0.03)], ['a.csv']).blocks);
  const series = chart?.panels[0]?.series ?? [];
  expect(series.map(({ label, marks, isReference = false }) => [label, marks, isReference])).toEqual([
    ['model', false, false],
    ['beyond the data', false, true],
    ['measured', true, false],
  ]);
  expect(series[0]?.points.at(-1)?.x).toBe(48);
  expect(series[1]?.points[0]?.x).toBe(48);
  expect(other?.panels[0]?.targets).toMatchObject([{ value: 0.03 }]);
  expect(other?.panels[0]?.series[0]?.points.every(({ y }) => Number.isFinite(y))).toBe(true);
});

it('is JSON without numbers for what is not identified', () => {
  const [fit] = JSON.parse(fitReport([fitOf(upTo(12))], ['a.csv'])).fits;
  expect(fit.peak).toEqual({ kind: 'not-identified', atLeast: 12 });
  expect(fit.sigma).toMatchObject({ value: expect.any(Number), low: expect.any(Number), high: expect.any(Number) });
});
