import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type EngineAddress, engineAddress } from '../container-engine/engine.ts';
import { removeObjects } from '../container-engine/objects.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import { controlGroupsOfRun, removeControlGroup } from './control-groups.ts';
import type { LeftRun, Orphans } from './find.ts';
import { removeRunFolder } from './places.ts';
import { type SeenProcess, seeProcesses } from './processes.ts';
import type { RunRecord } from './run-record.ts';
import { processesOfRun, rootsOf } from './what-is-ours.ts';

export interface Removal {
  /** What was removed, for a person to read. */
  readonly removed: readonly string[];
  readonly kept: readonly { readonly what: string; readonly why: string }[];
}

/**
 * Politely, then PostgreSQL's immediate shutdown (SIGQUIT), then by force. PostgreSQL waits for its clients on SIGTERM;
 * those are asked to stop at the same time. Ended by SIGQUIT it still gives its shared memory back, by SIGKILL it does not.
 */
const signals = ['SIGTERM', 'SIGQUIT', 'SIGKILL'] as const;
const POLL_S = 0.02;

/**
 * Removes what was found, and only that: processes first, then the folder, the record last, so that a removal that is
 * itself killed can be repeated. Takes at most three times `patienceS` for each run.
 */
export async function removeOrphans(
  found: Orphans,
  {
    patienceS = 3,
    engine = engineAddress(),
  }: { readonly patienceS?: number; readonly engine?: EngineAddress | undefined } = {},
): Promise<Removal> {
  const removals = await Promise.all(found.left.map((run) => removeRun(run, patienceS, engine)));
  return { removed: removals.flatMap(({ removed }) => removed), kept: removals.flatMap(({ kept }) => kept) };
}

async function removeRun(
  { record, recordFiles, folder, engineObjects }: LeftRun,
  patienceS: number,
  engine: EngineAddress | undefined,
): Promise<Removal> {
  const removed: string[] = [];
  const kept: { what: string; why: string }[] = [];
  if (record !== undefined) {
    const { stopped, alive } = await stopProcesses(record, patienceS);
    if (stopped > 0) removed.push(`${stopped} ${stopped === 1 ? 'process' : 'processes'} of run ${record.runId}`);
    for (const { processId } of alive) {
      kept.push({ what: `process ${processId} of run ${record.runId}`, why: 'it does not end, not even by SIGKILL' });
    }
  }
  if (record !== undefined && kept.length === 0) {
    for (const group of controlGroupsOfRun(record.runId)) {
      const why = await removeControlGroup(group, patienceS);
      if (why === undefined) removed.push(`control group ${group}`);
      else kept.push({ what: `control group ${group}`, why });
    }
  }
  if (engine !== undefined) {
    await removeObjects(engine, engineObjects, ({ kind, name, runId }, error) => {
      const what = `${kind} ${name} of run ${runId}`;
      if (error === undefined) removed.push(what);
      else kept.push({ what, why: error.message });
    });
  }
  if (record !== undefined && folder !== undefined && kept.length === 0) {
    const why = await removeRunFolder(folder, record.runId).catch((error: Error) => error.message);
    if (why === undefined) removed.push(folder);
    else kept.push({ what: folder, why });
  }
  // A record of something that is still there is how it is found the next time.
  if (kept.length === 0) {
    for (const file of recordFiles) {
      await rm(file, { force: true });
      removed.push(file);
    }
  }
  return { removed, kept };
}

async function stopProcesses(
  record: RunRecord,
  patienceS: number,
): Promise<{ stopped: number; alive: readonly SeenProcess[] }> {
  const seen = new Set<string>();
  const look = () => {
    const processes = processesOfRun(record, seeProcesses(), process.pid);
    for (const { processId, startTicks } of processes) seen.add(`${processId} ${startTicks}`);
    return processes;
  };
  let alive = look();
  for (const signal of signals) {
    if (alive.length === 0) break;
    for (const target of signal === 'SIGKILL' ? alive : rootsOf(alive)) send(target, signal);
    // A paused process sees signals only when it goes on, and so does one that waits for it.
    for (const target of alive) send(target, 'SIGCONT');
    const until = performance.now() + patienceS * 1000;
    do {
      await delay(POLL_S * 1000);
      alive = look();
    } while (alive.length > 0 && performance.now() < until);
  }
  return { stopped: seen.size - alive.length, alive };
}

function send(target: SeenProcess, signal: NodeJS.Signals): void {
  // Its id may be another process's by now.
  if (!thisSystem.isRunning(target)) return;
  try {
    process.kill(target.processId, signal);
  } catch (error) {
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
