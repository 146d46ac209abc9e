import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type Docker from 'dockerode';
import { TierbenchError } from '../core/errors.ts';
import { follow, hasImage, type ImageOptions } from './images.ts';

/** Of images that tierbench made. */
const IMAGE_LABEL = 'tierbench.image';
/** Older ones are removed: each change of the sources makes a new one. More than one, as another tierbench may run. */
const KEPT_IMAGES = 3;
const KEPT_LINES = 30;

/** What an image is made of, and what it is called before the colon. */
export interface ImageSource {
  readonly folder: string;
  readonly repository: string;
}

/** `tierbench/reference-app:3f2a...`: the same files have the same name. */
export async function builtImageName({ folder, repository }: ImageSource): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await contextFiles(folder)) {
    hash
      .update(`${file}\0`)
      .update(await readFile(join(folder, file)))
      .update('\0');
  }
  return `${repository}:${hash.digest('hex').slice(0, 16)}`;
}

/**
 * Builds an image unless it is here, and removes older ones that nothing uses. Resolves with its name.
 * @throws TierbenchError IMAGE_BUILD_FAILED
 */
export async function haveBuiltImage(
  docker: Docker,
  source: ImageSource,
  { signal, onProgress }: ImageOptions,
): Promise<string> {
  const name = await builtImageName(source);
  if (await hasImage(docker, name)) return name;
  onProgress(`building the image ${source.repository}`);
  await build(docker, source, name, signal);
  await removeOlderImages(docker, source.repository, name);
  return name;
}

/** What .dockerignore lets in (programs and SQL), and the two files that say how. Sorted. */
export async function contextFiles(folder: string): Promise<readonly string[]> {
  const own = new Set(['node_modules', 'test', 'dist']);
  const visit = async (at: string): Promise<string[]> => {
    const entries = await readdir(at, { withFileTypes: true });
    const files = entries.map(async (entry) => {
      const path = join(at, entry.name);
      if (entry.isDirectory()) return own.has(entry.name) ? [] : await visit(path);
      return [relative(folder, path).split(sep).join('/')];
    });
    return (await Promise.all(files)).flat();
  };
  const goesIn = (file: string) =>
    ['Dockerfile', '.dockerignore', 'package.json'].includes(file) ||
    (/\.(ts|sql)$/.test(file) && !file.endsWith('.test.ts'));
  return (await visit(folder)).filter(goesIn).toSorted();
}

/** The images that the one of `folder` is built from. */
export async function baseImages(folder: string): Promise<readonly string[]> {
  const text = await readFile(join(folder, 'Dockerfile'), 'utf8');
  return [...text.matchAll(/^FROM (\S+)/gm)].flatMap(([, image]) => image ?? []);
}

async function build(
  docker: Docker,
  { folder, repository }: ImageSource,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const said: string[] = [];
  try {
    const stream = await docker.buildImage(
      { context: folder, src: [...(await contextFiles(folder))] },
      { t: name, labels: { [IMAGE_LABEL]: repository }, rm: true, forcerm: true, abortSignal: signal },
    );
    await follow(docker, stream, (text) => said.push(text));
  } catch (cause) {
    signal.throwIfAborted();
    const lastLines = said.join('').trim().split('\n').slice(-KEPT_LINES).join('\n');
    throw new TierbenchError(
      'IMAGE_BUILD_FAILED',
      `the image ${repository} could not be built: ${(cause as Error).message}\n${lastLines}`.trim(),
      `Fix what is named above; \`docker build ${folder}\` builds the same by hand. It needs the npm registry.`,
      { cause },
    );
  }
}

/**
 * An image that a container uses is kept by the engine itself. `newest` is reported, as the engine knows the time of each to
 * a second only.
 */
async function removeOlderImages(docker: Docker, repository: string, newest: string): Promise<void> {
  const made = await docker.listImages({ filters: { label: [`${IMAGE_LABEL}=${repository}`] } });
  const older = made
    .filter(({ RepoTags }) => !RepoTags?.includes(newest))
    .toSorted((one, other) => other.Created - one.Created)
    .slice(KEPT_IMAGES - 1)
    .flatMap(({ RepoTags }) => RepoTags ?? [])
    .filter((tag) => tag.startsWith(`${repository}:`));
  await Promise.all(
    older.map((tag) =>
      docker
        .getImage(tag)
        .remove()
        .catch(() => {}),
    ),
  );
}
