import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { namesIn, readText } from '../operating-system/missing-files.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import { folderName } from './run-record.ts';

/** Groups of groups, at most; a group of a run is never far down. */
const DEEPEST = 8;
const POLL_S = 0.01;
const PATIENCE_S = 5;

/** The control group of a run is named after it; `part` distinguishes the groups of one run. */
export function controlGroupName(runId: string, part: string): string {
  return `${folderName(runId)}.${part}`;
}

/** The groups of a run, as folders. */
export function controlGroupsOfRun(runId: string, trees = thisSystem.controlGroupTrees()): readonly string[] {
  const start = `${folderName(runId)}.`;
  const found: string[] = [];
  const look = (folder: string, depth: number) => {
    for (const entry of namesIn(folder)) {
      const path = join(folder, entry);
      if (entry.startsWith(start)) found.push(path);
      else if (depth < DEEPEST) look(path, depth + 1);
    }
  };
  for (const { root } of trees) look(root, 1);
  return found;
}

/**
 * Removes a group. What still runs in it has a moment to end, and is killed then: it was put there by us.
 * Returns why it was kept; undefined when it is gone.
 */
export async function removeControlGroup(folder: string, patienceS = PATIENCE_S): Promise<string | undefined> {
  const startedMs = performance.now();
  for (;;) {
    try {
      rmdirSync(folder);
      return undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      const waitedS = (performance.now() - startedMs) / 1000;
      if (code !== 'EBUSY' || waitedS > 2 * patienceS) return message;
      if (waitedS > patienceS) killAllIn(folder);
    }
    await delay(POLL_S * 1000);
  }
}

function killAllIn(folder: string): void {
  for (const processId of (readText(join(folder, 'cgroup.procs')) ?? '').split('\n').map(Number).filter(Boolean)) {
    try {
      process.kill(processId, 'SIGKILL');
    } catch {
      // It has ended, or is not ours to end.
    }
  }
}
