import type { RunningService } from '../core/deployment.ts';
import type { DataSize, Tier } from '../core/tier.ts';

/** A tier that is up. Disposing it takes everything down and removes every file it made. */
export interface Deployment extends AsyncDisposable {
  readonly tier: Tier;
  readonly provider: string;
  /** Where the load goes. */
  readonly baseUrl: string;
  readonly services: readonly RunningService[];
  /** Administrative access for probes; a secret: never stored or printed. Absent where there is none. */
  readonly databaseUrl?: string;
  /** Migrates and fills the database, deterministically. Absent where the data is not ours (`url`). */
  readonly prepareData?: (size: DataSize, password: string, signal: AbortSignal) => Promise<void>;
  /** Calls back once for each service instance that ends by itself while the deployment is up. */
  onFailure(listener: (failure: { readonly instance: string; readonly what: string }) => void): void;
}

/** Brings tiers up. What it must do is `provider-contract.ts`, which every provider runs. */
export interface Provider {
  readonly name: string;
  /** Why this tier cannot run here, with the next step; empty when it can. */
  obstacles(tier: Tier): Promise<readonly string[]>;
  /**
   * Resolves when every service answers. Aborting takes down what was already up before it rejects.
   * @throws TierbenchError when a service does not come up; nothing is left running then.
   */
  deploy(tier: Tier, signal: AbortSignal, onProgress?: (what: string) => void): Promise<Deployment>;
}
