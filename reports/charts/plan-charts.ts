import { loadLevel } from '../../harness/core/load.ts';
import type { Target } from '../../harness/core/target.ts';
import { formatBound, formatNumber, formatRate, formatSeconds } from '../../harness/core/units.ts';
import { isValid, type JudgedTrial } from '../../harness/judging/judged-trial.ts';
import { byRate } from '../analysis.ts';
import { estimateWithInterval, type Format } from '../figures.ts';
import type { Planned } from '../plan.ts';
import type { CapacityPlan } from '../plan-choice.ts';
import { chartName, list } from '../text.ts';
import { linearAxis, logAxis, rateAxis, ticksBetween, yAxis } from './axes.ts';
import { type ChartDescription, fileNamePart, type Point, type Series, valuesOf } from './chart.ts';

/** Charts of a plan. What was measured has marks or whole lines; what follows from a model is dotted. */

/** p95 of a tier over requests per second as measured, and the same curve where the planned instances are as much in use. */
export function planLatencyChart(
  tier: string,
  { sustainedPerS, plan, load, demands, model }: Planned,
  trials: readonly JudgedTrial[],
  goals: readonly Target[],
): ChartDescription | null {
  const { requestsPerIteration } = demands;
  const measured = byRate(trials).flatMap((trial): Point[] => {
    const p95 = trial.summary.latency.p95S;
    if (p95 === null) return [];
    const ratePerS = loadLevel(trial.summary.load) * requestsPerIteration;
    const text = `${estimateWithInterval(p95, formatSeconds)} at ${formatRate(ratePerS)}`;
    return [{ x: ratePerS, y: p95.value, low: p95.low, high: p95.high, valid: isValid(trial), text }];
  });
  if (measured.length < 2 || !Number.isFinite(plan.capacityPerS)) return null;
  // Within the targets, without headroom: as the measured tier at its sustained rate.
  const factor = plan.capacityPerS / model.workload.headroomRatio / sustainedPerS.low;
  const modelled = [
    ...Map.groupBy(
      measured.filter(({ valid }) => valid),
      ({ x }) => x,
    ),
  ].map(([x, same]): Point => {
    // Of several trials at one rate the slowest.
    const y = Math.max(...same.map((point) => point.y ?? 0));
    return { x: x * factor, y, text: `${formatSeconds(y)} at ${formatRate(x * factor)}, by the model` };
  });
  const targets = goals.flatMap((target) =>
    target.judged.by === 'measured' && target.judged.metric === 'latency-p95' && typeof target.value === 'number'
      ? [{ value: target.value, label: `target ${formatBound(target)}` }]
      : [],
  );
  const series: readonly Series[] = [
    { label: 'measured', style: 0, inLegend: true, marks: true, points: measured.flatMap(apart) },
    { label: 'planned tier, by the model', style: 1, inLegend: true, marks: false, line: 'dotted', points: modelled },
  ];
  const values = [...valuesOf(series), ...targets.map(({ value }) => value)];
  const high = sustainedPerS.high ?? sustainedPerS.low;
  return {
    id: fileNamePart(`plan.latency.${tier}`),
    title: `p95 latency over the rate · ${chartName(tier)}`,
    subtitle: `Marks: measured, with 95 % intervals; hollow: invalid. Shaded: where the sustained rate lies, ${formatRate(sustainedPerS.low)} ${sustainedPerS.high === null ? 'and more' : `to ${formatRate(high)}`}. Dotted: the planned instances, as much in use as the measured ones were`,
    alt: `Chart of the p95 latency of ${tier} over requests per second: measured up to ${formatRate(Math.max(...measured.map(({ x }) => x)))}, and by the model up to the planned peak of ${formatRate(load.peakPerS)}.`,
    x: rateAxis(
      'Requests/s',
      [...series.flatMap(({ points }) => points.map(({ x }) => x)), load.peakPerS],
      formatNumber,
    ),
    panels: [{ y: yAxis('p95 latency', values, formatSeconds), weight: 1, series, targets }],
    spans: [{ from: sustainedPerS.low, to: Math.max(high, sustainedPerS.low * 1.02), label: 'sustained', group: '' }],
    moments: [{ at: load.peakPerS, label: 'peak' }],
  };
}

/** What each tier costs over the load, from `unitsPerS` of a load per request per second: users, or requests. */
export function costChart(
  { curves, tiers }: CapacityPlan,
  unit: { readonly name: string; readonly perRequestRate: number },
  cost: { readonly name: string; readonly format: Format },
): ChartDescription | null {
  const measuredPerS = new Map(
    tiers.flatMap(({ tier, outcome }) => (outcome.kind === 'planned' ? [[tier, outcome.sustainedPerS.low]] : [])),
  );
  const series = curves.flatMap(({ tier, points }, style): Series[] => {
    const split = measuredPerS.get(tier) ?? 0;
    const drawn = points.flatMap(({ peakPerS, cost: value }): Point[] => {
      if (value === null) return [];
      const x = peakPerS * unit.perRequestRate;
      return [{ x, y: value, text: `${cost.format(value)} at ${formatNumber(Number(x.toPrecision(3)))} ${unit.name}` }];
    });
    const within = drawn.filter(({ x }) => x <= split * unit.perRequestRate);
    const ends = [within.at(-1), drawn.at(-1)].filter((point) => point !== undefined);
    const look = { label: chartName(tier), style, inLegend: false, marks: false } as const;
    return [
      { ...look, line: 'whole', points: within },
      { ...look, line: 'dotted', points: drawn.slice(Math.max(0, within.length - 1)) },
      { ...look, inLegend: true, marks: true, points: ends.flatMap(apart) },
    ];
  });
  const drawn = series.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return null;
  const x = logAxis(
    `Load (${unit.name})`,
    drawn.flatMap(({ points }) => points.map((point) => point.x)),
    formatNumber,
  );
  return {
    id: 'plan.cost',
    title: `${cost.name} over the load`,
    subtitle:
      'Whole lines: up to the rate that was measured, which has a mark. Dotted: by the model, up to the most that the tier carries',
    alt: `Chart of the cost of each tier over the load. ${series
      .filter(({ marks }) => marks)
      .map(({ label, points }) => `${label}: ${list(points.map(({ text }) => text).filter((text) => text !== ''))}`)
      .join('; ')}.`,
    x,
    panels: [{ y: linearAxis(cost.name, valuesOf(drawn), cost.format), weight: 1, series: drawn, targets: [] }],
    spans: [],
    moments: [],
  };
}

/** The bars of a tornado, the longest on top: the answer with one input at its lower and its upper end. */
export function tornadoChart(
  bars: readonly {
    readonly label: string;
    readonly atLow: number;
    readonly atHigh: number;
    readonly lowText: string;
    readonly highText: string;
  }[],
  likely: number,
  cost: { readonly name: string; readonly format: Format },
): ChartDescription | null {
  if (bars.length === 0) return null;
  const rows = bars.map((bar, index) => ({ ...bar, y: bars.length - index }));
  const pointsOf = (ends: readonly ('Low' | 'High')[]) =>
    rows.flatMap((row): Point[] => [
      ...ends.map((end): Point => {
        const x = row[`at${end}`];
        return { x, y: row.y, text: `${row.label}, ${end === 'Low' ? row.lowText : row.highText}: ${cost.format(x)}` };
      }),
      { x: likely, y: null, text: '' },
    ]);
  const values = [likely, ...bars.flatMap(({ atLow, atHigh }) => [atLow, atHigh])];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low) * 0.08;
  const [from, to] = [Math.max(0, low - room), high + room];
  return {
    id: 'plan.tornado',
    title: 'What moves the answer most',
    subtitle:
      'Each line: one input from its lower to its upper end, all others in the middle; instances counted in fractions',
    alt: `Chart of how much each input moves the answer. ${bars.map(({ label, atLow, atHigh }) => `${label}: ${cost.format(atLow)} to ${cost.format(atHigh)}`).join('; ')}.`,
    x: { title: cost.name, scale: 'linear', from, to, ticks: ticksBetween(from, to, formatNumber) },
    panels: [
      {
        y: {
          title: '',
          scale: 'linear',
          // Room for the name of the line in the middle.
          from: -0.8,
          to: bars.length + 0.5,
          ticks: rows.map(({ y, label }) => ({ value: y, label })).toReversed(),
        },
        weight: 1,
        series: [
          { label: '', style: null, inLegend: false, marks: false, line: 'whole', points: pointsOf(['Low', 'High']) },
          { label: 'at the lower end', style: 0, inLegend: true, marks: true, points: pointsOf(['Low']) },
          { label: 'at the upper end', style: 1, inLegend: true, marks: true, points: pointsOf(['High']) },
        ],
        targets: [],
      },
    ],
    spans: [],
    moments: [{ at: likely, label: cost.format(likely) }],
  };
}

/** A point without a value behind one keeps it from being joined to the next. */
function apart(point: Point): readonly Point[] {
  return [point, { x: point.x, y: null, text: '' }];
}
