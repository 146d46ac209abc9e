import { formatBytes, formatNumber, formatRate } from '../../harness/core/units.ts';
import { uslThroughputPerS } from '../../harness/models/usl.ts';
import type { SweepCurve, SweepPoint } from '../sweep.ts';
import { linearAxis, loadAxis } from './axes.ts';
import { type ChartDescription, fileNamePart, type Point, type Series, valuesOf } from './chart.ts';

const STEPS = 60;
/** How far beyond the measured instances the law is drawn. */
const BEYOND = 1.25;

/** Capacity over a resource: measured with its interval, predicted from the other values, and the law through instances. */
export function sweepChart(curve: SweepCurve): ChartDescription | null {
  const { tier, scenario, setting, beside, points, fit } = curve;
  const write = setting.endsWith('.memory') ? formatBytes : formatNumber;
  const numbers = points.flatMap(({ number }) => number ?? []);
  const drawn = points.filter(({ number, ratePerS }) => number !== null && ratePerS !== null);
  if (drawn.length < 2) return null;
  const series = (label: string, style: number, more: Partial<Series>, own: readonly Point[]): readonly Series[] =>
    own.length === 0 ? [] : [{ label, style, inLegend: true, marks: true, ...more, points: own }];
  const pointsOf = (of: (point: SweepPoint) => { value: number; low: number; high: number } | null): Point[] =>
    points.flatMap((point) => {
      const rate = of(point);
      if (rate === null || point.number === null) return [];
      const { value: y, low, high } = rate;
      const text = `${setting} ${write(point.number)}: ${formatRate(y)} (${formatRate(low)} to ${formatRate(high)})`;
      return [{ x: point.number, y, low, high, text }];
    });
  const last = Math.max(...numbers);
  const from = Math.min(...numbers);
  const law =
    fit === null
      ? []
      : Array.from({ length: STEPS + 1 }, (_, step): Point => {
          const x = from + ((BEYOND * last - from) * step) / STEPS;
          const y = uslThroughputPerS(fit.fitted, x);
          return { x, y, text: `${formatNumber(x)}: ${formatRate(y)}` };
        });
  const known = pointsOf(({ known: between }) =>
    between === null
      ? null
      : { value: Math.sqrt(between.lowPerS * between.highPerS), low: between.lowPerS, high: between.highPerS },
  ).map((point): Point => ({ ...point, valid: false }));
  const all = [
    ...series(
      'measured',
      0,
      {},
      pointsOf(({ ratePerS }) => ratePerS),
    ),
    ...series('known from its neighbours, not measured', 2, {}, known),
    ...series(
      'predicted from the other values',
      1,
      {},
      pointsOf(({ heldOut }) => heldOut?.predictedPerS ?? null),
    ),
    ...series('law through the instances', 3, { marks: false, isReference: true }, law),
  ];
  const x = loadAxis(setting, numbers, write);
  return {
    id: fileNamePart(`sweep.${tier}.${scenario}.${setting}${beside === '' ? '' : `.${beside}`}`),
    title: `Sustained rate of ${scenario} over ${setting}`,
    subtitle: [tier, beside, 'bars: the interval of each'].filter((text) => text !== '').join(' · '),
    alt: `Sustained rate over ${setting}: ${drawn.map(({ value, ratePerS }) => `${value}: ${formatRate(ratePerS?.value ?? 0)}`).join(', ')}.`,
    x: fit === null ? x : { ...x, to: Math.max(x.to, BEYOND * last) },
    panels: [{ y: linearAxis('Iterations/s', valuesOf(all), formatNumber), weight: 1, series: all, targets: [] }],
    spans: [],
    moments: [],
  };
}
