import type { DataValues, Subject } from '../core/app.ts';
import type { ProbeTarget, RunningService } from '../core/deployment.ts';
import type { Note, Obstacle } from '../core/findings.ts';
import type { Tier } from '../core/tier.ts';
import type { Reach } from '../core/trial.ts';

/** A tier that was started. Disposing it stops everything and removes every file it made. */
export interface Deployment extends AsyncDisposable {
  readonly tier: Tier;
  readonly provider: string;
  /** Where the load goes. */
  readonly baseUrl: string;
  /** Others by name, where scenarios may ask for one. */
  readonly baseUrls?: Readonly<Record<string, string>>;
  /** How its hosts are reached, where they are not ours. */
  readonly reach?: Reach;
  readonly services: readonly RunningService[];
  /** Administrative access to each instance that has any, for people. */
  readonly access: readonly InstanceAccess[];
  /** What can be read of the instances while load runs. */
  readonly probes: readonly ProbeTarget[];
  /** Where what runs differs from the tier file, and what a reader would not expect. */
  readonly notes: readonly Note[];
  /** Makes instances fail on purpose. Absent where they are not ours (`url`). */
  readonly faults?: FaultControl;
  /** Fills the database, deterministically. Absent where the data is not ours (`url`). */
  readonly prepareData?: (values: DataValues, password: string, signal: AbortSignal) => Promise<void>;
  /** Calls back once for each instance that crashes while the deployment is up; what `faults` ends is no crash. */
  onFailure(listener: (failure: { readonly instance: string; readonly what: string }) => void): void;
}

/** How to reach one instance from here with all rights. The URL is a secret: never stored; printed by `up` alone. */
export interface InstanceAccess {
  /** `database/1` */
  readonly instance: string;
  readonly kind: string;
  /** Of its first probe: the database of a primary, the console of a pooler, the status page of a load balancer. */
  readonly url: string;
}

/** Each takes the name of an instance, and resolves when it is done: gone, answering again, paused, going on. */
export interface FaultControl {
  kill(instance: string): Promise<void>;
  /** After `kill`: the same service with the same data at the same address. */
  start(instance: string): Promise<void>;
  pause(instance: string): Promise<void>;
  resume(instance: string): Promise<void>;
}

/** What a provider starts. */
export type AppInTier = Pick<Subject, 'tier' | 'app'>;

/** Starts tiers. What it must do is harness/contracts/providers/provider-contract.ts, which every provider runs. */
export interface Provider {
  readonly name: string;
  /** Why this tier cannot run here; empty when it can. */
  obstacles(subject: AppInTier): Promise<readonly Obstacle[]>;
  /**
   * Before anything else is done: resolves when what is not started by us can be loaded.
   * @throws TierbenchError when it cannot.
   */
  check?(signal: AbortSignal): Promise<void>;
  /**
   * Resolves when every service answers. Aborting stops what was already started before it rejects.
   * @throws TierbenchError when a service does not start; nothing is left running then.
   */
  deploy(subject: AppInTier, signal: AbortSignal, onProgress?: (what: string) => void): Promise<Deployment>;
}
