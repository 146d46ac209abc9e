import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBound,
  formatBytes,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
  parseIn,
  parseQuantity,
  parseRange,
  units,
} from './units.ts';

describe('reading quantities', () => {
  test.each([
    ['200 ms', 0.2, 's'],
    ['200ms', 0.2, 's'],
    ['1.5 s', 1.5, 's'],
    ['15 min', 900, 's'],
    ['1 h', 3600, 's'],
    ['7 d', 604_800, 's'],
    ['0.1 %', 0.001, 'ratio'],
    ['20%', 0.2, 'ratio'],
    ['512 MiB', 536_870_912, 'bytes'],
    ['512Mi', 536_870_912, 'bytes'],
    ['60 GB', 60e9, 'bytes'],
    ['10k/s', 10_000, 'requests/s'],
    ['1000 requests/s', 1000, 'requests/s'],
    ['1,000 tasks', 1000, 'tasks'],
    ['1k users', 1000, 'users'],
    ['1M users', 1_000_000, 'users'],
    ['1 pod', 1, 'pods'],
    ['0.5 cpus', 0.5, 'cpus'],
    ['140 USD/month', 140, 'USD/month'],
  ])('%s', (text, value, unit) => {
    expect(parseQuantity(text)).toEqual({ value: { value, unit } });
  });

  test.each([
    ['200', /has no unit/],
    ['', /not a number with a unit/],
    ['fast', /not a number with a unit/],
    ['200 Ms', /did you mean 'ms'/],
    ['15 mins', /did you mean 'min'/],
    ['0,1 %', /written with a point/],
    ['512 mib', /did you mean 'MiB'/],
    ['10kk/s', /unknown unit/],
    ['1k s', /unknown unit/],
    ['5 parsecs', /unknown unit/],
  ])('%s is refused', (text, problem) => {
    expect(parseQuantity(text)).toEqual({ problem: expect.stringMatching(problem) });
  });

  test('a number no computer holds is refused', () => {
    expect(parseQuantity(`${'9'.repeat(400)} s`)).toEqual({ problem: expect.stringContaining('too large') });
  });

  test('names the kind that is needed', () => {
    expect(parseIn('512 MiB', 'bytes')).toEqual({ value: 536_870_912 });
    expect(parseIn('512', 'bytes')).toEqual({ problem: "'512' has no unit; write for example '512 MiB'" });
    expect(parseIn('5 s', 'bytes')).toEqual({ problem: "'5 s' is in s; needed is one such as '512 MiB'" });
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseQuantity(text);
        return 'value' in parsed ? Number.isFinite(parsed.value.value) : parsed.problem.length < 250;
      }),
    );
  });
});

describe('writing quantities', () => {
  test.each([
    [0, '0 s'],
    [0.000_05, '50 µs'],
    [0.2, '200 ms'],
    [0.012_345, '12.3 ms'],
    [0.999_9, '1 s'],
    [1.5, '1.5 s'],
    [45, '45 s'],
    [59.99, '1 min'],
    [75, '1 min 15 s'],
    [900, '15 min'],
    [3600, '1 h'],
    [5400, '1 h 30 min'],
    [604_800, '7 d'],
    [-0.2, '-200 ms'],
  ])('%d seconds', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  test.each([
    [0, '0'],
    [-0, '0'],
    [0.012_34, '0.0123'],
    [61.25, '61.3'],
    [999.6, '1,000'],
    [1234.5, '1,235'],
    [1_000_000, '1,000,000'],
    [-12_345, '-12,345'],
  ])('%d', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test('ratios, rates, sizes', () => {
    expect(formatRatio(0.001)).toBe('0.1 %');
    expect(formatRatio(1)).toBe('100 %');
    expect(formatRate(7500)).toBe('7,500/s');
    expect(formatBytes(536_870_912)).toBe('512 MiB');
    expect(formatBytes(60e9)).toBe('60 GB');
    expect(formatBytes(123_456_789)).toBe('118 MiB');
    expect(formatBytes(10)).toBe('10 B');
    expect(formatQuantity(1, 'pods')).toBe('1 pod');
    expect(formatQuantity(12, 'pods')).toBe('12 pods');
  });

  test('what a target asks for', () => {
    expect(formatBound({ comparison: '<', value: 0.2, unit: 's' })).toBe('< 200 ms');
    expect(formatBound({ comparison: '=', value: 10, unit: 'connections' })).toBe('10 connections');
    expect(formatBound({ comparison: 'between', value: [500, 1000], unit: 'requests/s' })).toBe('500 to 1,000/s');
    expect(formatBound({ comparison: 'between', value: [2 ** 29, 2 ** 30], unit: 'bytes' })).toBe('512 MiB to 1 GiB');
    expect(formatBound({ comparison: 'between', value: [0.5, 1], unit: 'cpus' })).toBe('0.5 to 1 cpu');
  });

  test('what is written can be read back, within the three digits shown', () => {
    fc.assert(
      fc.property(fc.constantFrom(...units), fc.double({ min: 1e-5, max: 59, noNaN: true }), (unit, value) => {
        const read = parseQuantity(formatQuantity(value, unit));
        if (!('value' in read)) return false;
        return read.value.unit === unit && Math.abs(read.value.value - value) <= value * 0.005;
      }),
    );
  });
});

describe('parseRange', () => {
  test.each([
    ['3', null, 3, 3],
    ['2..4', null, 2, 4],
    ['1,000 .. 2e3', null, 1000, 2000],
    ['5 s', 's', 5, 5],
    ['3..7 s', 's', 3, 7],
    ['300 ms..1 s', 's', 0.3, 1],
    ['10..30 %', 'ratio', 0.1, 0.3],
  ] as const)('%s', (text, unit, low, high) => {
    expect(parseRange(text, unit)).toEqual({ value: { low, high } });
  });

  test.each([
    ['4..2', null],
    ['1..2..3', null],
    ['..', null],
    ['', null],
    ['5', 's'],
    ['3..7', 's'],
    ['many', null],
    ['1,2', null],
  ] as const)('%s is none', (text, unit) => {
    expect(parseRange(text, unit)).toHaveProperty('problem');
  });
});
