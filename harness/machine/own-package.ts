import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { programEnvironment } from './environment.ts';

/** The folder with tierbench's package.json, from its sources as from dist. */
export function packageFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) || folder === dirname(folder)) return folder;
  }
}

/** Of tierbench, as its package.json says. */
export function version(): string {
  return JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')).version;
}

/**
 * The URL of a module of tierbench beside another one, named without its ending: `ownModule('./worker', import.meta.url)`.
 * It ends in .ts in the sources and in .js in the built package.
 */
export function ownModule(path: string, importer: string): URL {
  return new URL(`${path}.${importer.endsWith('.ts') ? 'ts' : 'js'}`, importer);
}

/**
 * The commit tierbench runs from, with `-dirty` behind it when files differ from it; null where it is not a checkout
 * (an installed package may lie in somebody else's).
 */
export async function currentCommit(folder = packageFolder()): Promise<string | null> {
  if (!existsSync(join(folder, '.git'))) return null;
  try {
    const describe = ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'];
    const { stdout } = await promisify(execFile)('git', describe, {
      cwd: folder,
      timeout: 10_000,
      env: programEnvironment(process.env.HOME ?? '/'),
    });
    return stdout.trim();
  } catch {
    // No git, or a checkout that belongs to another account.
    return null;
  }
}
