import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { TierbenchError } from '../../core/errors.ts';
import { images } from '../../servers/images.ts';

/** Of images that tierbench made. */
const IMAGE_LABEL = 'tierbench.image';
/** Older ones are removed: each change of the sources makes a new one. */
const KEPT_IMAGES = 3;
const KEPT_LINES = 30;

/** The folder with the Dockerfile: that of the checkout, and of the installed package, whose dist/ holds no sources. */
export function appSources(): string {
  const up = extname(import.meta.url) === '.ts' ? '../../..' : '../../../..';
  return fileURLToPath(new URL(`${up}/reference-app`, import.meta.url));
}

/** `tierbench/reference-app:3f2a...`: the same files have the same name. */
export async function appImageName(folder = appSources()): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await contextFiles(folder)) {
    hash
      .update(`${file}\0`)
      .update(await readFile(join(folder, file)))
      .update('\0');
  }
  return `${images.api}:${hash.digest('hex').slice(0, 16)}`;
}

/**
 * Builds the image of the API unless it is there, and removes older ones that nothing uses. Resolves with its name.
 * @throws TierbenchError IMAGE_BUILD_FAILED
 */
export async function haveAppImage(
  docker: Docker,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (what: string) => void },
  folder = appSources(),
): Promise<string> {
  const name = await appImageName(folder);
  if (await isHere(docker, name)) return name;
  onProgress('building the image of the API');
  await build(docker, folder, name, signal);
  await removeOlderImages(docker, name);
  return name;
}

/** What reference-app/.dockerignore lets in, and the two files that say how. Sorted. */
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

async function isHere(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

async function build(docker: Docker, folder: string, name: string, signal: AbortSignal): Promise<void> {
  const said: string[] = [];
  try {
    const stream = await docker.buildImage(
      { context: folder, src: [...(await contextFiles(folder))] },
      { t: name, labels: { [IMAGE_LABEL]: 'reference-app' }, rm: true, forcerm: true, abortSignal: signal },
    );
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(
        stream,
        (error) => (error ? reject(error) : resolve()),
        ({ stream: line }: { stream?: string }) => {
          if (line !== undefined) said.push(line);
        },
      );
    });
  } catch (cause) {
    signal.throwIfAborted();
    const lastLines = said.join('').trim().split('\n').slice(-KEPT_LINES).join('\n');
    throw new TierbenchError(
      'IMAGE_BUILD_FAILED',
      `the image of the API could not be built: ${(cause as Error).message}\n${lastLines}`.trim(),
      `Mend what is named above; \`docker build ${folder}\` builds the same by hand. It needs the npm registry.`,
      { cause },
    );
  }
}

/** An image that a container uses is kept by the engine itself. */
export async function removeOlderImages(docker: Docker, present: string): Promise<void> {
  const made = await docker.listImages({ filters: { label: [`${IMAGE_LABEL}=reference-app`] } });
  const older = made
    .toSorted((one, other) => other.Created - one.Created)
    .filter(({ RepoTags }) => !RepoTags?.includes(present))
    .slice(KEPT_IMAGES - 1)
    .flatMap(({ RepoTags }) => RepoTags ?? [])
    .filter((tag) => tag.startsWith(`${images.api}:`));
  await Promise.all(
    older.map((tag) =>
      docker
        .getImage(tag)
        .remove()
        .catch(() => {}),
    ),
  );
}
