import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { TierbenchError } from '../../core/errors.ts';
import { type ServiceKind, serviceKinds } from '../../core/tier.ts';
import { askEngine, type EngineAddress, engineAddress } from '../../orphans/engine.ts';
import { images, reaperImage } from '../../services/images.ts';
import { appImageName, appSources } from './app-image.ts';
import { engineFacts } from './engine.ts';
import { follow } from './follow.ts';

const HERE_LIMIT_S = 5;
/** A registry that is there tells of an image within a second or two. */
const REGISTRY_LIMIT_S = 15;

/** Why containers cannot be used for the built-in tiers, with the next step; empty when they can. Nothing is downloaded. */
export async function containersCanRun(): Promise<readonly string[]> {
  return await containerObstacles(serviceKinds);
}

/** Why services of these kinds cannot run in containers here, with the next step; empty when they can. */
export async function containerObstacles(kinds: readonly ServiceKind[]): Promise<readonly string[]> {
  const facts = await engineFacts();
  const engine = engineAddress();
  if (typeof facts === 'string') return [facts];
  if (engine === undefined) return [];
  const wanted = new Set([reaperImage, ...kinds.filter((kind) => kind !== 'api').map((kind) => images[kind])]);
  if (kinds.includes('api')) {
    const name = await appImageName();
    if (!(await isHere(engine, name))) for (const base of await baseImages()) wanted.add(base);
  }
  const problems = await Promise.all([...wanted].map((image) => problemWith(engine, image)));
  return problems.filter((problem) => problem !== undefined);
}

/** Undefined when the image is here or the registry has it; nothing is downloaded. */
async function problemWith(engine: EngineAddress, image: string): Promise<string | undefined> {
  if (await isHere(engine, image)) return undefined;
  try {
    await askEngine(engine, 'GET', `/distribution/${image}/json`, REGISTRY_LIMIT_S);
    return undefined;
  } catch (error) {
    const why = (error as Error).message;
    return `the image ${image} is not here and cannot be had (${why}); \`docker pull ${image}\` where a registry can be reached, or use \`--provider local\``;
  }
}

async function isHere(engine: EngineAddress, image: string): Promise<boolean> {
  return await askEngine(engine, 'GET', `/images/${image}/json`, HERE_LIMIT_S).then(
    () => true,
    () => false,
  );
}

async function baseImages(): Promise<readonly string[]> {
  const text = await readFile(join(appSources(), 'Dockerfile'), 'utf8');
  return [...text.matchAll(/^FROM (\S+)/gm)].flatMap(([, image]) => image ?? []);
}

/**
 * Pulls an image unless it is here. Aborting ends the pull.
 * @throws TierbenchError IMAGE_NOT_AVAILABLE
 */
export async function haveImage(
  docker: Docker,
  image: string,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (what: string) => void },
): Promise<void> {
  const here = await docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    );
  if (here) return;
  onProgress(`pulling ${image}`);
  try {
    await follow(docker, await docker.pull(image, { abortSignal: signal }));
  } catch (cause) {
    signal.throwIfAborted();
    throw new TierbenchError(
      'IMAGE_NOT_AVAILABLE',
      `the image ${image} is not here and cannot be pulled: ${(cause as Error).message}`,
      `Run \`docker pull ${image}\` where a registry can be reached, or use \`--provider local\`.`,
      { cause },
    );
  }
}
