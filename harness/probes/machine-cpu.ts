import { readFile } from 'node:fs/promises';
import { type Probe, readingsOf, rememberCounters } from './probe.ts';

/** The machine as a whole, source `machine`. CPU as shares of all its cores since the last reading. */
export function machineCpuProbe(): Probe {
  const counters = rememberCounters<'busy' | 'interrupts' | 'stolen' | 'waiting' | 'total'>();
  return {
    name: 'machine-cpu',
    async read() {
      const [stat, loadAverage] = await Promise.all([
        readFile('/proc/stat', 'utf8'),
        readFile('/proc/loadavg', 'utf8'),
      ]);
      const by = counters.next(readCpu(stat))?.by;
      return readingsOf(
        'machine',
        {
          cores: stat.match(/^cpu\d+ /gm)?.length ?? 1,
          'run-queue': Number(/ (\d+)\//.exec(loadAverage)?.[1] ?? 0),
        },
        by === undefined || by.total === 0
          ? {}
          : {
              'machine-utilization': by.busy / by.total,
              interrupts: by.interrupts / by.total,
              steal: by.stolen / by.total,
              'io-wait': by.waiting / by.total,
            },
      );
    },
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * The first line of /proc/stat (`man 5 proc`). Time of virtual machines is counted in `user` already. `interrupts` is the
 * kernel's work for the network, which belongs to no process.
 */
function readCpu(stat: string) {
  const numbers = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0, stolen = 0] = numbers;
  const interrupts = hard + soft;
  const busy = user + nice + system + interrupts;
  return { busy, interrupts, stolen, waiting, total: busy + idle + waiting + stolen };
}
