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
