import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { TierbenchError } from '../../core/errors.ts';

/** A k6 that was asked for its version and is one that tierbench knows. */
export interface K6Program {
  /** `2.2.0` */
  readonly version: string;
  /** Where it comes from, in words: for the facts of a run. */
  readonly origin: string;
  /**
   * Starts it. The folder is all of this machine's files that it may need to see: in a container it sees no other.
   * Of this command's environment it gets what a program needs to run, and nothing that would change a load (`K6_*`).
   */
  start(args: readonly string[], options: K6StartOptions): K6Process;
}

/** Or the process that attends a container with k6: it passes on what is said, signals and the exit code. */
export type K6Process = ChildProcessByStdio<Writable | null, Readable, Readable>;

export interface K6StartOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface K6Choice {
  /** The program to use and no other. */
  readonly path?: string | undefined;
  /** Ends the pulling of the image. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (what: string) => void;
}

export const HOW_TO_INSTALL =
  'Install k6 2.x from https://grafana.com/docs/k6/latest/set-up/install-k6/, or name the program.';

/** The version in what `k6 version` prints, `k6 v2.2.0 (go1.26.8, linux/amd64)`; undefined when that is not k6. */
export function versionIn(text: string): string | undefined {
  return /^k6\S* v(\d+\.\d+\.\d+\S*)/m.exec(text)?.[1];
}

/** @throws TierbenchError K6_VERSION_NOT_SUPPORTED */
export function supportedVersion(version: string, where: string): string {
  const major = Number(version.split('.')[0]);
  if (major === 1 || major === 2) return version;
  throw new TierbenchError(
    'K6_VERSION_NOT_SUPPORTED',
    `${where} is k6 ${version}, and tierbench knows versions 1.x and 2.x`,
    HOW_TO_INSTALL,
    { remedy: 'name-k6' },
  );
}

/** k6 reads settings from the home folder: what a person has set there must not change a trial. */
export function settingsWithHome(home: string): Readonly<Record<string, string>> {
  return {
    HOME: home,
    K6_NO_USAGE_REPORT: 'true',
    // It would download another k6 when a script wants an extension.
    K6_AUTO_EXTENSION_RESOLUTION: 'false',
  };
}

/** What is there cannot be run, or is not k6. */
export function unusable(what: string): TierbenchError {
  return new TierbenchError('K6_UNUSABLE', what, HOW_TO_INSTALL, { remedy: 'name-k6' });
}

/** Environment variable with a `ContainerOrder` as JSON, for the process that watches a container with k6. */
export const ORDER_VARIABLE = 'TIERBENCH_CONTAINER_ORDER';

export interface ContainerOrder {
  readonly image: string;
  readonly args: readonly string[];
  /** Working folder, and the only folder of this machine that it sees. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}
