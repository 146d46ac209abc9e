import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { GeneratorHealth } from '../core/trial.ts';

/** The sampling timer's own period; what comes on top of it is lag. */
const RESOLUTION_MS = 5;

/** Watches this process from now on. `stop` gives what was seen since. */
export function watchGenerator(): { stop(): Omit<GeneratorHealth, 'sendLagP99S'> } {
  const loopAtStart = performance.eventLoopUtilization();
  const cpuAtStart = process.cpuUsage();
  const startedMs = performance.now();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return {
    stop() {
      delay.disable();
      const elapsedUs = (performance.now() - startedMs) * 1000;
      const cpu = process.cpuUsage(cpuAtStart);
      const loop = performance.eventLoopUtilization(loopAtStart);
      // The event loop counts as busy while it waits for a CPU, the CPU time also counts work beside the loop: what is
      // higher tells how near the generator is to its limit.
      const busyRatio = Math.max(loop.utilization, elapsedUs > 0 ? (cpu.user + cpu.system) / elapsedUs : 0);
      const lagS = delay.count === 0 ? 0 : delay.percentile(99) / 1e9 - RESOLUTION_MS / 1000;
      return { utilizationRatio: Math.min(1, Math.max(0, busyRatio)), eventLoopLagP99S: Math.max(0, lagS) };
    },
  };
}
