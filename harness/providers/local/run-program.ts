import type { ErrorCode } from '../../core/error-codes.ts';
import { TierbenchError } from '../../core/errors.ts';
import { bareEnvironment, startChild } from './child-process.ts';
import type { Confinement } from './confinement.ts';

export interface ProgramOptions {
  /** For messages: `the migration of the database`. */
  readonly name: string;
  /** The code of the error when it fails. */
  readonly failureCode: ErrorCode;
  readonly program: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly confinement?: Confinement | undefined;
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
}

const STOP_PATIENCE_S = 3;

/** Runs a Node program to its end. Aborting stops it, and rejects once it is gone. */
export async function runProgram(options: ProgramOptions): Promise<void> {
  const { signal } = options;
  signal.throwIfAborted();
  const child = startChild({
    command: process.execPath,
    arguments: [options.program, ...options.arguments],
    folder: options.folder,
    environment: { ...bareEnvironment(), ...options.environment },
    confinement: options.confinement,
    secrets: options.secrets,
  });
  const stop = () => void child.stop('SIGTERM', STOP_PATIENCE_S);
  signal.addEventListener('abort', stop, { once: true });
  const end = await child.ended;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (end.exitCode !== 0) {
    throw new TierbenchError(
      options.failureCode,
      `${options.name} ${end.what}`,
      'Its last lines above name the cause; without a hint there, `tierbench doctor` says what this machine lacks.',
    );
  }
}
