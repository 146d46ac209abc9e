import { readFile } from 'node:fs/promises';
import type { Probe, Reading } from './probe.ts';

interface Counters {
  readonly busy: number;
  readonly interrupts: number;
  readonly stolen: number;
  readonly waiting: number;
  readonly total: number;
}

/**
 * The machine as a whole, source `machine`. Shares of all its cores since the last reading: `utilization` (of which
 * `interrupts`: the kernel's work for the network, which belongs to no process), `steal` (taken by the host), `io-wait`
 * (idle, waiting for a disk). `run-queue`: what runs or wants to run now. `cores`: how many there are.
 */
export function machineCpuProbe(): Probe {
  let before: Counters | undefined;
  return {
    name: 'machine-cpu',
    async read() {
      const [stat, loadAverage] = await Promise.all([
        readFile('/proc/stat', 'utf8'),
        readFile('/proc/loadavg', 'utf8'),
      ]);
      const now = readCpu(stat);
      const of = (metric: string, value: number, unit: Reading['unit'] = 'ratio'): Reading => ({
        source: 'machine',
        metric,
        unit,
        value,
      });
      const readings = [
        of('cores', stat.match(/^cpu\d+ /gm)?.length ?? 1, 'count'),
        of('run-queue', Number(/ (\d+)\//.exec(loadAverage)?.[1] ?? 0), 'count'),
      ];
      if (before !== undefined && now.total > before.total) {
        const last = before;
        const share = (part: keyof Counters) => Math.max(0, now[part] - last[part]) / (now.total - last.total);
        readings.push(
          of('utilization', share('busy')),
          of('interrupts', share('interrupts')),
          of('steal', share('stolen')),
          of('io-wait', share('waiting')),
        );
      }
      before = now;
      return readings;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** The first line of /proc/stat (`man 5 proc`). Time of virtual machines is counted in `user` already. */
function readCpu(stat: string): Counters {
  const numbers = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0, stolen = 0] = numbers;
  const interrupts = hard + soft;
  const busy = user + nice + system + interrupts;
  return { busy, interrupts, stolen, waiting, total: busy + idle + waiting + stolen };
}
