import type { Confinement } from './confinement.ts';

/** A server as a process of this machine, on 127.0.0.1. Disposing stops it and removes its files. */
export interface LocalServer extends AsyncDisposable {
  readonly port: number;
  /** `PgBouncer 1.18.0`; undefined when the server does not say. */
  readonly version: string | undefined;
  /** Of the process that runs now; undefined while it is down. Costs nothing, unlike `processIds`. */
  mainProcessId(): number | undefined;
  /** It and everything it started, looked for in the whole table of processes; the main one first. Empty while it is down. */
  processIds(): readonly number[];
  /** Resolves with a description when the present process ends, asked for or not; never rejects. Anew after `start`. */
  ended(): Promise<string>;
  /** SIGKILL to it and everything it started. Resolves when it is gone. */
  kill(): Promise<void>;
  /** After `kill`: with the same data, on the same port. Resolves when it answers. */
  start(): Promise<void>;
}

/** What every starter of a server takes. */
export interface LocalServerOptions {
  /** An existing folder for this server alone, which as root is given to its account; disposing removes what it put there. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Takes down what was started and rejects with the reason. */
  readonly signal?: AbortSignal;
  readonly confinement?: Confinement;
}
