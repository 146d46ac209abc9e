/** Of the registry in harness/services/registry.ts. */
export type ServiceKind = string;

/** Where in the scaling documents something is said. */
export interface DocumentReference {
  readonly document: string;
  readonly section: string;
}

export type SettingValue = string | number | boolean;

/** A service of a tier. */
export interface Service {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly instances: number;
  /** For an app its environment variables, for the servers their own setting names. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly resources: { readonly cpus?: number; readonly memoryBytes?: number };
  /** Role -> service name: `{ writer: 'primary' }`. */
  readonly connectsTo: Readonly<Record<string, string>>;
}

/** A named way to deploy the API. */
export interface Tier {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly documents: readonly DocumentReference[];
  /** The service that receives the load. */
  readonly entry: string;
  readonly services: readonly Service[];
}

/** How the kernel's scheduler holds a group of processes to a share of the CPUs: so much time in each period. */
export interface CpuQuota {
  readonly periodMicroseconds: number;
  readonly quotaMicroseconds: number;
}

/** The kernel takes no quota below a millisecond and no period above a second. */
const LEAST_QUOTA = 1000;
const LONGEST_PERIOD = 1_000_000;
const USUAL_PERIOD = 100_000;
const SHORT_PERIOD = 10_000;

/**
 * `cpus` above 0, 0.5 is half of one CPU. A group that has used its quota waits for the next period: with the usual
 * period and half a CPU that is up to 50 ms in the latency of a request, so shares below one CPU get a shorter period.
 */
export function cpuQuota(cpus: number): CpuQuota {
  const period = cpus < 1 ? SHORT_PERIOD : USUAL_PERIOD;
  const periodMicroseconds = Math.min(LONGEST_PERIOD, Math.max(period, Math.ceil(LEAST_QUOTA / cpus)));
  return { periodMicroseconds, quotaMicroseconds: Math.max(LEAST_QUOTA, Math.round(periodMicroseconds * cpus)) };
}
