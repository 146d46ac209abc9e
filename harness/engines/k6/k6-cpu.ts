import { readdir, readFile } from 'node:fs/promises';

/** In USER_HZ, which Linux tells programs as 100 on every machine. */
const TICKS_PER_S = 100;

/** CPU time of a process of this machine, in a container or not. */
export interface ProcessCpu {
  /** Undefined when it is gone. */
  usedS(): Promise<number | undefined>;
  /** How many CPUs it may use. */
  readonly cpus: number;
}

/** The process one of whose arguments is this; undefined where there is none, or no /proc to look into. */
export async function findProcessCpu(argument: string): Promise<ProcessCpu | undefined> {
  const ids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const id of ids) {
    const commandLine = await readProcess(id, 'cmdline');
    if (commandLine === undefined || !commandLine.split('\0').includes(argument)) continue;
    const status = await readProcess(id, 'status');
    const cpus = cpusIn(/^Cpus_allowed_list:\s*(\S+)/m.exec(status ?? '')?.[1] ?? '');
    return { cpus: Math.max(1, cpus), usedS: async () => usedIn(await readProcess(id, 'stat')) };
  }
  return undefined;
}

async function readProcess(id: string, file: string): Promise<string | undefined> {
  return await readFile(`/proc/${id}/${file}`, 'utf8').catch(() => undefined);
}

/** `0-2,5` */
function cpusIn(list: string): number {
  return list.split(',').reduce((count, range) => {
    const [from = Number.NaN, to = from] = range.split('-').map(Number);
    return Number.isInteger(to - from) ? count + to - from + 1 : count;
  }, 0);
}

/** proc_pid_stat(5): fields 14 and 15, counted after the name, which may hold blanks. */
function usedIn(stat: string | undefined): number | undefined {
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields?.[11]) + Number(fields?.[12]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_S : undefined;
}
