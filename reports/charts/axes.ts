import type { Axis, Tick } from './chart.ts';

type Writer = (value: number) => string;

/** Values this many times apart are drawn on a logarithmic axis, so that the small ones can be read too. */
const WIDE_RANGE = 20;

/** A y axis that shows all of `values`: logarithmic when they span a wide range, and from 0 on otherwise. */
export function yAxis(title: string, values: readonly number[], write: Writer): Axis {
  const above = values.filter((value) => value > 0);
  const smallest = Math.min(...above);
  const largest = Math.max(...above);
  const isWide = above.length > 0 && largest / smallest >= WIDE_RANGE;
  return isWide ? logAxis(title, values, write) : linearAxis(title, values, write);
}

/** All of `values` that are above 0; from 0 on where none is. */
export function logAxis(title: string, values: readonly number[], write: Writer): Axis {
  const above = values.filter((value) => value > 0);
  if (above.length === 0) return linearAxis(title, values, write);
  const [smallest, largest] = [Math.min(...above), Math.max(...above)];
  const ticks = logTicks(smallest, largest, write);
  return { title, scale: 'log', from: ticks[0]?.value ?? smallest, to: ticks.at(-1)?.value ?? largest, ticks };
}

/** From 0 on. */
export function linearAxis(title: string, values: readonly number[], write: Writer): Axis {
  const ticks = linearTicks(Math.max(0, ...values), write);
  return { title, scale: 'linear', from: 0, to: ticks.at(-1)?.value ?? 1, ticks };
}

/** An x axis of a true scale, with round ticks: what was tried stands as far apart as it is. */
export function rateAxis(title: string, ratesPerS: readonly number[], write: Writer): Axis {
  const axis = yAxis(title, ratesPerS, write);
  const [first, last] = [Math.min(...ratesPerS), Math.max(...ratesPerS)];
  // Room for the marks at the ends, but no empty step of the axis.
  const from = axis.scale === 'log' ? first / 1.2 : 0;
  const to = axis.scale === 'log' ? last * 1.2 : last * 1.05;
  return { ...axis, from, to, ticks: axis.ticks.filter(({ value }) => value >= from && value <= to) };
}

/** An x axis with a tick at each of the loads that were tried. */
export function loadAxis(title: string, levels: readonly number[], write: Writer): Axis {
  const ascending = [...new Set(levels)].toSorted((left, right) => left - right);
  const first = ascending[0] ?? 1;
  const last = ascending.at(-1) ?? 1;
  const scale = first > 0 && last / first >= 8 ? 'log' : 'linear';
  const margin = scale === 'log' ? 1.2 : Math.max(1, (last - first) * 0.05);
  return {
    title,
    scale,
    from: scale === 'log' ? first / margin : first - margin,
    to: scale === 'log' ? last * margin : last + margin,
    ticks: ascending.map((value) => ({ value, label: write(value) })),
  };
}

/** Round values that cover [0, to]: 1, 2 or 5 times a power of ten apart, at most `most` steps. */
export function linearTicks(to: number, write: Writer, most = 6): readonly Tick[] {
  if (!(to > 0)) return [0, 1].map((value) => ({ value, label: write(value) }));
  const rough = to / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10);
  const steps = Math.ceil(to / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, index) => tidy(index * step)).map((value) => ({
    value,
    label: write(value),
  }));
}

/** Round values within [from, to], as far apart as on an axis of that length. */
export function ticksBetween(from: number, to: number, write: Writer): readonly Tick[] {
  const step = linearTicks(to - from, write)[1]?.value ?? 1;
  const first = Math.ceil(from / step);
  const count = Math.max(0, Math.floor(to / step) - first + 1);
  return Array.from({ length: count }, (_, index) => tidy((first + index) * step)).map((value) => ({
    value,
    label: write(value),
  }));
}

const timeStepsS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

/** Times within [from, to], at a distance that a clock would use. */
export function timeTicks(from: number, to: number, write: Writer, most = 10): readonly Tick[] {
  const step = timeStepsS.find((each) => (to - from) / each <= most) ?? 14_400;
  const first = Math.ceil(from / step);
  const steps = Math.max(0, Math.floor(to / step) - first + 1);
  return Array.from({ length: steps }, (_, index) => (first + index) * step).map((value) => ({
    value,
    label: write(value),
  }));
}

/** Values that cover [from, to] on a logarithmic axis: 1, 2, 5 of each decade, or decades alone when there are many. */
export function logTicks(from: number, to: number, write: Writer): readonly Tick[] {
  const factors = Math.log10(to / from) > 3.2 ? [1] : [1, 2, 5];
  const candidates: number[] = [];
  for (let exponent = Math.floor(Math.log10(from)) - 1; exponent <= Math.ceil(Math.log10(to)) + 1; exponent += 1) {
    for (const factor of factors) candidates.push(tidy(factor * 10 ** exponent));
  }
  const first = candidates.findLastIndex((value) => value <= from * (1 + 1e-9));
  const last = candidates.findIndex((value) => value >= to * (1 - 1e-9));
  return candidates.slice(first, last + 1).map((value) => ({ value, label: write(value) }));
}

/** Cuts the noise that multiplying floating point numbers adds: 0.30000000000000004. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
