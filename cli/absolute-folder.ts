import { resolve } from 'node:path';
import { cannotWrite } from '../harness/files/atomic-write.ts';

/**
 * Where a folder is, wherever the command is run from. Taken once, before anything is written: the working directory may be
 * removed meanwhile, and `mkdir('out/charts', { recursive: true })` of Node never returns in a directory that is gone.
 * @throws TierbenchError CANNOT_WRITE when the working directory is gone already.
 */
export function absoluteFolder(folder: string): string {
  try {
    return resolve(folder);
  } catch (cause) {
    throw cannotWrite(folder, cause);
  }
}
