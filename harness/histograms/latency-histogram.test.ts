import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LatencyHistogram, mergeHistograms } from './latency-histogram.ts';

const latencyUs = fc.oneof(
  fc.integer({ min: 1, max: 5_000 }),
  fc.integer({ min: 1, max: 60_000_000 }),
  fc.integer({ min: 1, max: 3_600_000_000 }),
);
const latenciesUs = fc.array(latencyUs, { minLength: 1, maxLength: 300 });

function histogramOf(valuesUs: readonly number[]): LatencyHistogram {
  const histogram = LatencyHistogram.empty();
  for (const value of valuesUs) histogram.record(value / 1e6);
  return histogram;
}

const contents = (histogram: LatencyHistogram) => histogram.buckets().map(({ valueS, count }) => ({ valueS, count }));

describe('LatencyHistogram', () => {
  test('1 ms to 1000 ms, one each: quantiles, mean and maximum are known', () => {
    const histogram = histogramOf(Array.from({ length: 1000 }, (_, index) => (index + 1) * 1000));
    expect(histogram.count).toBe(1000);
    expect(histogram.quantileS(0.5)).toBeCloseTo(0.5, 3);
    expect(histogram.quantileS(0.95)).toBeGreaterThanOrEqual(0.95);
    expect(histogram.quantileS(0.95)).toBeLessThanOrEqual(0.95 * 1.001);
    expect(histogram.quantileS(0)).toBe(0.001);
    expect(histogram.quantileS(1)).toBe(histogram.maxS);
    expect(histogram.maxS).toBeCloseTo(1, 3);
    expect(histogram.meanS).toBeCloseTo(0.5005, 4);
  });

  test('below 2 ms every microsecond is kept apart', () => {
    const histogram = histogramOf([7, 7, 1023, 2000]);
    expect(contents(histogram)).toEqual([
      { valueS: 0.000007, count: 2 },
      { valueS: 0.001023, count: 1 },
      { valueS: 0.002, count: 1 },
    ]);
  });

  test('what is out of range counts as the nearest end, and NaN is refused', () => {
    const histogram = LatencyHistogram.empty();
    for (const latencyS of [-1, 0, 1e-9, 3600, 7200, Number.POSITIVE_INFINITY]) histogram.record(latencyS);
    expect(histogram.count).toBe(6);
    expect(histogram.quantileS(0.5)).toBe(0.000001);
    expect(histogram.maxS).toBeGreaterThanOrEqual(3600);
    expect(histogram.maxS).toBeLessThanOrEqual(3600 * 1.001);
    expect(() => histogram.record(Number.NaN)).toThrow(RangeError);
  });

  test('an empty one has no quantile, and says so', () => {
    const histogram = LatencyHistogram.empty();
    expect([histogram.count, histogram.meanS, histogram.maxS, contents(histogram)]).toEqual([0, 0, 0, []]);
    expect(() => histogram.quantileS(0.5)).toThrow('a rank must be between 1 and 0');
    expect(() => histogramOf([5]).quantileS(50)).toThrow('must be between 0 and 1, but is 50');
    expect(contents(LatencyHistogram.decode(histogram.encode()))).toEqual([]);
  });

  test('each rank gives the sorted value of that rank, at most 0.1 % high and never low', () => {
    fc.assert(
      fc.property(latenciesUs, (values) => {
        const histogram = histogramOf(values);
        const sorted = values.toSorted((left, right) => left - right);
        for (const [index, value] of sorted.entries()) {
          const readUs = histogram.valueAtRankS(index + 1) * 1e6;
          expect(readUs).toBeGreaterThanOrEqual(value * (1 - 1e-12));
          expect(readUs).toBeLessThanOrEqual(value * 1.001);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('the quantile of a ratio is the value at rank ceil(ratio x count)', () => {
    fc.assert(
      fc.property(latenciesUs, fc.integer({ min: 1, max: 1000 }), (values, perMille) => {
        const histogram = histogramOf(values);
        const rank = Math.ceil((perMille * values.length) / 1000);
        expect(histogram.quantileS(perMille / 1000)).toBe(histogram.valueAtRankS(rank));
      }),
      { numRuns: 100 },
    );
  });

  test('merging gives what recording everything in one gives', () => {
    fc.assert(
      fc.property(fc.array(fc.array(latencyUs, { maxLength: 50 }), { maxLength: 5 }), (parts) => {
        const merged = mergeHistograms(parts.map((part) => histogramOf(part).encode()));
        const whole = histogramOf(parts.flat());
        expect(contents(merged)).toEqual(contents(whole));
        expect(merged.encode()).toBe(whole.encode());
        expect([merged.count, merged.maxS]).toEqual([whole.count, whole.maxS]);
      }),
      { numRuns: 50 },
    );
  });

  test('encoding and decoding changes nothing', () => {
    fc.assert(
      fc.property(latenciesUs, (values) => {
        const histogram = histogramOf(values);
        const decoded = LatencyHistogram.decode(histogram.encode());
        expect(contents(decoded)).toEqual(contents(histogram));
        expect([decoded.count, decoded.maxS, decoded.meanS]).toEqual([
          histogram.count,
          histogram.maxS,
          histogram.meanS,
        ]);
        expect(decoded.encode()).toBe(histogram.encode());
        decoded.record(1);
        expect(decoded.count).toBe(values.length + 1);
      }),
      { numRuns: 50 },
    );
  });

  test('reads what other implementations write', () => {
    // An interval of jHiccup-2.0.7S.logV2.hlog, a test file of the Java HdrHistogram, with 2 significant digits. The log
    // says `Interval_Max` 2.769 (milliseconds; the histogram counts nanoseconds, which here read as microseconds).
    const written =
      'HISTFAAAAEV42pNpmSzMwMCgyAABTBDKT4GBgdnNYMcCBvsPEBEJISEuATEZMQ4uASkhIR4nrxg9v2lMaxhvMekILGZkKmcCAEf2CsI=';
    const histogram = LatencyHistogram.decode(written);
    expect(histogram.maxS).toBeCloseTo(2.769, 3);
    expect(contents(histogram).reduce((sum, bucket) => sum + bucket.count, 0)).toBe(histogram.count);
    expect(contents(LatencyHistogram.decode(histogram.encode()))).toEqual(contents(histogram));
    // The example of hdr-histogram-js's README: the value 42 once.
    const readme = LatencyHistogram.decode('HISTFAAAAB542pNpmSzMwMDAxAABzFCaEUoz2X+AMIKZAEARAtM=');
    expect(contents(readme)).toEqual([{ valueS: 0.000042, count: 1 }]);
  });

  test.each(['', 'HISTFAAAA', 'no histogram', 'AAAAAAAAAAAAAAAA'])('refuses %j', (text) => {
    expect(() => LatencyHistogram.decode(text)).toThrow('not an HdrHistogram V2');
  });
});
