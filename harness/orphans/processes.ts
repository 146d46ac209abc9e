import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { RunRecord } from './run-record.ts';
import { RUN_VARIABLE } from './run-record.ts';

/** A process as /proc shows it. What may not be read is empty. */
export interface SeenProcess {
  readonly processId: number;
  readonly parentId: number;
  /** When it started, in clock ticks since boot: with the id, its identity. */
  readonly startTicks: number;
  readonly hasTerminal: boolean;
  /** The value of TIERBENCH_RUN in the environment it was started with. */
  readonly runId: string | undefined;
  readonly workingFolder: string;
}

/** Whether this system shows its processes as files; where it does not, what was left running cannot be found. */
export const processesCanBeSeen = process.platform === 'linux';

export function accountId(): number {
  return process.getuid?.() ?? -1;
}

/** What process ids are counted in here. */
export function thisMachine(): RunRecord['machine'] {
  return {
    hostname: hostname(),
    bootId: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    processNamespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
  };
}

export function ownIdentity(): RunRecord['owner'] {
  return { processId: process.pid, startTicks: seeStat(process.pid)?.startTicks ?? 0 };
}

/** Whether exactly this process, and not a later one with its id, is there. */
export function isRunning(owner: RunRecord['owner']): boolean {
  if (processesCanBeSeen) {
    const stat = seeStat(owner.processId);
    // A zombie has ended; only its parent has not noticed.
    return stat !== undefined && stat.startTicks === owner.startTicks && stat.state !== 'Z';
  }
  try {
    process.kill(owner.processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** All processes that can be seen. Read without waiting: it takes milliseconds, and they change meanwhile. */
export function seeProcesses(): readonly SeenProcess[] {
  if (!processesCanBeSeen) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = seeStat(Number(name));
      if (stat === undefined || stat.state === 'Z') return [];
      const environment = orEmpty(() => readFileSync(`/proc/${name}/environ`, 'utf8'));
      const mark = environment.split('\0').find((variable) => variable.startsWith(`${RUN_VARIABLE}=`));
      return [
        {
          processId: Number(name),
          parentId: stat.parentId,
          startTicks: stat.startTicks,
          hasTerminal: stat.terminal !== 0,
          runId: mark?.slice(RUN_VARIABLE.length + 1),
          workingFolder: orEmpty(() => readlinkSync(`/proc/${name}/cwd`)).replace(/ \(deleted\)$/, ''),
        },
      ];
    });
}

function seeStat(
  processId: number,
): { state: string; parentId: number; terminal: number; startTicks: number } | undefined {
  const text = orEmpty(() => readFileSync(`/proc/${processId}/stat`, 'utf8'));
  // The second field is the program's name in parentheses, which may hold spaces and parentheses itself. See proc(5).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20) return undefined;
  return {
    state: fields[0] ?? '',
    parentId: Number(fields[1]),
    terminal: Number(fields[4]),
    startTicks: Number(fields[19]),
  };
}

/** Processes end, and other accounts' may not be read, at any time. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
