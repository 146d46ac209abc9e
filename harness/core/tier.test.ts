import { expect, it } from 'vitest';
import { cpuQuota } from './tier.ts';

it.each([
  [2, 100_000, 200_000],
  [1, 100_000, 100_000],
  [0.5, 10_000, 5000],
  [0.1, 10_000, 1000],
  [0.05, 20_000, 1000],
  [0.0005, 1_000_000, 1000],
])('%f CPUs are held by a period of %i µs and a quota of %i µs', (cpus, periodMicroseconds, quotaMicroseconds) => {
  expect(cpuQuota(cpus)).toEqual({ periodMicroseconds, quotaMicroseconds });
});
