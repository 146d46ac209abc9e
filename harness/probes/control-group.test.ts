import { expect, it } from 'vitest';
import { throttlingFromFile, usageFromStats } from './control-group.ts';

it('reads the counters of version 1 and 2 in seconds', () => {
  const versionOne = 'nr_periods 250\nnr_throttled 40\nthrottled_time 1500000000\n';
  const versionTwo = 'usage_usec 9000000\nuser_usec 8000000\nnr_periods 250\nnr_throttled 40\nthrottled_usec 1500000\n';
  const expected = { periods: 250, throttledPeriods: 40, throttledS: 1.5 };
  expect(throttlingFromFile(versionOne)).toEqual(expected);
  expect(throttlingFromFile(versionTwo)).toEqual(expected);
});

it('takes a group without a quota as one that is not throttled', () => {
  expect(throttlingFromFile('usage_usec 9000000\n')).toEqual({ periods: 0, throttledPeriods: 0, throttledS: 0 });
});

it.each(['total_inactive_file', 'inactive_file'])('counts the memory of a container without %s', (cached) => {
  const answer = {
    cpu_stats: {
      cpu_usage: { total_usage: 2_500_000_000 },
      throttling_data: { periods: 10, throttled_periods: 4, throttled_time: 300_000_000 },
    },
    memory_stats: { usage: 5000, stats: { [cached]: 2000 } },
  };
  expect(usageFromStats(answer)).toEqual({
    cpuS: 2.5,
    memoryBytes: 3000,
    periods: 10,
    throttledPeriods: 4,
    throttledS: 0.3,
  });
});

it('refuses what the engine says of a container that does not run', () => {
  const answer = { cpu_stats: { cpu_usage: { total_usage: 0 } }, memory_stats: {} };
  expect(() => usageFromStats(answer)).toThrow();
});
