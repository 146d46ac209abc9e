import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { folderName } from './run-record.ts';

/** Control groups limit what processes may use (`man 7 cgroups`). A group of a run is named after it. */

const limitedResources = ['cpu', 'memory'] as const;
export type LimitedResource = (typeof limitedResources)[number];

/** One tree of control groups that can limit something. */
export interface ControlGroupTree {
  readonly version: 1 | 2;
  /** Where its root is seen. */
  readonly root: string;
  /** The group this process is in: `/user.slice`. */
  readonly ownGroup: string;
  /** Of version 2: those the system leaves to it; a group may still not have them. */
  readonly resources: readonly LimitedResource[];
}

const MOUNT = '/sys/fs/cgroup';
/** Groups of groups, at most; a group of a run is never far down. */
const DEEPEST = 8;
const POLL_S = 0.01;
const PATIENCE_S = 5;

/** The trees this system has, from `/proc/self/cgroup`. */
export function controlGroupTrees(
  ownGroups = readOrEmpty('/proc/self/cgroup'),
  exists: (path: string) => boolean = existsSync,
): readonly ControlGroupTree[] {
  return ownGroups
    .trim()
    .split('\n')
    .filter(Boolean)
    .flatMap((line): ControlGroupTree[] => {
      const [, controllers = '', ...path] = line.split(':');
      const ownGroup = path.join(':');
      if (controllers === '') {
        // Beside trees of version 1 it is seen elsewhere, and limits nothing we need.
        return exists(join(MOUNT, 'cgroup.controllers'))
          ? [{ version: 2, root: MOUNT, ownGroup, resources: limitedResources }]
          : [];
      }
      const resources = limitedResources.filter((resource) => controllers.split(',').includes(resource));
      const root = join(MOUNT, resources[0] ?? '');
      return resources.length > 0 && exists(root) ? [{ version: 1, root, ownGroup, resources }] : [];
    });
}

/** `part` distinguishes the groups of one run. */
export function controlGroupName(runId: string, part: string): string {
  return `${folderName(runId)}.${part}`;
}

/** The groups of a run, as folders. */
export function controlGroupsOfRun(runId: string, trees = controlGroupTrees()): readonly string[] {
  const start = `${folderName(runId)}.`;
  const found: string[] = [];
  const look = (folder: string, depth: number) => {
    for (const entry of foldersIn(folder)) {
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
  for (const processId of readOrEmpty(join(folder, 'cgroup.procs')).split('\n').map(Number).filter(Boolean)) {
    try {
      process.kill(processId, 'SIGKILL');
    } catch {
      // It has ended, or is not ours to end.
    }
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
