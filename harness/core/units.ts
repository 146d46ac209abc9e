import { nearestWord } from './closest-match.ts';
import type { Comparison } from './target.ts';

/** A value with its two-sided 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The one place where what people write ("200 ms") becomes SI and SI becomes what people read. */

export interface Quantity {
  /** In the unit named beside it: seconds, bytes, ratios 0..1, or plain counts. */
  readonly value: number;
  readonly unit: Unit;
}

export type Parsed<T> = { readonly value: T } | { readonly problem: string };

const counted = [
  'bits',
  'connections',
  'cpus',
  'instances',
  'months',
  'pods',
  'replicas',
  'requests',
  'servers',
  'tasks',
  'users',
] as const;

export const units = ['s', 'bytes', 'ratio', 'requests/s', 'USD/month', ...counted] as const;
export type Unit = (typeof units)[number];

interface WrittenUnit {
  readonly unit: Unit;
  /** What one of it is in `unit`. */
  readonly factor: number;
  /** May stand after a number in thousands or millions: `10k users`, `1M tasks`. */
  readonly takesMultiplier?: true;
}

const writtenUnits: ReadonlyMap<string, WrittenUnit> = new Map<string, WrittenUnit>([
  ['us', { unit: 's', factor: 1e-6 }],
  ['µs', { unit: 's', factor: 1e-6 }],
  ['ms', { unit: 's', factor: 1e-3 }],
  ['s', { unit: 's', factor: 1 }],
  ['min', { unit: 's', factor: 60 }],
  ['h', { unit: 's', factor: 3600 }],
  ['d', { unit: 's', factor: 86_400 }],
  ['B', { unit: 'bytes', factor: 1 }],
  ['kB', { unit: 'bytes', factor: 1e3 }],
  ['MB', { unit: 'bytes', factor: 1e6 }],
  ['GB', { unit: 'bytes', factor: 1e9 }],
  ['TB', { unit: 'bytes', factor: 1e12 }],
  ['KiB', { unit: 'bytes', factor: 2 ** 10 }],
  ['MiB', { unit: 'bytes', factor: 2 ** 20 }],
  ['GiB', { unit: 'bytes', factor: 2 ** 30 }],
  ['TiB', { unit: 'bytes', factor: 2 ** 40 }],
  // As Kubernetes writes them.
  ['Ki', { unit: 'bytes', factor: 2 ** 10 }],
  ['Mi', { unit: 'bytes', factor: 2 ** 20 }],
  ['Gi', { unit: 'bytes', factor: 2 ** 30 }],
  ['%', { unit: 'ratio', factor: 0.01 }],
  ['ratio', { unit: 'ratio', factor: 1 }],
  ['/s', { unit: 'requests/s', factor: 1, takesMultiplier: true }],
  ['requests/s', { unit: 'requests/s', factor: 1, takesMultiplier: true }],
  ['USD/month', { unit: 'USD/month', factor: 1, takesMultiplier: true }],
  ...counted.flatMap((unit): [string, WrittenUnit][] => [
    [unit, { unit, factor: 1, takesMultiplier: true }],
    [unit.slice(0, -1), { unit, factor: 1, takesMultiplier: true }],
  ]),
]);

const multipliers: Readonly<Record<string, number>> = { k: 1e3, M: 1e6 };

const examples: Partial<Record<Unit, string>> = {
  s: '200 ms',
  bytes: '512 MiB',
  ratio: '0.1 %',
  'requests/s': '1000 requests/s',
};

/** Reads `200 ms`, `0.1 %`, `512 MiB`, `1.5 s`, `10k/s`, `1,000 users`. A number without a unit is a problem. */
export function parseQuantity(text: string): Parsed<Quantity> {
  const match = /^\s*([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s*(.*?)\s*$/su.exec(text);
  const digits = match?.[1];
  const suffix = match?.[2];
  if (digits === undefined || suffix === undefined) {
    return { problem: `'${shown(text)}' is not a number with a unit, such as '200 ms'` };
  }
  const number = Number(digits.replaceAll(',', ''));
  if (suffix === '') return { problem: `'${shown(text)}' has no unit; write for example '${number} ms'` };
  if (/^[,.]\d/u.test(suffix)) {
    return { problem: `'${shown(text)}' is not a number; decimals are written with a point, as in '0.1 %'` };
  }
  const whole = writtenUnits.get(suffix);
  if (whole !== undefined) return inUnit(number * whole.factor, whole.unit, text);
  const multiplier = multipliers[suffix.slice(0, 1)];
  const rest = suffix.slice(1);
  const unit = writtenUnits.get(rest.trim());
  if (multiplier !== undefined && unit?.takesMultiplier === true && /^[\s/]/u.test(rest)) {
    return inUnit(number * multiplier, unit.unit, text);
  }
  return { problem: `'${shown(text)}' has an unknown unit; ${unitSuggestion(suffix)}` };
}

/** As `parseQuantity`, where only one kind of quantity makes sense: `parseIn('512 MiB', 'bytes')`. */
export function parseIn(text: string, unit: Unit): Parsed<number> {
  const example = examples[unit] ?? `10 ${unit}`;
  const trimmed = text.trim();
  if (/^[\d.,]+$/u.test(trimmed)) return { problem: `'${shown(trimmed)}' has no unit; write for example '${example}'` };
  const parsed = parseQuantity(text);
  if ('problem' in parsed) return parsed;
  if (parsed.value.unit !== unit) {
    return { problem: `'${shown(text)}' is in ${parsed.value.unit}; needed is one such as '${example}'` };
  }
  return { value: parsed.value.value };
}

/** `5 s`, or two with .. between them, the second one's unit being that of both: `3..7 s`. In `unit`, or plain numbers. */
export function parseRange(text: string, unit: Unit | null): Parsed<{ readonly low: number; readonly high: number }> {
  const ends = text.split('..');
  const [first = '', last = first] = ends;
  const suffix = unit === null || /[^\d.,\s+-]/u.test(first) ? '' : last.replace(/^[\s\d.,+-]*/u, '');
  const [low, high] = [`${first.trim()} ${suffix}`, last].map((end) => parseEnd(end.trim(), unit));
  if (low === undefined || high === undefined) return { problem: `'${shown(text)}' is no number` };
  if ('problem' in low) return low;
  if ('problem' in high) return high;
  if (ends.length > 2 || high.value < low.value) {
    return { problem: `'${shown(text)}' is no range; write the lower end first, as in '2..4'` };
  }
  return { value: { low: low.value, high: high.value } };
}

function parseEnd(text: string, unit: Unit | null): Parsed<number> {
  if (unit !== null) return parseIn(text, unit);
  const digits = /^[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e\+?\d{1,3})?$/iu.test(text)
    ? text.replaceAll(',', '')
    : '';
  const value = digits === '' ? Number.NaN : Number(digits);
  return Number.isFinite(value) ? { value } : { problem: `'${shown(text)}' is no number` };
}

function inUnit(value: number, unit: Unit, text: string): Parsed<Quantity> {
  if (!Number.isFinite(value)) return { problem: `'${shown(text)}' is too large` };
  // 0.1 * 0.01 is not 0.001 in binary: what a person wrote with a few digits is kept at a few digits.
  return { value: { value: Number(value.toPrecision(15)), unit } };
}

function unitSuggestion(word: string): string {
  const names = [...writtenUnits.keys()];
  const nearest = names.find((name) => name.toLowerCase() === word.toLowerCase()) ?? nearestWord(word, names);
  return nearest === undefined
    ? 'known are ms, s, min, h, d, MiB, GiB, %, requests/s and counts such as users'
    : `did you mean '${nearest}'?`;
}

function shown(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** At most three digits that matter, thousands grouped: 0.0123, 3.4, 61.2, 1,235, 12,346. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const rounded = rounded3(value);
  const [whole = '', decimals] = (Object.is(rounded, -0) ? 0 : rounded).toString().split('.');
  if (whole.includes('e')) return whole;
  const grouped = whole.replaceAll(/\B(?=(?:\d{3})+$)/gu, ',');
  return decimals === undefined ? grouped : `${grouped}.${decimals}`;
}

function rounded3(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

/** 200 ms, 1.5 s, 15 min, 1 h 30 min. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0) return `-${formatSeconds(-seconds)}`;
  const rounded = rounded3(seconds);
  if (rounded === 0 || !Number.isFinite(rounded)) return `${rounded} s`;
  if (rounded < 1e-3) return `${formatNumber(seconds * 1e6)} µs`;
  if (rounded < 1) return `${formatNumber(seconds * 1e3)} ms`;
  if (rounded < 60) return `${formatNumber(seconds)} s`;
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${formatNumber(count)} ${unit}`)
    .join(' ');
}

/** 0.001 -> `0.1 %`. */
export function formatRatio(ratio: number): string {
  return `${formatNumber(ratio * 100)} %`;
}

/** 1234.5 -> `1,235/s`. */
export function formatRate(ratePerS: number): string {
  return `${formatNumber(ratePerS)}/s`;
}

/** Decimal where that is exact (60 GB), binary else (512 MiB). */
export function formatBytes(bytes: number): string {
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  const decimal = [1e12, 1e9, 1e6, 1e3].find((size) => bytes >= size);
  if (decimal !== undefined && bytes % decimal === 0) {
    return `${formatNumber(bytes / decimal)} ${decimal === 1e12 ? 'TB' : decimal === 1e9 ? 'GB' : decimal === 1e6 ? 'MB' : 'kB'}`;
  }
  const power = [4, 3, 2, 1].find((exponent) => rounded3(bytes / 1024 ** exponent) >= 1) ?? 0;
  return `${formatNumber(bytes / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

/** A value of a target in its unit: `200 ms`, `0.1 %`, `1,000/s`, `10 connections`. */
export function formatQuantity(value: number, unit: string): string {
  switch (unit) {
    case 's':
      return formatSeconds(value);
    case 'ratio':
      return formatRatio(value);
    case 'bytes':
      return formatBytes(value);
    case 'requests/s':
      return formatRate(value);
    default:
      return `${formatNumber(value)} ${value === 1 && unit.endsWith('s') ? unit.slice(0, -1) : unit}`;
  }
}

/** What a target asks for: `< 200 ms`, `>= 1,000/s`, `500 to 1,000/s`. */
export function formatBound(bound: {
  readonly comparison: Comparison;
  readonly value: number | readonly [number, number];
  readonly unit: string;
}): string {
  const { comparison, value, unit } = bound;
  if (typeof value !== 'number') {
    const [low = '', high = ''] = value.map((end) => formatQuantity(end, unit));
    const [, number = '', suffix = ''] = /^([-\d.,]+)(.*)$/u.exec(low) ?? [];
    const isCount = counted.some((name) => name === unit);
    return `${isCount || high.endsWith(suffix) ? number : low} to ${high}`;
  }
  return comparison === '=' ? formatQuantity(value, unit) : `${comparison} ${formatQuantity(value, unit)}`;
}
