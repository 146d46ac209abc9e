import { performance } from 'node:perf_hooks';
import type { GeneratorHealth } from '../../core/trial.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';

/** Of the timer that looks whether it is late. */
const PERIOD_MS = 5;

/** Watches this thread, and the CPU time of its process, from now on. `stop` gives what was seen since. */
export function watchGenerator(): { stop(): Omit<GeneratorHealth, 'sendLagP99S'> } {
  const loopAtStart = performance.eventLoopUtilization();
  const cpuAtStart = process.cpuUsage();
  const startedMs = performance.now();
  const lag = watchLag();
  return {
    stop() {
      const elapsedUs = (performance.now() - startedMs) * 1000;
      const cpu = process.cpuUsage(cpuAtStart);
      const loop = performance.eventLoopUtilization(loopAtStart);
      // The event loop counts as busy while it waits for a CPU, the CPU time also counts work beside the loop: what is
      // higher shows how near the generator is to its limit.
      const busyRatio = Math.max(loop.utilization, elapsedUs > 0 ? (cpu.user + cpu.system) / elapsedUs : 0);
      return { utilizationRatio: Math.min(1, Math.max(0, busyRatio)), eventLoopLagP99S: lag.stop() };
    },
  };
}

/**
 * How late what comes at any time is noticed, 99th percentile in seconds. A pause is met once by a timer, but by all who
 * come meanwhile: it counts for as many of them as there are periods in it (as HdrHistogram corrects for an expected
 * interval), or a pause that delays 3 % of the answers would show in no percentile.
 */
function watchLag(): { stop(): number } {
  const lags = LatencyHistogram.empty();
  let expectedMs = performance.now() + PERIOD_MS;
  const look = (): void => {
    const nowMs = performance.now();
    let lagMs = Math.max(0, nowMs - expectedMs);
    do {
      lags.record(lagMs / 1000);
      lagMs -= PERIOD_MS;
    } while (lagMs > 0);
    expectedMs = nowMs + PERIOD_MS;
  };
  const timer = setInterval(look, PERIOD_MS);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      if (performance.now() > expectedMs) look();
      return lags.count === 0 ? 0 : lags.quantileS(0.99);
    },
  };
}
