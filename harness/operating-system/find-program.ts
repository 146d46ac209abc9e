import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where servers are that are not on every account's PATH: those of Debian, and those of Homebrew on macOS. */
const OTHER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin', '/opt/homebrew/sbin'];

/** The first of `names` on the PATH, or where systems keep servers besides. */
export function findProgram(names: readonly string[], path = process.env.PATH ?? ''): string | undefined {
  for (const folder of [...path.split(delimiter), ...OTHER_FOLDERS]) {
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}
