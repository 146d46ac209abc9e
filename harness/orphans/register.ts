import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TierbenchError } from '../core/errors.ts';
import { canKeepRecords, type Places, placesOfThisAccount, removeRunFolder } from './places.ts';
import { accountId, ownIdentity, thisMachine } from './processes.ts';
import { folderName, isRunId, labelsOf, MARKER_FILE, newRunId, RUN_VARIABLE, type RunRecord } from './run-record.ts';

/** A run that is written down. Disposing it removes its folder and the record: what it started must be stopped before. */
export interface RegisteredRun extends AsyncDisposable {
  readonly id: string;
  /** Exists, and is the place for every file of the run but its results. Other accounts may pass through it as root. */
  readonly folder: string;
  /** What every process of the run must have in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** What every container, network and volume of the run must be labelled with. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Writes down that this process is about to start something, before it does, so that `findOrphans` finds it all
 * should this process be killed.
 * @throws TierbenchError FOLDER_NOT_WRITABLE, DISK_FULL
 */
export async function registerRun(
  options: { readonly id?: string; readonly places?: Places } = {},
): Promise<RegisteredRun> {
  const { id = newRunId(new Date()), places = placesOfThisAccount() } = options;
  if (!isRunId(id)) throw new Error(`'${id}' is not a run id; newRunId makes one`);
  const record: RunRecord = {
    schemaVersion: 1,
    runId: id,
    startedAt: new Date().toISOString(),
    owner: ownIdentity(),
    accountId: accountId(),
    machine: thisMachine(),
    folder: join(places.temporary, folderName(id)),
  };
  const recordFile = await writeRecord(record, places);
  try {
    await mkdir(record.folder, { mode: 0o700 });
    await writeFile(join(record.folder, MARKER_FILE), JSON.stringify(record), { mode: 0o600 });
    // Servers that refuse to run as root run under another account, whose files are further down.
    if (process.getuid?.() === 0) await chmod(record.folder, 0o711);
  } catch (error) {
    await removeRunFolder(record.folder, id).catch(() => {});
    await rm(recordFile, { force: true });
    throw understandable(error, places.temporary);
  }
  return {
    id,
    folder: record.folder,
    environment: { [RUN_VARIABLE]: id },
    labels: labelsOf(record),
    async [Symbol.asyncDispose]() {
      await removeRunFolder(record.folder, id);
      await rm(recordFile, { force: true });
    },
  };
}

async function writeRecord(record: RunRecord, places: Places): Promise<string> {
  let failure: unknown;
  for (const registry of places.registries) {
    if (!(await canKeepRecords(registry))) continue;
    const file = join(registry, `${record.runId}.json`);
    try {
      await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600, flag: 'wx' });
      await rename(`${file}.new`, file);
      return file;
    } catch (error) {
      failure = error;
      await rm(`${file}.new`, { force: true }).catch(() => {});
    }
  }
  throw understandable(failure, places.registries.join(' or '));
}

function understandable(error: unknown, folder: string): TierbenchError {
  const { code, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new TierbenchError(
    full ? 'DISK_FULL' : 'FOLDER_NOT_WRITABLE',
    `cannot write in ${folder}${message === undefined ? '' : `: ${message}`}`,
    full
      ? 'Free some space there, or set TMPDIR to a folder on a disk with at least 1 GB free.'
      : 'Set TMPDIR (temporary files) and XDG_STATE_HOME (what is running) to folders this account may write in.',
    { cause: error },
  );
}
