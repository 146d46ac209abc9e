import type { PipelineResult, PipelineValue } from '../pipeline.ts';

/** Files that services read which keep figures over time. */

/** Bencher's own measures latency and cpu-time are in nanoseconds. */
const bencherScale: Partial<Record<PipelineValue['measure'], number>> = { latency: 1e9, 'cpu-time': 1e9 };

/** Bencher Metric Format: benchmark -> measure -> value with the ends of its interval (https://bencher.dev/bmf.json). */
export function renderBencher({ values }: PipelineResult): string {
  const benchmarks = Map.groupBy(values, ({ name }) => name);
  const format = Object.fromEntries(
    [...benchmarks].map(([name, own]) => [name, Object.fromEntries(own.map((each) => [each.measure, metricOf(each)]))]),
  );
  return `${JSON.stringify(format, null, 2)}\n`;
}

function metricOf({ measure, value, low, high }: PipelineValue) {
  const scale = bencherScale[measure] ?? 1;
  return {
    value: tidy(scale * value),
    ...(low !== null && { lower_value: tidy(scale * low) }),
    ...(high !== null && { upper_value: tidy(scale * high) }),
  };
}

const units = { latency: 'ms', 'cpu-time': 'ms', 'error-ratio': 'ratio', 'head-over-base': 'head/base' } as const;

/**
 * `customSmallerIsBetter` of github-action-benchmark. Of a gate only ratios of head to base, which compare between
 * machines. Throughput is left out: more of it is better.
 */
export function renderBenchmarkJson({ values }: PipelineResult): string {
  const hasRatios = values.some(({ measure }) => measure === 'head-over-base');
  const entries = values.flatMap(({ name, measure, value, low, high }) => {
    if (measure === 'throughput' || (hasRatios && measure !== 'head-over-base')) return [];
    const unit = units[measure];
    const scale = unit === 'ms' ? 1000 : 1;
    const range = low === null || high === null ? {} : { range: `${digits(scale * low)} to ${digits(scale * high)}` };
    return [{ name, unit, value: tidy(scale * value), ...range }];
  });
  return `${JSON.stringify(entries, null, 2)}\n`;
}

/** Cuts the noise that multiplying floating point numbers adds. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

function digits(value: number): string {
  return String(Number(value.toPrecision(4)));
}
