import { execFile, spawnSync } from 'node:child_process';
import { cpus, type } from 'node:os';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import type { OperatingSystem, ProcessUsage } from './operating-system.ts';

/** Runs a program for its output, which is empty where there is no such program. It may fail and still have said something. */
export interface RunProgram {
  now(command: string, words: readonly string[]): string;
  soon(command: string, words: readonly string[]): Promise<string>;
}

const LONGEST_MS = 10_000;
/** Dates and numbers in one format, whatever a person's settings are. */
const options = {
  encoding: 'utf8' as const,
  timeout: LONGEST_MS,
  maxBuffer: 64 * 1024 ** 2,
  get env() {
    return { PATH: `${process.env.PATH ?? ''}:/bin:/usr/bin:/usr/sbin`, LC_ALL: 'C', TZ: 'UTC' };
  },
};

const runProgram: RunProgram = {
  now: (command, words) => spawnSync(command, words, options).stdout ?? '',
  soon: async (command, words) => {
    try {
      return (await promisify(execFile)(command, [...words], options)).stdout;
    } catch (error) {
      return (error as { readonly stdout?: string }).stdout ?? '';
    }
  },
};

/** `lstart` has a resolution of a second, and some systems reckon it from the time since they started. */
const SAME_START_S = 1;

/**
 * macOS shows nothing as files: programs that come with it (`ps`, `lsof`, `sysctl`) are asked. It has no control groups and
 * keeps no process to a CPU, and its `ps` tells neither threads nor what memory is shared.
 */
export function macos(run: RunProgram = runProgram): OperatingSystem {
  const sysctl = (name: string) => run.now('sysctl', ['-n', name]).trim();
  const startTicks = (processId: number) => {
    const [, state, start] =
      /^\s*(\S+)\s+(.+?)\s*$/m.exec(run.now('ps', ['-o', 'stat=,lstart=', '-p', `${processId}`])) ?? [];
    return state === undefined || state.startsWith('Z') ? undefined : secondsOf(start ?? '');
  };
  return {
    platform: 'darwin',
    lacks: ['control-groups', 'cpu-placement', 'thread-cpu'],
    name() {
      const version = run.now('sw_vers', ['-productVersion']).trim();
      return version === '' ? type() : `macOS ${version}`;
    },
    bootId: () => sysctl('kern.bootsessionuuid'),
    processNamespace: () => '',
    availableMemoryBytes: () => process.availableMemory(),
    openFilesLimit() {
      const limit = run.now('sh', ['-c', 'ulimit -n']).trim();
      if (limit === '') return undefined;
      return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
    },
    firstOutgoingPort: () => Number(sysctl('net.inet.ip.portrange.first')) || undefined,
    networkInterfaces: () => [],
    machineCpu() {
      const processors = cpus();
      const sum = (of: (times: (typeof processors)[number]['times']) => number) =>
        processors.reduce((total, { times }) => total + of(times), 0);
      const busy = sum(({ user, nice, sys, irq }) => user + nice + sys + irq);
      return {
        cores: processors.length,
        runnable: undefined,
        busy,
        total: busy + sum(({ idle }) => idle),
        details: undefined,
      };
    },

    processes(mark) {
      const rows = run.now('ps', ['-A', '-o', 'pid=,ppid=,stat=,tty=,lstart=']).split('\n');
      const folders = workingFoldersIn(run.now('lsof', ['-nPw', '-d', 'cwd', '-F', 'pn']));
      const marks = mark === undefined ? new Map() : marksIn(run.now('ps', ['-AEww', '-o', 'pid=,command=']), mark);
      return rows.flatMap((row) => {
        const [, id, parent, state = '', terminal = '', start = ''] =
          /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.+?)\s*$/.exec(row) ?? [];
        if (id === undefined || state.startsWith('Z')) return [];
        return {
          processId: Number(id),
          parentId: Number(parent),
          startTicks: secondsOf(start),
          hasTerminal: !/^[?-]+$/.test(terminal),
          mark: marks.get(Number(id)),
          workingFolder: folders.get(Number(id)) ?? '',
        };
      });
    },
    startTicks,
    isRunning({ processId, startTicks: known }) {
      const now = startTicks(processId);
      return now !== undefined && Math.abs(now - known) <= SAME_START_S;
    },
    async usageOf(roots) {
      const rows = usagesIn(await run.soon('ps', ['-A', '-o', 'pid=,ppid=,time=,rss=,lstart=']));
      const children = Map.groupBy(rows.values(), ({ parentId }) => parentId);
      const all = new Set(roots);
      const treeOf = (id: number): readonly ProcessUsage[] => {
        const own = rows.get(id)?.usage;
        const below = (children.get(id) ?? []).map(({ usage }) => usage.processId).filter((child) => !all.has(child));
        return [...(own === undefined ? [] : [own]), ...below.flatMap(treeOf)];
      };
      return new Map(roots.map((root) => [root, treeOf(root)]));
    },
    async processWithArgument(argument) {
      const rows = (await run.soon('ps', ['-Aww', '-o', 'pid=,command='])).split('\n');
      const row = rows.find((each) => ` ${each.trim()} `.includes(` ${argument} `));
      return row === undefined ? undefined : Number.parseInt(row, 10);
    },
    async busyS(processId) {
      const time = (await run.soon('ps', ['-o', 'time=', '-p', `${processId}`])).trim();
      return time === '' ? undefined : cpuSecondsOf(time);
    },
    async runsProgram(name) {
      const paths = (await run.soon('ps', ['-A', '-o', 'comm='])).split('\n');
      return paths.some((path) => basename(path.trim()) === name);
    },
    listensOn(processIds, port) {
      const listening = (words: readonly string[]) =>
        /^p\d/m.test(run.now('lsof', ['-nPw', '-a', '-F', 'p', '-p', processIds.join(','), ...words]));
      // Those of another account show nothing at all, not even a working folder.
      return listening([`-iTCP:${port}`, '-sTCP:LISTEN']) || !listening(['-d', 'cwd']);
    },
    sighupWasIgnored: () => basename(process.env._ ?? '') === 'nohup',

    allowedCpus: () => [],
    onCpus: () => undefined,
    pinThisProcess: () => false,
    pinThread: () => false,
    threadId: () => null,

    controlGroupTrees: () => [],
    isInContainer: () => false,
  };
}

/** `Sat Nov 28 00:44:06 2026`, in UTC. */
function secondsOf(start: string): number {
  return Date.parse(`${start} UTC`) / 1000;
}

/** `1-02:03:04`, `02:03:04` or, as macOS writes it, `123:04.56` (minutes and seconds). */
function cpuSecondsOf(time: string): number {
  const [, days = '0', clock = ''] = /^(?:(\d+)-)?([\d:.]+)$/.exec(time) ?? [];
  return Number(days) * 86_400 + clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

function usagesIn(rows: string): ReadonlyMap<number, { readonly parentId: number; readonly usage: ProcessUsage }> {
  return new Map(
    rows.split('\n').flatMap((row) => {
      const [, id, parent, time = '', rss, start = ''] =
        /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\d+)\s+(.+?)\s*$/.exec(row) ?? [];
      if (id === undefined) return [];
      const processId = Number(id);
      const usage = {
        processId,
        startTicks: secondsOf(start),
        cpuS: cpuSecondsOf(time),
        mainThreadCpuS: undefined,
        memoryBytes: Number(rss) * 1024,
        sharedBytes: undefined,
        openFiles: undefined,
      };
      return [[processId, { parentId: Number(parent), usage }] as const];
    }),
  );
}

/** The environment stands behind the arguments, which a person may have given the same words. */
function marksIn(rows: string, name: string): ReadonlyMap<number, string> {
  const pattern = new RegExp(`^\\s*(\\d+) .*\\s${name}=(\\S+)`);
  return new Map(
    rows.split('\n').flatMap((row) => {
      const [, id, value] = pattern.exec(row) ?? [];
      return id === undefined || value === undefined ? [] : [[Number(id), value] as const];
    }),
  );
}

/** Lines of lsof: `p4711` begins a process, `n/path` is a file of it. */
function workingFoldersIn(lines: string): ReadonlyMap<number, string> {
  const folders = new Map<number, string>();
  let processId = 0;
  for (const line of lines.split('\n')) {
    if (line.startsWith('p')) processId = Number(line.slice(1));
    if (line.startsWith('n')) folders.set(processId, line.slice(1));
  }
  return folders;
}
