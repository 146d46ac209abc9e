import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseImages, builtImageName, type ImageSource } from '../../container-engine/build-image.ts';
import { reaperImage } from '../../container-engine/docker.ts';
import { engineAddress, engineFacts } from '../../container-engine/engine.ts';
import { isImageHere, whyImageIsNotAvailable } from '../../container-engine/images.ts';
import type { ServiceKind } from '../../core/tier.ts';
import { images } from '../../services/images.ts';

/** The folder with the Dockerfile: that of the checkout, and of the installed package, whose dist/ holds no sources. */
export const referenceAppImage: ImageSource = {
  folder: fileURLToPath(
    new URL(`${extname(import.meta.url) === '.ts' ? '../../..' : '../../../..'}/reference-app`, import.meta.url),
  ),
  repository: images.api,
};

/** Why containers cannot be used for the built-in tiers, with the next step; empty when they can. Nothing is downloaded. */
export async function containersCanRun(): Promise<readonly string[]> {
  return await containerObstacles(Object.keys(images));
}

/** Why services of these kinds cannot run in containers here, with the next step; empty when they can. */
export async function containerObstacles(kinds: readonly ServiceKind[]): Promise<readonly string[]> {
  const facts = await engineFacts();
  const engine = engineAddress();
  if (typeof facts === 'string') return [facts];
  if (engine === undefined) return [];
  const wanted = new Set([
    reaperImage,
    ...kinds.filter((kind) => kind !== 'api').map((kind) => images[kind as keyof typeof images]),
  ]);
  if (kinds.includes('api') && !(await isImageHere(engine, await builtImageName(referenceAppImage)))) {
    for (const base of await baseImages(referenceAppImage.folder)) wanted.add(base);
  }
  const problems = await Promise.all(
    [...wanted].map(async (image) => {
      const why = await whyImageIsNotAvailable(engine, image);
      return why === undefined
        ? []
        : [
            `the image ${image} is not here and cannot be had (${why}); ` +
              `\`docker pull ${image}\` where a registry can be reached, or use the local provider`,
          ];
    }),
  );
  return problems.flat();
}
