import { hostname } from 'node:os';
import type { SeenProcess as AnyProcess } from '../operating-system/operating-system.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import { RUN_VARIABLE, type RunRecord } from './run-record.ts';

export interface SeenProcess extends Omit<AnyProcess, 'mark'> {
  /** The run whose mark it carries. */
  readonly runId: string | undefined;
}

export function accountId(): number {
  return process.getuid?.() ?? -1;
}

/** What process ids are counted in here. */
export function thisMachine(): RunRecord['machine'] {
  return { hostname: hostname(), bootId: thisSystem.bootId(), processNamespace: thisSystem.processNamespace() };
}

export function ownIdentity(): RunRecord['owner'] {
  return { processId: process.pid, startTicks: thisSystem.startTicks(process.pid) ?? 0 };
}

/** All processes that can be seen. Read without waiting: it takes milliseconds, and they change meanwhile. */
export function seeProcesses(system = thisSystem): readonly SeenProcess[] {
  return system.processes(RUN_VARIABLE).map(({ mark, ...seen }) => ({ ...seen, runId: mark }));
}
