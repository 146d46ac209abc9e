import { thisSystem } from '../operating-system/this-system.ts';
import { type CounterMemory, type Probe, readingsOf, rememberCounters, type Values } from './probe.ts';

/** The machine as a whole, source `machine`: CPU as shares of all its cores since the last reading, and its network. */
export function machineCpuProbe(system = thisSystem): Probe {
  const counters = rememberCounters<'busy' | 'interrupts' | 'stolen' | 'waiting' | 'total'>();
  const memories = new Map<string, CounterMemory<'received' | 'sent'>>();

  /** Of the interface that is closest to its speed, in the direction in which more goes. */
  function readNetwork(): Values {
    const [busiest] = system
      .networkInterfaces()
      .flatMap(({ name, receivedBytes, sentBytes, bytesPerS }) => {
        const memory = memories.get(name) ?? rememberCounters<'received' | 'sent'>();
        memories.set(name, memory);
        const perS = memory.next({ received: receivedBytes, sent: sentBytes })?.perS;
        return perS === undefined ? [] : [{ used: Math.max(perS.received, perS.sent), bytesPerS }];
      })
      .toSorted((one, other) => other.used / other.bytesPerS - one.used / one.bytesPerS);
    return { 'network-bytes': busiest?.used, 'network-limit': busiest?.bytesPerS };
  }

  return {
    name: 'machine-cpu',
    async read() {
      const { cores, runnable, busy, total, details } = system.machineCpu();
      const { interrupts = 0, stolen = 0, waiting = 0 } = details ?? {};
      const by = counters.next({ busy, interrupts, stolen, waiting, total })?.by;
      const known = { cores, 'run-queue': runnable, ...readNetwork() };
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
