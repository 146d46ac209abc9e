import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { z } from 'zod';
import type { EngineAddress } from '../container-engine/engine.ts';
import { type EngineObject, labelledObjects } from '../container-engine/objects.ts';

/** Environment variable that every process of a run carries, with the run's id. */
export const RUN_VARIABLE = 'TIERBENCH_RUN';
/** File in a run's folder that says whose it is: the run's record. */
export const MARKER_FILE = '.tierbench-run.json';

const runIdPattern = /^\d{8}-\d{6}-[0-9a-f]{8}$/;

const runRecord = z.strictObject({
  schemaVersion: z.literal(1),
  runId: z.string().regex(runIdPattern),
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
  /** The command that made it. A process id alone may be given to another process later. */
  owner: z.strictObject({ processId: z.int().positive(), startTicks: z.int().nonnegative() }),
  /** User id; -1 where the system has none. */
  accountId: z.int(),
  /** What the process id is counted in: home folders are shared between machines, temporary ones between containers. */
  machine: z.strictObject({ hostname: z.string(), bootId: z.string(), processNamespace: z.string() }),
  /** The one folder everything of the run is in. */
  folder: z.string().startsWith('/'),
});

/** What is written down before a run starts anything, so that it can be found when its command is killed. */
export type RunRecord = z.infer<typeof runRecord>;

/** `20261121-070642-1f3a09bc`: the UTC time, so that runs sort by it, and something that no other run has. */
export function newRunId(now: Date): string {
  const [date, time] = now.toISOString().replaceAll(/[-:]/g, '').split(/[T.]/);
  return `${date}-${time}-${randomBytes(4).toString('hex')}`;
}

export function isRunId(text: string): boolean {
  return runIdPattern.test(text);
}

export function folderName(runId: string): string {
  return `tierbench-${runId}`;
}

/** The run a folder of this name would belong to, or undefined when the name is not one of ours. */
export function runIdOfFolder(folder: string): string | undefined {
  const runId = /^tierbench-(.+)$/.exec(basename(folder))?.[1];
  return runId !== undefined && isRunId(runId) ? runId : undefined;
}

/** Undefined when the text is not a record, or not one whose folder may be removed for it. */
export function parseRunRecord(text: string): RunRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data } = runRecord.safeParse(value);
  return data !== undefined && runIdOfFolder(data.folder) === data.runId ? data : undefined;
}

/** Label with the id of the run that something in a container engine belongs to. */
const RUN_LABEL = 'tierbench.run';
/** Label with the run's whole record, which says whose it is when nothing else is left of the run. */
const RECORD_LABEL = 'tierbench.record';

/** A container, network or volume that belongs to a run. */
export interface RunObject extends EngineObject {
  readonly runId: string;
  /** Undefined when the label is not a record of that run. */
  readonly record: RunRecord | undefined;
}

export function labelsOf(record: RunRecord): Readonly<Record<string, string>> {
  return { [RUN_LABEL]: record.runId, [RECORD_LABEL]: JSON.stringify(record) };
}

/**
 * What runs of tierbench have in the engine, in the order it can be removed.
 * @throws Error when the engine does not answer.
 */
export async function objectsOfRuns(address: EngineAddress): Promise<readonly RunObject[]> {
  const objects = await labelledObjects(address, RUN_LABEL);
  return objects.map((object) => {
    const runId = object.labels[RUN_LABEL] ?? '';
    const record = parseRunRecord(object.labels[RECORD_LABEL] ?? '');
    return { ...object, runId, record: record?.runId === runId ? record : undefined };
  });
}
