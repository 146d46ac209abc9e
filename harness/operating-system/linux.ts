import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { controlGroupTreesIn } from './control-groups.ts';
import { findProgram } from './find-program.ts';
import { namesIn, readLink, readText } from './missing-files.ts';
import type { OperatingSystem, ProcessUsage } from './operating-system.ts';

/** Linux counts CPU time in hundredths of a second for programs, whatever the kernel's own tick is (`man 5 proc`). */
const TICKS_PER_S = 100;
/** A socket that listens, in the state column of /proc/net/tcp. */
const LISTENING = '0A';

/**
 * Linux shows what it knows in files (`man 5 proc`). They are read synchronously: they are made on the spot, and waiting for
 * each in turn costs the generator several times as much.
 */
export const linux: OperatingSystem = {
  platform: 'linux',
  lacks: [],
  name: () => /^PRETTY_NAME="?([^"\n]+)/m.exec(readText('/etc/os-release') ?? '')?.[1] ?? 'Linux',
  bootId: () => (readText('/proc/sys/kernel/random/boot_id') ?? '').trim(),
  processNamespace: () => readLink('/proc/self/ns/pid') ?? '',
  availableMemoryBytes() {
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readText('/proc/meminfo') ?? '')?.[1];
    return kib === undefined ? process.availableMemory() : Number(kib) * 1024;
  },
  openFilesLimit() {
    const limit = /^Max open files\s+(\S+)/m.exec(readText('/proc/self/limits') ?? '')?.[1];
    if (limit === undefined) return undefined;
    return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
  },
  firstOutgoingPort() {
    const range = readText('/proc/sys/net/ipv4/ip_local_port_range');
    return range === undefined ? undefined : Number(range.trim().split(/\s+/)[0]);
  },
  machineCpu() {
    const stat = readText('/proc/stat') ?? '';
    const runnable = / (\d+)\//.exec(readText('/proc/loadavg') ?? '')?.[1];
    const numbers = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? [];
    // Time of virtual machines is counted in `user` already.
    const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0, stolen = 0] = numbers;
    const interrupts = hard + soft;
    const busy = user + nice + system + interrupts;
    return {
      cores: stat.match(/^cpu\d+ /gm)?.length ?? 1,
      runnable: runnable === undefined ? undefined : Number(runnable),
      busy,
      total: busy + idle + waiting + stolen,
      details: { interrupts, stolen, waiting },
    };
  },

  networkInterfaces: () =>
    (readText('/proc/net/dev') ?? '').split('\n').flatMap((line) => {
      const [, name = '', rest = ''] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
      const [receivedBytes = 0, , , , , , , , sentBytes = 0] = rest.split(/\s+/).map(Number);
      const megabitsPerS = name === '' ? 0 : Number(readText(`/sys/class/net/${name}/speed`) ?? 0);
      return megabitsPerS > 0 ? [{ name, receivedBytes, sentBytes, bytesPerS: (megabitsPerS * 1e6) / 8 }] : [];
    }),

  processes: (mark) =>
    processIds().flatMap((processId) => {
      const stat = readStat(`/proc/${processId}/stat`);
      if (stat === undefined || stat.state === 'Z') return [];
      return {
        processId,
        parentId: stat.parentId,
        startTicks: stat.startTicks,
        hasTerminal: stat.terminal !== 0,
        mark: mark === undefined ? undefined : variableOf(processId, mark),
        workingFolder: (readLink(`/proc/${processId}/cwd`) ?? '').replace(/ \(deleted\)$/, ''),
      };
    }),
  startTicks: (processId) => readStat(`/proc/${processId}/stat`)?.startTicks,
  isRunning({ processId, startTicks }) {
    const stat = readStat(`/proc/${processId}/stat`);
    // A zombie has ended; only its parent has not noticed.
    return stat !== undefined && stat.startTicks === startTicks && stat.state !== 'Z';
  },
  async usageOf(roots) {
    const all = new Set(roots);
    return new Map(roots.map((root) => [root, treeOf(root, all).flatMap(usageOfProcess)]));
  },
  async processWithArgument(argument) {
    return processIds().find((id) => readText(`/proc/${id}/cmdline`)?.split('\0').includes(argument));
  },
  async busyS(processId) {
    let busyNs = 0;
    let threads = 0;
    for (const thread of numbersIn(`/proc/${processId}/task`)) {
      // Nanoseconds on a CPU and waiting for one come first (Documentation/scheduler/sched-stats).
      const schedule = readText(`/proc/${processId}/task/${thread}/schedstat`) ?? '';
      const [worked, waited] = schedule.split(' ').map(Number);
      // One that has ended meanwhile.
      if (worked === undefined || waited === undefined) continue;
      busyNs += worked + waited;
      threads += 1;
    }
    return threads === 0 ? undefined : busyNs / 1e9;
  },
  runsProgram: async (name) => processIds().some((id) => readText(`/proc/${id}/comm`)?.trim() === name),
  listensOn(ids, port) {
    const sockets = socketsOn(port);
    if (sockets === undefined) return true;
    const links = ids.flatMap((id) =>
      namesIn(`/proc/${id}/fd`).flatMap((name) => readLink(`/proc/${id}/fd/${name}`) ?? []),
    );
    return links.length === 0 || links.some((link) => sockets.has(link));
  },
  /**
   * Before any JavaScript runs, Node sets each signal back to its default action, so that this is seen only by what surrounds
   * the process: the shell names `nohup` as the program it ran, the parent ignores the signal as well, or standard input is
   * what `nohup` leaves in place of a terminal, a file nobody can read.
   */
  sighupWasIgnored: () => basename(process.env._ ?? '') === 'nohup' || parentIgnoresSighup() || inputIsThatOfNohup(),

  allowedCpus: (processId) => allowedCpusIn(readText(`/proc/${processId ?? 'self'}/status`) ?? ''),
  /** `taskset` becomes the program, with the same process id. */
  onCpus(cpus, command) {
    const taskset = findProgram(['taskset']);
    return taskset === undefined ? undefined : [taskset, '-c', cpus.join(','), ...command];
  },
  pinThisProcess: (cpus) => pin(['-a', '-p', '-c', cpus.join(','), String(process.pid)], cpus),
  pinThread: (threadId, cpus) => pin(['-p', '-c', cpus.join(','), String(threadId)], cpus),
  threadId() {
    const link = readLink('/proc/thread-self');
    return link === undefined ? null : Number(basename(link));
  },

  controlGroupTrees: (processId) => controlGroupTreesIn(readText(`/proc/${processId ?? 'self'}/cgroup`) ?? ''),
  isInContainer: (processId, containerId) =>
    processId > 0 && (readText(`/proc/${processId}/cgroup`) ?? '').includes(containerId),
};

function processIds(): readonly number[] {
  return numbersIn('/proc');
}

function numbersIn(folder: string): readonly number[] {
  return namesIn(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readStat(path: string) {
  const text = readText(path);
  if (text === undefined) return undefined;
  // The name of the program stands in brackets and may hold spaces and brackets; fields are counted from behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? '',
    parentId: Number(fields[1]),
    terminal: Number(fields[4]),
    cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S,
    threads: Number(fields[17]),
    startTicks: Number(fields[19]),
  };
}

function variableOf(processId: number, name: string): string | undefined {
  const variables = (readText(`/proc/${processId}/environ`) ?? '').split('\0');
  return variables.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** A process and its descendants, without those that are watched by themselves. */
function treeOf(processId: number, roots: ReadonlySet<number>): readonly number[] {
  const children = readText(`/proc/${processId}/task/${processId}/children`) ?? '';
  const others = children.split(' ').filter(Boolean).map(Number);
  return [processId, ...others.filter((child) => !roots.has(child)).flatMap((child) => treeOf(child, roots))];
}

function usageOfProcess(processId: number): ProcessUsage[] {
  const all = readStat(`/proc/${processId}/stat`);
  if (all === undefined) return [];
  const mainThread = all.threads > 1 ? readStat(`/proc/${processId}/task/${processId}/stat`) : all;
  const status = readText(`/proc/${processId}/status`) ?? '';
  const bytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  const sharedBytes = bytes('RssFile') + bytes('RssShmem');
  return [
    {
      processId,
      startTicks: all.startTicks,
      cpuS: all.cpuS,
      mainThreadCpuS: mainThread?.cpuS ?? all.cpuS,
      memoryBytes: bytes('RssAnon') + sharedBytes,
      sharedBytes,
      openFiles: openFilesOf(processId),
    },
  ];
}

function openFilesOf(processId: number): ProcessUsage['openFiles'] {
  const [, limit] = /^Max open files\s+(\d+)/m.exec(readText(`/proc/${processId}/limits`) ?? '') ?? [];
  const count = namesIn(`/proc/${processId}/fd`).length;
  // Those of another account cannot be counted.
  return limit === undefined || count === 0 ? undefined : { count, limit: Number(limit) };
}

/** `socket:[4711]` of all that listen on it; undefined where that cannot be read. */
function socketsOn(port: number): ReadonlySet<string> | undefined {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = ['tcp', 'tcp6'].map((table) => readText(`/proc/net/${table}`));
  if (tables.includes(undefined)) return undefined;
  const rows = tables.flatMap((table) => (table ?? '').split('\n').slice(1));
  return new Set(
    rows.flatMap((row) => {
      const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
      return state === LISTENING && local.endsWith(`:${hexadecimal}`) ? [`socket:[${inode}]`] : [];
    }),
  );
}

function parentIgnoresSighup(): boolean {
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readText(`/proc/${process.ppid}/status`) ?? '')?.[1] ?? '0';
  return (BigInt(`0x${ignored}`) & 1n) === 1n;
}

function inputIsThatOfNohup(): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readText('/proc/self/fdinfo/0') ?? '')?.[1] ?? '0';
  const isWriteOnly = (Number.parseInt(flags, 8) & 0o3) === 1;
  return isWriteOnly && readLink('/proc/self/fd/0') === '/dev/null';
}

/** `Cpus_allowed_list:	0-2,5` of the status of a process or thread. */
export function allowedCpusIn(status: string): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  return list
    .split(',')
    .filter(Boolean)
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

function pin(words: readonly string[], cpus: readonly number[]): boolean {
  const taskset = findProgram(['taskset']);
  return taskset !== undefined && cpus.length > 0 && spawnSync(taskset, words, { stdio: 'ignore' }).status === 0;
}
