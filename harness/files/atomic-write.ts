import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TierbenchError } from '../core/errors.ts';

/**
 * Writes a file so that a reader sees the old content or the new, never a part: whatever kills the process.
 * @throws TierbenchError CANNOT_WRITE when the disk is full or the folder may not be written.
 */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    const file = await open(unfinished, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw cannotWrite(path, cause);
  }
}

export function cannotWrite(path: string, cause: unknown): TierbenchError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const nextSteps: Record<string, string> = {
    ENOSPC: 'Free space on that disk, or choose another place.',
    EACCES: 'Choose a place you may write to.',
    EPERM: 'Choose a place you may write to.',
    EROFS: 'That file system is read-only; choose another place.',
    ENOTDIR: 'A part of that path is a file; choose another place.',
    EEXIST: 'A file of that name is in the way; choose another place.',
  };
  const nextStep = nextSteps[reason] ?? 'Choose another place.';
  return new TierbenchError('CANNOT_WRITE', `cannot write ${path}: ${reason}`, nextStep, {
    cause,
    remedy: 'other-folder',
  });
}

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
