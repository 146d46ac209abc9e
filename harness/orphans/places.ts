import { realpathSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { type EngineAddress, engineAddress, homeFolder } from '../container-engine/engine.ts';
import { accountId } from './processes.ts';
import { MARKER_FILE, parseRunRecord, runIdOfFolder } from './run-record.ts';

/** Where runs are written down and where their folders are. */
export interface Places {
  /** The registry: the first that can be written is used, all are read. */
  readonly registries: readonly string[];
  readonly temporary: string;
  /** The container engine; absent where there is none. */
  readonly engine?: EngineAddress | undefined;
}

/** `$XDG_STATE_HOME/tierbench/runs`, by default in `~/.local/state`; where that cannot be written, in the temporary folder. */
export function placesOfThisAccount(environment: NodeJS.ProcessEnv = process.env): Places {
  const temporary = realFolder(tmpdir());
  const stated = environment.XDG_STATE_HOME ?? '';
  const home = homeFolder();
  // The specification wants relative paths ignored.
  const state = isAbsolute(stated) ? stated : home && join(home, '.local', 'state');
  return {
    registries: [
      ...(state === undefined ? [] : [join(state, 'tierbench', 'runs')]),
      join(temporary, `tierbench-runs-${accountId()}`),
    ],
    temporary,
    engine: engineAddress(environment),
  };
}

/** Processes show their folder without symbolic links, which the temporary folder of macOS is behind. */
function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** `mkdir -p`: that of Node never returns where a folder cannot be made although its parent is there, as among the files of the kernel. */
async function makeFolders(folder: string): Promise<void> {
  const make = async () => {
    await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  };
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error;
    await makeFolders(dirname(folder));
    await make();
  }
}

/** Makes the folder if it is not there; false when it cannot be trusted or made. */
export async function canKeepRecords(registry: string): Promise<boolean> {
  try {
    await makeFolders(registry);
    return await isOurs(registry);
  } catch {
    return false;
  }
}

/** A real folder of this account that no other may write in: anyone may make one in the temporary folder. */
export async function isOurs(folder: string): Promise<boolean> {
  const status = await lstat(folder).catch(() => undefined);
  if (status === undefined || !status.isDirectory()) return false;
  return process.getuid === undefined || (status.uid === accountId() && (status.mode & 0o022) === 0);
}

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
