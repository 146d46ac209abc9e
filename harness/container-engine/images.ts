import type Docker from 'dockerode';
import { TierbenchError } from '../core/errors.ts';
import { askEngine, type EngineAddress } from './engine.ts';

const HERE_LIMIT_S = 5;
/** A registry that can be reached answers within a second or two. */
const REGISTRY_LIMIT_S = 15;

export async function isImageHere(engine: EngineAddress, image: string): Promise<boolean> {
  return await askEngine(engine, 'GET', `/images/${image}/json`, HERE_LIMIT_S).then(
    () => true,
    () => false,
  );
}

/** Undefined when the image is here or the registry has it; what the registry answered otherwise. Nothing is downloaded. */
export async function whyImageIsNotAvailable(engine: EngineAddress, image: string): Promise<string | undefined> {
  if (await isImageHere(engine, image)) return undefined;
  return await askEngine(engine, 'GET', `/distribution/${image}/json`, REGISTRY_LIMIT_S).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

export interface ImageOptions {
  /** Aborting ends the pull or the build. */
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

/**
 * Pulls an image unless it is here.
 * @throws TierbenchError IMAGE_NOT_AVAILABLE
 */
export async function haveImage(docker: Docker, image: string, { signal, onProgress }: ImageOptions): Promise<void> {
  if (await hasImage(docker, image)) return;
  onProgress(`pulling ${image}`);
  try {
    await follow(docker, await docker.pull(image, { abortSignal: signal }));
  } catch (cause) {
    signal.throwIfAborted();
    throw new TierbenchError(
      'IMAGE_NOT_AVAILABLE',
      `the image ${image} is not here and cannot be pulled: ${(cause as Error).message}`,
      `Run \`docker pull ${image}\` where a registry can be reached, or use the local provider.`,
      { cause },
    );
  }
}

export async function hasImage(docker: Docker, image: string): Promise<boolean> {
  try {
    await docker.getImage(image).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

/** Reads what the engine sends while it pulls or builds. Rejects when that fails, which is in the stream as well. */
export async function follow(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  onText: (text: string) => void = () => {},
): Promise<void> {
  let failure: string | undefined;
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error) => (error ? reject(error) : resolve()),
      ({ stream: text, error }: { stream?: string; error?: string }) => {
        if (text !== undefined) onText(text);
        failure ??= error;
      },
    );
  });
  if (failure !== undefined) throw new Error(failure);
}
