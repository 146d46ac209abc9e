import { lstat, readdir, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { EngineAddress } from '../container-engine/engine.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import { isOurs, type Places, placesOfThisAccount } from './places.ts';
import { accountId, type SeenProcess, seeProcesses, thisMachine } from './processes.ts';
import {
  MARKER_FILE,
  objectsOfRuns,
  parseRunRecord,
  type RunObject,
  type RunRecord,
  runIdOfFolder,
} from './run-record.ts';
import { ownershipOf, processesOfRun, type Sighting } from './what-is-ours.ts';

/** What a killed command left. */
export interface LeftRun {
  /** Undefined for a record that was never written to its end: nothing had been started then. */
  readonly record: RunRecord | undefined;
  /** Files of the registry about it. */
  readonly recordFiles: readonly string[];
  /** Undefined when there is none (any more). */
  readonly folder: string | undefined;
  readonly processes: readonly SeenProcess[];
  /** Containers, networks and volumes, in the order they can be removed. */
  readonly engineObjects: readonly RunObject[];
}

export interface Orphans {
  /** Can be removed. */
  readonly left: readonly LeftRun[];
  /** Left by someone or somewhere else: named, not touched. */
  readonly foreign: readonly { readonly path: string; readonly why: string }[];
  /** Ids of runs that are running. */
  readonly running: readonly string[];
  /** What could not be looked at. */
  readonly limits: readonly string[];
}

/** Finds what commands of this account left when they were killed. Changes nothing. */
export async function findOrphans(places: Places = placesOfThisAccount()): Promise<Orphans> {
  // Before the records: a run that begins in between has its record by then.
  const { objects, limit } = await objectsIn(places.engine);
  const sightings = [
    ...(await recordsIn(places.registries)),
    ...(await foldersIn(places.temporary)),
    ...objects.flatMap(sightingOf),
  ];
  const here = { accountId: accountId(), machine: thisMachine(), isRunning: thisSystem.isRunning };
  const sighted = sightings.map((sighting) => ({ sighting, ownership: ownershipOf(sighting, here) }));
  const left = sighted.filter(({ ownership }) => ownership.state === 'left').map(({ sighting }) => sighting);
  const processes = left.length > 0 ? seeProcesses() : [];

  // A run is usually sighted twice: in the registry and by its folder.
  const byRun = Map.groupBy(left, ({ record, path }) => record?.runId ?? path);
  const leftRuns = [...byRun.values()].map(async (same): Promise<LeftRun> => {
    const record = same.find((sighting) => sighting.record !== undefined)?.record;
    const folderExists = record !== undefined && (await lstat(record.folder).catch(() => undefined)) !== undefined;
    return {
      record,
      recordFiles: same.map(({ path }) => path).filter((path) => isAbsolute(path) && path !== record?.folder),
      folder: folderExists ? record.folder : undefined,
      processes: record === undefined ? [] : processesOfRun(record, processes, process.pid),
      engineObjects: record === undefined ? [] : objects.filter(({ runId }) => runId === record.runId),
    };
  });
  return {
    left: await Promise.all(leftRuns),
    foreign: sighted.flatMap(({ sighting: { path }, ownership }) =>
      ownership.state === 'foreign' ? [{ path, why: ownership.why }] : [],
    ),
    running: [
      ...new Set(
        sighted.flatMap(({ sighting: { record }, ownership }) =>
          ownership.state === 'running' && record !== undefined ? [record.runId] : [],
        ),
      ),
    ],
    limits: [
      // This process at least is there.
      ...(left.length === 0 || processes.length > 0
        ? []
        : ['processes left running cannot be found here; only their folders and records are removed']),
      ...(limit === undefined ? [] : [limit]),
    ],
  };
}

/** Silent where this account may not use the engine: then it has nothing there. */
async function objectsIn(
  engine: EngineAddress | undefined,
): Promise<{ objects: readonly RunObject[]; limit?: string }> {
  if (engine === undefined) return { objects: [] };
  try {
    return { objects: await objectsOfRuns(engine) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (['EACCES', 'ECONNREFUSED', 'ENOENT'].includes(code ?? '')) return { objects: [] };
    return { objects: [], limit: `containers left running cannot be found: ${message}` };
  }
}

/** By its label alone, for a run of which nothing else is left. */
function sightingOf({ kind, name, record }: RunObject): Sighting[] {
  return record === undefined ? [] : [{ path: `${kind} ${name}`, record, accountId: record.accountId, ageS: 0 }];
}

async function recordsIn(registries: readonly string[]): Promise<Sighting[]> {
  const sightings: Sighting[] = [];
  for (const registry of registries) {
    if (!(await isOurs(registry))) continue;
    for (const name of await readdir(registry)) {
      const runId = /^(.+)\.json(\.new)?$/.exec(name)?.[1];
      if (runId === undefined) continue;
      const sighting = await sight(join(registry, name), join(registry, name));
      if (sighting === undefined) continue;
      const { record } = sighting;
      sightings.push(record?.runId === runId ? sighting : { ...sighting, record: undefined });
    }
  }
  return sightings;
}

/** Folders of runs that no registry knows, for example because it was made by another home. */
async function foldersIn(temporary: string): Promise<Sighting[]> {
  const sightings: Sighting[] = [];
  for (const name of await readdir(temporary).catch(() => [])) {
    const folder = join(temporary, name);
    const runId = runIdOfFolder(folder);
    if (runId === undefined) continue;
    const sighting = await sight(folder, join(folder, MARKER_FILE));
    // Without a marker a folder is nobody's but the registry's.
    if (sighting?.record?.folder === folder || (sighting !== undefined && sighting.accountId !== accountId())) {
      sightings.push(sighting);
    }
  }
  return sightings;
}

async function sight(path: string, recordFile: string): Promise<Sighting | undefined> {
  // It may go while we look.
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return undefined;
  const text = await readFile(recordFile, 'utf8').catch(() => '');
  return {
    path,
    record: parseRunRecord(text),
    accountId: process.getuid === undefined ? -1 : status.uid,
    ageS: (Date.now() - status.mtimeMs) / 1000,
  };
}
