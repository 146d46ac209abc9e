/** One copy of a service that is up. Holds no credentials. */
export interface RunningInstance {
  /** `service/number`, numbered from 1: `api/1`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Its main processes on this machine, which may have started others; empty where they cannot be seen. */
  readonly processIds: readonly number[];
  /** The container it runs in; absent for a process of this machine. */
  readonly containerId?: string;
  /** What it may use at most, as far as that is enforced. A limit of the tier file that is not stands in `TierFacts.notes`. */
  readonly limits?: Limits;
}

export interface RunningService {
  readonly name: string;
  /** `external` where only its address is known. */
  readonly kind: string;
  readonly instances: readonly RunningInstance[];
  /** Server software and version: `PostgreSQL 18.4`. */
  readonly version?: string;
}

/** What a probe reads. The URLs are secrets. */
export interface ProbeTarget {
  /** Which probe: `postgres`. */
  readonly probe: string;
  /** The instance it reads: `database/1`. */
  readonly source: string;
  readonly url: string;
  /** Of the instance it compares it with, such as the primary of a replica. */
  readonly peerUrl?: string;
}

export interface Limits {
  readonly cpus?: number;
  readonly memoryBytes?: number;
}

/** Limits that were asked for and are not enforced; undefined where all are. */
export function limitsNotEnforced(asked: Limits, enforced: Limits): Limits | undefined {
  const cpus = enforced.cpus === undefined ? asked.cpus : undefined;
  const memoryBytes = enforced.memoryBytes === undefined ? asked.memoryBytes : undefined;
  if (cpus === undefined && memoryBytes === undefined) return undefined;
  return { ...(cpus !== undefined && { cpus }), ...(memoryBytes !== undefined && { memoryBytes }) };
}
