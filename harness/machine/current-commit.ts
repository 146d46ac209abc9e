import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programEnvironment } from './environment.ts';
import { packageFolder } from './package-folder.ts';

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
