import { constants } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What stands at a path: a regular file with its content, or why it was not read. */
export type FileContent =
  | { readonly kind: 'file'; readonly content: Buffer }
  | { readonly kind: 'folder' }
  /** A named pipe, a socket or a device, which could keep its reader for ever. */
  | { readonly kind: 'special' }
  | { readonly kind: 'too-large'; readonly bytes: number };

/** Reads a regular file of at most so many bytes, and never waits for anything else. @throws errors of the system */
export async function readRegularFile(path: string, mostBytes: number): Promise<FileContent> {
  // Without it, opening a named pipe waits for somebody who writes.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (found.isDirectory()) return { kind: 'folder' };
    if (!found.isFile()) return { kind: 'special' };
    if (found.size > mostBytes) return { kind: 'too-large', bytes: found.size };
    return { kind: 'file', content: await file.readFile() };
  } finally {
    await file.close();
  }
}

/**
 * Makes a folder and those above it. `mkdir` of Node with `recursive` never returns where a folder above is there and nothing
 * can be made in it, as in a working directory that is gone. @throws errors of the system
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) {
      if (await isFolder(folder)) return;
      throw error;
    }
  }
  await makeFolder(dirname(folder));
  await mkdir(folder).catch(async (error) => {
    if (!(await isFolder(folder))) throw error;
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
