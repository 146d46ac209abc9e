import { readdir, readFile } from 'node:fs/promises';

/** A process of this machine, in a container or not. */
export interface ProcessCpu {
  /**
   * How long its threads worked, and how long they could have but had to wait for a CPU, all together since they began: as
   * an event loop counts as busy while it waits for a CPU. Undefined when the process is gone.
   */
  busyS(): Promise<number | undefined>;
  /** How many CPUs it may use. */
  readonly cpus: number;
}

/** The process one of whose arguments is this; undefined where there is none, or no /proc to look into. */
export async function findProcessCpu(argument: string): Promise<ProcessCpu | undefined> {
  for (const id of await numbersIn('/proc')) {
    const commandLine = await read(`/proc/${id}/cmdline`);
    if (commandLine === undefined || !commandLine.split('\0').includes(argument)) continue;
    const status = await read(`/proc/${id}/status`);
    const cpus = cpusIn(/^Cpus_allowed_list:\s*(\S+)/m.exec(status ?? '')?.[1] ?? '');
    return { cpus: Math.max(1, cpus), busyS: () => busyS(id) };
  }
  return undefined;
}

/** Nanoseconds on a CPU and waiting for one are the first two numbers of schedstat (Documentation/scheduler/sched-stats). */
async function busyS(id: string): Promise<number | undefined> {
  let busyNs = 0;
  let threads = 0;
  for (const thread of await numbersIn(`/proc/${id}/task`)) {
    const [worked, waited] = ((await read(`/proc/${id}/task/${thread}/schedstat`)) ?? '').split(' ').map(Number);
    // One that has ended meanwhile.
    if (worked === undefined || waited === undefined) continue;
    busyNs += worked + waited;
    threads += 1;
  }
  return threads === 0 ? undefined : busyNs / 1e9;
}

async function numbersIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => /^\d+$/.test(name));
}

async function read(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(() => undefined);
}

/** `0-2,5` */
function cpusIn(list: string): number {
  return list.split(',').reduce((count, range) => {
    const [from = Number.NaN, to = from] = range.split('-').map(Number);
    return Number.isInteger(to - from) ? count + to - from + 1 : count;
  }, 0);
}
