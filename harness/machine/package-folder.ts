import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder with tierbench's package.json, from its sources as from dist. */
export function packageFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) || folder === dirname(folder)) return folder;
  }
}
