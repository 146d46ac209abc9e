import { formatSeconds } from '../harness/core/units.ts';
import type { Axis, Point } from './chart.ts';

/** Latency over percentile, on an axis that gives each further nine the same width, so that the tail can be read. */

/** The percentiles that are named on the axis. */
const namedRatios = [0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999];

/** As far as the quantile exists and is a time. */
export function curve(quantileS: (ratio: number) => number | null): readonly Point[] {
  const steps = Array.from({ length: 121 }, (_, index) => 1 - 10 ** (-index / 30));
  const ratios = [...new Set([...steps, ...namedRatios])].toSorted((left, right) => left - right);
  return ratios.flatMap((ratio) => {
    const latencyS = quantileS(ratio);
    if (latencyS === null || !Number.isFinite(latencyS)) return [];
    return [{ x: nines(ratio), y: latencyS, text: `${percentile(ratio)} within ${formatSeconds(latencyS)}` }];
  });
}

/** Unlike a ratio elsewhere it keeps its nines: 99.97 % is not 100 %. */
function percentile(ratio: number): string {
  return `${Number((ratio * 100).toFixed(3))} %`;
}

/** 0 at 0 %, 1 at 90 %, 2 at 99 %. */
export function nines(ratio: number): number {
  return Number((-Math.log10(1 - ratio)).toPrecision(9));
}

export function percentileAxis(title: string, to: number): Axis {
  return {
    title,
    scale: 'linear',
    from: 0,
    to,
    ticks: namedRatios
      .map((ratio) => ({ value: nines(ratio), label: percentile(ratio) }))
      .filter(({ value }) => value <= to),
  };
}
