import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisSystem } from '../harness/operating-system/this-system.ts';

const groups = '/sys/fs/cgroup/blkio';

/** Whether this account may slow the disk of temporary files down for some processes: control groups of version 1. */
export function canThrottleDisk(): boolean {
  return (
    process.getuid?.() === 0 && existsSync(join(groups, 'blkio.throttle.write_iops_device')) && device() !== undefined
  );
}

/**
 * Lets the process and its children write to the disk of temporary files so many times a second, in place of a slow disk;
 * whatever they start later too. Undone when it is disposed of.
 */
export async function throttleDisk(processId: number, writesPerS: number): Promise<AsyncDisposable> {
  const group = join(groups, `tierbench-slow-disk-${processId}`);
  const familyOf = async () =>
    [...(await thisSystem.usageOf([processId])).values()].flat().map((each) => each.processId);
  const move = async (to: string) => {
    for (const id of await familyOf()) {
      // One that has ended meanwhile.
      await writeFile(join(to, 'cgroup.procs'), String(id)).catch(() => undefined);
    }
  };
  await mkdir(group);
  await writeFile(join(group, 'blkio.throttle.write_iops_device'), `${device()} ${writesPerS}`);
  await move(group);
  return {
    async [Symbol.asyncDispose]() {
      await move(groups);
      await rmdir(group);
    },
  };
}

/** Major and minor number of the disk, whose name a partition begins with. */
function device(): string | undefined {
  const { dev } = statSync(tmpdir());
  const own = `${Math.floor(dev / 256) % 4096}:${(dev % 256) + Math.floor(dev / 2 ** 20) * 256}`;
  const of = `/sys/dev/block/${own}`;
  if (!existsSync(of)) return undefined;
  // A limit holds for whole disks.
  return existsSync(`${of}/partition`) ? readFileSync(`${of}/../dev`, 'utf8').trim() : own;
}
