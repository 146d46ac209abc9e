import type { SeenProcess } from './processes.ts';
import type { RunRecord } from './run-record.ts';

/** A record of a run that was found, and where. */
export interface Sighting {
  /** The file in the registry, or the run's folder for one that is not in the registry. */
  readonly path: string;
  /** Undefined when it cannot be read as a record. */
  readonly record: RunRecord | undefined;
  /** User id of the file's or folder's owner. */
  readonly accountId: number;
  /** Time since it was last written, in seconds. */
  readonly ageS: number;
}

export type Ownership =
  | { readonly state: 'running' }
  | { readonly state: 'left' }
  /** Not ours to remove; `why` says whose it is. */
  | { readonly state: 'foreign'; readonly why: string };

/** Writing a record takes milliseconds. One that is not whole after this long never will be. */
const WRITING_LIMIT_S = 60;

/** Whether what was sighted is in use, was left behind, or is none of our business. */
export function ownershipOf(
  { record, accountId, ageS }: Sighting,
  here: {
    readonly accountId: number;
    readonly machine: RunRecord['machine'];
    readonly isRunning: (owner: RunRecord['owner']) => boolean;
  },
): Ownership {
  if (accountId !== here.accountId) {
    return { state: 'foreign', why: `it belongs to user ${accountId}; run \`tierbench doctor\` as that user` };
  }
  if (record === undefined) return ageS > WRITING_LIMIT_S ? { state: 'left' } : { state: 'running' };
  const { hostname, bootId, processNamespace } = record.machine;
  if (bootId !== here.machine.bootId) {
    if (hostname === here.machine.hostname) return { state: 'left' };
    return { state: 'foreign', why: `it was made on the machine '${hostname}'; run \`tierbench doctor\` there` };
  }
  if (processNamespace !== here.machine.processNamespace) {
    return { state: 'foreign', why: `it was made in another container of this machine ('${hostname}')` };
  }
  return { state: here.isRunning(record.owner) ? 'running' : 'left' };
}

/**
 * The processes of a run: those that carry its mark, and those that work inside its folder without a terminal.
 * PostgreSQL writes over the environment of its processes, so only the folder shows whose they are; a person who looks
 * around in that folder has a terminal. Never `self` and what it was started by.
 */
export function processesOfRun(
  { runId, folder }: RunRecord,
  processes: readonly SeenProcess[],
  self: number,
): readonly SeenProcess[] {
  const ourselves = ancestry(self, processes);
  return processes.filter((process) => {
    if (ourselves.has(process.processId)) return false;
    if (process.runId !== undefined) return process.runId === runId;
    return !process.hasTerminal && (process.workingFolder === folder || process.workingFolder.startsWith(`${folder}/`));
  });
}

/** Those that no other of them started: asked to stop, they stop the rest in order. */
export function rootsOf(processes: readonly SeenProcess[]): readonly SeenProcess[] {
  const ids = new Set(processes.map(({ processId }) => processId));
  return processes.filter(({ parentId }) => !ids.has(parentId));
}

function ancestry(processId: number, processes: readonly SeenProcess[]): ReadonlySet<number> {
  const parents = new Map(processes.map((process) => [process.processId, process.parentId]));
  const line = new Set<number>();
  for (let current: number | undefined = processId; current !== undefined && !line.has(current); ) {
    line.add(current);
    current = parents.get(current);
  }
  return line;
}
