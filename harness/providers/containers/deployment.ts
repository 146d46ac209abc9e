import type { ContainerContext } from '../../container-engine/container.ts';
import type { StartedContainer } from '../../container-engine/started-container.ts';
import type { Credentials } from '../../services/address.ts';
import type { StartedService } from '../bring-up.ts';

/** What every starter of a service takes. */
export interface ContainerDeployment extends ContainerContext {
  /** Of the database, for all that connect to it. */
  readonly credentials: Credentials;
  /** The image of the API. */
  readonly appImage: Promise<string>;
  readonly onProgress: (what: string) => void;
}

/** One instance of a service in its container. */
export interface ContainerInstance {
  readonly name: string;
  readonly container: StartedContainer;
  /** The port this machine reaches the service on. */
  readonly port: number;
  /** Asks until it answers right. Rejects when `signal` aborts, or when the container ends. */
  untilReady(signal: AbortSignal): Promise<unknown>;
}

/** A service that is up, as others of its deployment see it. */
export interface StartedContainers extends StartedService {
  readonly instances: readonly ContainerInstance[];
  /** The port each instance listens on in the network. */
  readonly insidePort: number;
}

/** `api/1` is `api-1` in the network. */
export function aliasOf(serviceName: string, number: number): string {
  return `${serviceName}-${number}`;
}
