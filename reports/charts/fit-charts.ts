import { formatNumber, formatRate, formatSeconds } from '../../harness/core/units.ts';
import type { QueueFit, ScalabilityFit } from '../../harness/models/fit-measured.ts';
import { responseQuantileS } from '../../harness/models/queueing.ts';
import { uslThroughputPerS } from '../../harness/models/usl.ts';
import type { Format } from '../figures.ts';
import { chartName } from '../text.ts';
import { linearAxis, rateAxis, yAxis } from './axes.ts';
import { type ChartDescription, fileNamePart, type Point, type Series, type TargetLine } from './chart.ts';

/** How far beyond the data a model is drawn. */
const BEYOND = 1.25;
const STEPS = 120;

/** Measured points, the model within the data as a line, and beyond the data dashed. */
export function fitChart(fit: ScalabilityFit | QueueFit): ChartDescription {
  const { name } = fit;
  const id = fileNamePart(`fit${name === '' ? '' : `.${name}`}.${fit.model}`);
  const of = name === '' ? '' : ` · ${chartName(name)}`;
  if (fit.model === 'usl') {
    return curveChart({
      id,
      title: `Throughput over concurrency${of}`,
      measured: fit.points.map(({ concurrency, throughputPerS }) => [concurrency, throughputPerS] as const),
      model: (concurrency) => uslThroughputPerS(fit.fitted, concurrency),
      x: { title: 'Concurrency', format: formatNumber },
      y: { title: 'Throughput (1/s)', format: formatRate },
      targets: [],
      limit: Number.POSITIVE_INFINITY,
    });
  }
  const { targetP95S } = fit;
  return curveChart({
    id,
    title: `p95 over the arrival rate${of}`,
    measured: fit.points.map(({ ratePerS, p95S }) => [ratePerS, p95S] as const),
    model: (ratePerS) => responseQuantileS(fit.fitted, ratePerS, 0.95),
    x: { title: 'Arrival rate (1/s)', format: formatNumber },
    y: { title: 'p95 latency', format: formatSeconds },
    targets: targetP95S === null ? [] : [{ value: targetP95S, label: `target ${formatSeconds(targetP95S)}` }],
    // Near the capacity p95 has no end.
    limit: 2 * Math.max(...fit.points.map(({ p95S }) => p95S)),
  });
}

interface CurveChart {
  readonly id: string;
  readonly title: string;
  readonly measured: readonly (readonly [x: number, y: number])[];
  readonly model: (x: number) => number;
  readonly x: { readonly title: string; readonly format: Format };
  readonly y: { readonly title: string; readonly format: Format };
  readonly targets: readonly TargetLine[];
  /** The model is not drawn above this. */
  readonly limit: number;
}

function curveChart({ id, title, measured, model, x, y, targets, limit }: CurveChart): ChartDescription {
  const xs = measured.map(([each]) => each);
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const text = (at: number, value: number) => `${x.title} ${x.format(at)}: ${y.format(value)}`;
  const line = (from: number, to: number): Point[] =>
    Array.from({ length: STEPS + 1 }, (_, step) => from + ((to - from) * step) / STEPS)
      .map((at) => ({ at, value: model(at) }))
      .filter(({ value }) => value <= limit)
      .map(({ at, value }) => ({ x: at, y: value, text: text(at, value) }));
  const series = (label: string, points: readonly Point[]): Series => ({
    label,
    style: 0,
    inLegend: true,
    marks: false,
    points,
  });
  const within = line(first, last);
  const beyond = line(last, BEYOND * last);
  const values = [...measured.map(([, value]) => value), ...[...within, ...beyond].map((point) => point.y ?? 0)];
  const highest = Math.max(...values, ...targets.map(({ value }) => value).filter((value) => value <= limit));
  return {
    id,
    title,
    subtitle: 'Marks: measured. Line: the model. Dashed: the model beyond what was measured',
    alt: `Chart of measured values and the model fitted to them, from ${x.format(first)} to ${x.format(last)}: ${y.format(model(first))} to ${y.format(model(last))}.`,
    x: Number.isFinite(limit)
      ? rateAxis(x.title, [...xs, BEYOND * last], x.format)
      : { ...linearAxis(x.title, [BEYOND * last], x.format), to: BEYOND * last * 1.02 },
    panels: [
      {
        y: yAxis(y.title, [...values, highest], y.format),
        weight: 1,
        series: [
          series('model', within),
          { ...series('beyond the data', beyond), isReference: true },
          {
            label: 'measured',
            style: 1,
            inLegend: true,
            marks: true,
            // A point without a value between two keeps them from being joined.
            points: measured.flatMap(([at, value]): Point[] => [
              { x: at, y: value, text: text(at, value) },
              { x: at, y: null, text: '' },
            ]),
          },
        ],
        targets: targets.filter(({ value }) => value <= limit),
      },
    ],
    spans: [],
    moments: [],
  };
}
