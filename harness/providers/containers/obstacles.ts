import { extname, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseImages, builtImageName, type ImageSource } from '../../container-engine/build-image.ts';
import { reaperImage, whyNoClient } from '../../container-engine/docker.ts';
import { engineAddress, engineFacts } from '../../container-engine/engine.ts';
import { isImageHere, whyImageIsNotAvailable } from '../../container-engine/images.ts';
import type { App } from '../../core/app.ts';
import type { Obstacle } from '../../core/findings.ts';
import type { Service } from '../../core/tier.ts';
import type { ServiceSpec } from '../../services/service-type.ts';
import { builtInServices, outlineOf } from '../outline.ts';

/**
 * What an image of a spec is built from; undefined for one that is pulled. A relative folder is that of the checkout, or
 * of the installed package, whose dist/ holds no sources.
 */
export function imageSource(image: NonNullable<ServiceSpec['image']>): ImageSource | undefined {
  const { name: repository, folder } = image;
  if (folder === undefined) return undefined;
  const up = extname(import.meta.url) === '.ts' ? '../../..' : '../../../..';
  return {
    repository,
    folder: isAbsolute(folder) ? folder : fileURLToPath(new URL(`${up}/${folder}`, import.meta.url)),
  };
}

/** Why containers cannot be used for the built-in tiers; empty when they can. Nothing is downloaded. */
export async function containersCanRun(app: App): Promise<readonly Obstacle[]> {
  return await containerObstacles(builtInServices(app), app);
}

/** Why these services cannot run in containers here; empty when they can. */
export async function containerObstacles(services: readonly Service[], app: App): Promise<readonly Obstacle[]> {
  const facts = await engineFacts();
  const engine = engineAddress();
  if ('obstacle' in facts) return [facts.obstacle];
  if (engine === undefined) return [];
  const detail = await whyNoClient();
  if (detail !== undefined) return [{ code: 'container-client-not-loaded', detail }];
  const wanted = new Set([reaperImage]);
  const processes: Obstacle[] = [];
  for (const service of services) {
    const { image } = outlineOf(service, app);
    const source = image === null ? undefined : imageSource(image);
    if (image === null) processes.push({ code: 'process-only', service: service.name });
    else if (source === undefined) wanted.add(image.name);
    else if (!(await isImageHere(engine, await builtImageName(source)))) {
      for (const base of await baseImages(source.folder)) wanted.add(base);
    }
  }
  const found = await Promise.all(
    [...wanted].map(async (image): Promise<Obstacle[]> => {
      const detail = await whyImageIsNotAvailable(engine, image);
      return detail === undefined ? [] : [{ code: 'image-not-available', image, detail }];
    }),
  );
  return [...processes, ...found.flat()];
}
