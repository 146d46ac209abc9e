import { startContainer } from '../../container-engine/container.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import { TierbenchError } from '../../core/errors.ts';
import { SECRETS_FILE } from './api.ts';
import type { ContainerDeployment } from './deployment.ts';
import { environmentFile } from './environment-file.ts';

export interface OneShot {
  /** For messages: `the migration of the database`. */
  readonly name: string;
  /** Its name in the network. */
  readonly alias: string;
  /** The code of the error when it fails. */
  readonly failureCode: ErrorCode;
  /** A program of the image and its arguments: `['migrate.ts']`. */
  readonly program: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * Runs a program of the API's image in the network to its end. Aborting ends it.
 * @throws TierbenchError with its last lines
 */
export async function runOnce(deployment: ContainerDeployment, oneShot: OneShot): Promise<void> {
  const { engine, signal } = deployment;
  const image = await deployment.appImage;
  const container = await startContainer(deployment, {
    alias: oneShot.alias,
    image,
    command: ['node', `--env-file=${SECRETS_FILE}`, ...oneShot.program],
    environment: oneShot.environment ?? {},
    files: { [SECRETS_FILE]: environmentFile(oneShot.secrets) },
  });
  const remove = () => engine.docker.getContainer(container.id).remove({ force: true, v: true });
  const stop = () => void remove().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  // It may have been aborted while the container came to run.
  if (signal.aborted) stop();
  const end = await container.ended();
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  await remove();
  if (end.exitCode !== 0) {
    throw new TierbenchError(
      oneShot.failureCode,
      `${oneShot.name} ${end.what}`,
      'Its last lines above name the cause; without a hint there, `tierbench doctor` says what this machine lacks.',
    );
  }
}
