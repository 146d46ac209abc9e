import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when `condition` holds, and rejects after thirty seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(30_000);
  while (!(await condition())) {
    limit.throwIfAborted();
    await delay(20);
  }
}

/** Those that have ended meanwhile are passed over. */
export function signalAll(processIds: readonly number[], signal: NodeJS.Signals): void {
  for (const id of processIds) {
    try {
      process.kill(id, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** False also for a process that has ended and that nobody has waited for. */
export function isRunning(processId: number): boolean {
  return !['', 'Z', 'X'].includes(statusOf(processId).state);
}

export function childrenOf(parent: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((id) => statusOf(id).parent === parent);
}

function statusOf(processId: number): { readonly state: string; readonly parent: number } {
  try {
    // The name before them may hold spaces and parentheses.
    const fields = readFileSync(`/proc/${processId}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state: fields[0] ?? '', parent: Number(fields[1]) };
  } catch {
    return { state: '', parent: 0 };
  }
}
