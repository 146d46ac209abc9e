import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import { machineCpuProbe } from './machine-cpu.ts';

probeContract('machine-cpu', async () => ({ probe: machineCpuProbe(), async [Symbol.asyncDispose]() {} }));

describe('machine CPU', () => {
  it('is at least what this process uses, and shares are shares', async () => {
    await using probe = machineCpuProbe();
    await probe.read();
    const start = process.cpuUsage();
    const startMs = performance.now();
    while (performance.now() - startMs < 500) {
      // Busy.
    }
    const readings = new Map((await probe.read()).map(({ metric, value }) => [metric, value]));
    const { user, system } = process.cpuUsage(start);
    const cores = readings.get('cores') ?? 0;
    const own = (user + system) / 1e6 / 0.5 / cores;
    expect(cores).toBeGreaterThanOrEqual(availableParallelism());
    // Counters step by a hundredth of a second on each core.
    expect(readings.get('machine-utilization')).toBeGreaterThan(own - 0.1);
    for (const metric of ['machine-utilization', 'interrupts', 'steal', 'io-wait'] as const) {
      expect(readings.get(metric)).toBeGreaterThanOrEqual(0);
      expect(readings.get(metric)).toBeLessThanOrEqual(1);
    }
    expect(readings.get('run-queue')).toBeGreaterThanOrEqual(1);
  });
});
