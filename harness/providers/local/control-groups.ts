import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuQuota } from '../../core/tier.ts';
import { type ControlGroupTree, groupFolders, type LimitedResource } from '../../operating-system/control-groups.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import { removeControlGroup } from '../../orphans/control-groups.ts';

export interface Limits {
  readonly cpus?: number;
  readonly memoryBytes?: number;
}

/** Groups of this system that hold one instance to its limits. Disposing removes them: the processes must be gone. */
export interface InstanceGroup extends AsyncDisposable {
  /** Puts a process, and all it starts from then on, under the limits. */
  join(processId: number): void;
  /** What holds of the limits asked for. */
  enforced(): Limits;
  /** Why the rest does not. */
  reason(): string | undefined;
}

/** Makes the groups of one instance where it can, in each tree that limits something asked for. Never fails. */
export function makeInstanceGroup(name: string, limits: Limits, trees = thisSystem.controlGroupTrees()): InstanceGroup {
  /** Those that hold what they should; all that were made are removed. */
  const folders = new Map<LimitedResource, string>();
  const made = new Set<string>();
  let reason: string | undefined;
  const wanted = wantedResources(limits);
  for (const tree of trees) {
    const resources = tree.resources.filter((resource) => wanted.includes(resource) && !folders.has(resource));
    if (resources.length === 0) continue;
    const group = makeGroup(tree, resources, name, limits);
    if (group.folder === undefined) reason = group.reason;
    else {
      made.add(group.folder);
      for (const resource of resources) folders.set(resource, group.folder);
    }
  }
  if (folders.size < wanted.length) reason ??= 'this system has no control groups for it';
  return {
    join(processId) {
      for (const [resource, folder] of folders) {
        try {
          writeFileSync(join(folder, 'cgroup.procs'), String(processId));
        } catch (error) {
          // It has ended already.
          if ((error as NodeJS.ErrnoException).code === 'ESRCH') continue;
          folders.delete(resource);
          reason = explain(error);
        }
      }
    },
    enforced: () => ({
      ...(limits.cpus !== undefined && folders.has('cpu') && { cpus: limits.cpus }),
      ...(limits.memoryBytes !== undefined && folders.has('memory') && { memoryBytes: limits.memoryBytes }),
    }),
    reason: () => reason,
    async [Symbol.asyncDispose]() {
      for (const folder of made) await removeControlGroup(folder);
    },
  };
}

/** Whether limits can be enforced here, or why not. Leaves nothing. */
export async function tryControlGroups(name: string): Promise<string | undefined> {
  await using group = makeInstanceGroup(name, { cpus: 1, memoryBytes: 1024 ** 3 });
  return group.reason();
}

function wantedResources({ cpus, memoryBytes }: Limits): LimitedResource[] {
  return [...(cpus === undefined ? [] : ['cpu' as const]), ...(memoryBytes === undefined ? [] : ['memory' as const])];
}

type Made = { readonly folder: string; readonly reason?: never } | { readonly folder?: never; readonly reason: string };

function makeGroup(tree: ControlGroupTree, resources: readonly LimitedResource[], name: string, limits: Limits): Made {
  // A process can be moved within the part of the tree given to us.
  const parent = groupFolders(tree).find((folder) => canHold(tree, folder, resources));
  if (parent === undefined) return { reason: 'this account was not given a control group it may divide' };
  const folder = join(parent, name);
  try {
    mkdirSync(folder);
  } catch (error) {
    return { reason: explain(error) };
  }
  try {
    for (const [file, value] of limitFiles(tree.version, resources, limits)) writeFileSync(join(folder, file), value);
    return { folder };
  } catch (error) {
    rmdirSync(folder);
    return { reason: explain(error) };
  }
}

/**
 * Version 1: any group may hold others, each with its limits. Version 2: only one that hands the resources on to the
 * groups below, which no group with processes of its own can do but the root; and who moves a process must be able to
 * write in the group above both.
 */
function canHold({ version }: ControlGroupTree, folder: string, resources: readonly LimitedResource[]): boolean {
  if (!existsSync(folder)) return false;
  if (version === 1) return true;
  try {
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK);
    const handedOn = readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8').trim().split(' ');
    return resources.every((resource) => handedOn.includes(resource));
  } catch {
    return false;
  }
}

/** The files of a group that limit it and what to write there, in this order. */
export function limitFiles(
  version: 1 | 2,
  resources: readonly LimitedResource[],
  { cpus, memoryBytes }: Limits,
): readonly (readonly [file: string, value: string])[] {
  const files: [string, string][] = [];
  if (cpus !== undefined && resources.includes('cpu')) {
    const { periodMicroseconds, quotaMicroseconds } = cpuQuota(cpus);
    if (version === 2) files.push(['cpu.max', `${quotaMicroseconds} ${periodMicroseconds}`]);
    // The period first: with the old one a small quota may be refused.
    else files.push(['cpu.cfs_period_us', String(periodMicroseconds)], ['cpu.cfs_quota_us', String(quotaMicroseconds)]);
  }
  if (memoryBytes !== undefined && resources.includes('memory')) {
    files.push([version === 2 ? 'memory.max' : 'memory.limit_in_bytes', String(memoryBytes)]);
  }
  return files;
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'this account may not make control groups';
  return message;
}
