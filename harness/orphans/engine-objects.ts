import { askEngine, type EngineAddress, EngineError } from './engine.ts';
import { parseRunRecord, type RunRecord } from './run-record.ts';

/** Label with the id of the run that something in a container engine belongs to. */
const RUN_LABEL = 'tierbench.run';
/** Label with the run's whole record, which says whose it is when nothing else is left of the run. */
const RECORD_LABEL = 'tierbench.record';

/** A container, network or volume that belongs to a run. */
export interface EngineObject {
  readonly kind: 'container' | 'network' | 'volume';
  readonly id: string;
  readonly name: string;
  readonly runId: string;
  /** Undefined when the label is not a record. */
  readonly record: RunRecord | undefined;
}

/** Finding things must not hold up a command; taking down a container that writes takes the engine some seconds. */
const LIST_LIMIT_S = 3;
const REMOVE_LIMIT_S = 30;

export function labelsOf(record: RunRecord): Readonly<Record<string, string>> {
  return { [RUN_LABEL]: record.runId, [RECORD_LABEL]: JSON.stringify(record) };
}

/**
 * What runs of tierbench have in the engine: containers first, as the rest cannot be removed before them.
 * @throws Error when the engine does not answer.
 */
export async function engineObjects(address: EngineAddress): Promise<readonly EngineObject[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [RUN_LABEL] }));
  const list = (path: string) => askEngine(address, 'GET', path, LIST_LIMIT_S);
  const [containers, networks, volumes] = await Promise.all([
    list(`/containers/json?all=1&filters=${filters}`) as Promise<{ Id: string; Names: string[]; Labels: Labels }[]>,
    list(`/networks?filters=${filters}`) as Promise<{ Id: string; Name: string; Labels: Labels }[]>,
    list(`/volumes?filters=${filters}`) as Promise<{ Volumes: { Name: string; Labels: Labels }[] | null }>,
  ]);
  return [
    ...containers.map(({ Id, Names, Labels }) => seen('container', Id, Names[0]?.replace(/^\//, '') ?? Id, Labels)),
    ...networks.map(({ Id, Name, Labels }) => seen('network', Id, Name, Labels)),
    ...(volumes.Volumes ?? []).map(({ Name, Labels }) => seen('volume', Name, Name, Labels)),
  ];
}

/** Whatever state it is in. Resolves when it is gone, also when another removes it at the same time. */
export async function removeEngineObject(address: EngineAddress, { kind, id }: EngineObject): Promise<void> {
  const path = {
    container: `/containers/${id}?force=1&v=1`,
    network: `/networks/${id}`,
    volume: `/volumes/${id}?force=1`,
  };
  const until = performance.now() + REMOVE_LIMIT_S * 1000;
  for (;;) {
    try {
      await askEngine(address, 'DELETE', path[kind], REMOVE_LIMIT_S);
      return;
    } catch (error) {
      const status = error instanceof EngineError ? error.status : 0;
      if (status === 404) return;
      // In use by what is being removed, or being removed itself.
      if (![403, 409].includes(status) || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

type Labels = Readonly<Record<string, string>> | null;

function seen(kind: EngineObject['kind'], id: string, name: string, labels: Labels): EngineObject {
  const runId = labels?.[RUN_LABEL] ?? '';
  const record = parseRunRecord(labels?.[RECORD_LABEL] ?? '');
  return { kind, id, name, runId, record: record?.runId === runId ? record : undefined };
}
