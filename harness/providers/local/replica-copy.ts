import { constants } from 'node:fs';
import { chown, copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';

/** What a copy must not have of the server it was taken from, or makes anew; see "Making a base backup" in PostgreSQL's manual. */
const leftOutFiles =
  /^(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp.*|backup_label|tablespace_map|(standby|recovery)\.signal)$/;
/** Of these only the folder. The log comes from the primary by streaming. */
const leftOutContents = new Set([
  ...['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans'],
]);

/** Copies the data folder of a server that runs, between the start and the stop of a backup. Its tablespaces are left out. */
export async function copyDataFolder(
  source: string,
  target: string,
  account: Account | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const own = async (path: string) => {
    if (account !== undefined) await chown(path, account.uid, account.gid);
  };
  async function copyFolder(from: string, to: string): Promise<void> {
    signal?.throwIfAborted();
    await mkdir(to, { mode: 0o700 });
    await own(to);
    const entries = await readdir(from, { withFileTypes: true });
    for (const entry of entries) {
      if (leftOutFiles.test(entry.name)) continue;
      if (entry.isDirectory()) {
        if (from === source && leftOutContents.has(entry.name)) {
          await mkdir(join(to, entry.name), { mode: 0o700 });
          await own(join(to, entry.name));
        } else await copyFolder(join(from, entry.name), join(to, entry.name));
      }
    }
    const files = entries.filter((entry) => entry.isFile() && !leftOutFiles.test(entry.name));
    await Promise.all(
      files.map(async ({ name }) => {
        try {
          await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
          await own(join(to, name));
        } catch (error) {
          // A table that was dropped meanwhile: the log says so too.
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        }
      }),
    );
  }
  await copyFolder(source, target);
}
