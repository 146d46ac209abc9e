import { lstat, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { accountId } from './processes.ts';
import { MARKER_FILE, parseRunRecord, runIdOfFolder } from './run-record.ts';

/**
 * Removes a run's folder and all that is in it. Does nothing when it is not there.
 * Returns why it was kept when it is not provably the folder of this run: by its name, its owner and the marker in it
 * (or nothing in it: the command was killed before it wrote the marker).
 */
export async function removeRunFolder(folder: string, runId: string): Promise<string | undefined> {
  const status = await lstat(folder).catch(() => undefined);
  if (status === undefined) return undefined;
  if (runIdOfFolder(folder) !== runId) return 'its name is not that of the run';
  if (!status.isDirectory()) return 'it is not a folder';
  if (process.getuid !== undefined && status.uid !== accountId()) return `it belongs to user ${status.uid}`;
  const names = await readdir(folder);
  const marker = await readFile(join(folder, MARKER_FILE), 'utf8').catch(() => '');
  if (names.some((name) => name !== MARKER_FILE) && parseRunRecord(marker)?.runId !== runId) {
    return 'it holds files, but not the marker of the run';
  }
  // The marker goes last: killed in the middle of this, the rest can still be distinguished from what others have.
  for (const name of names.filter((other) => other !== MARKER_FILE)) {
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
  }
  await rm(join(folder, MARKER_FILE), { force: true });
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return undefined;
}
