import { thisSystem } from '../operating-system/this-system.ts';
import { type Probe, readingsOf, rememberCounters } from './probe.ts';

/** The machine as a whole, source `machine`. CPU as shares of all its cores since the last reading. */
export function machineCpuProbe(system = thisSystem): Probe {
  const counters = rememberCounters<'busy' | 'interrupts' | 'stolen' | 'waiting' | 'total'>();
  return {
    name: 'machine-cpu',
    async read() {
      const { cores, runnable, busy, total, details } = system.machineCpu();
      const { interrupts = 0, stolen = 0, waiting = 0 } = details ?? {};
      const by = counters.next({ busy, interrupts, stolen, waiting, total })?.by;
      const known = { cores, 'run-queue': runnable };
      if (by === undefined || by.total === 0) return readingsOf('machine', known);
      return readingsOf(
        'machine',
        known,
        { 'machine-utilization': by.busy / by.total },
        details === undefined
          ? {}
          : {
              interrupts: by.interrupts / by.total,
              steal: by.stolen / by.total,
              'io-wait': by.waiting / by.total,
            },
      );
    },
    async [Symbol.asyncDispose]() {},
  };
}
