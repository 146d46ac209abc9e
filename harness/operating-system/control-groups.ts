import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Control groups limit what processes may use (`man 7 cgroups`). */

export const limitedResources = ['cpu', 'memory'] as const;
export type LimitedResource = (typeof limitedResources)[number];

/** One tree of control groups that can limit something. */
export interface ControlGroupTree {
  readonly version: 1 | 2;
  /** Where its root is seen. */
  readonly root: string;
  /** The group that the process is in: `/user.slice`. */
  readonly ownGroup: string;
  /** Of version 2: those the system leaves to it; a group may still not have them. */
  readonly resources: readonly LimitedResource[];
}

const MOUNT = '/sys/fs/cgroup';

/** The trees this system has, with the groups of one process: the text of `/proc/PID/cgroup`. */
export function controlGroupTreesIn(
  groups: string,
  exists: (path: string) => boolean = existsSync,
): readonly ControlGroupTree[] {
  return groups
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

/**
 * The folders of the group and of those above it, nearest first. In a container the tree may be seen from further down than
 * its groups are named: what is not there holds nobody.
 */
export function groupFolders({ root, ownGroup }: Pick<ControlGroupTree, 'root' | 'ownGroup'>): readonly string[] {
  const names = ownGroup.split('/').filter((name) => name !== '' && name !== '..');
  return Array.from({ length: names.length + 1 }, (_, up) => join(root, ...names.slice(0, names.length - up)));
}
