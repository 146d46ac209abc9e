export const serviceKinds = ['api', 'load-balancer', 'pooler', 'primary', 'replica', 'cache'] as const;
export type ServiceKind = (typeof serviceKinds)[number];

/** Where in the scaling documents something is said. */
export interface DocumentReference {
  readonly document: string;
  readonly section: string;
}

export type SettingValue = string | number | boolean;

/** One part of a tier. */
export interface Service {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly instances: number;
  /** For kind `api` the options of the reference app (environment names), for the servers their own setting names. */
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

/** How much data a deployment holds before the first trial. Deterministic in `seed`. */
export interface DataSize {
  readonly users: number;
  readonly tasksPerUser: number;
  readonly seed: number;
}
