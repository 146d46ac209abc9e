import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { App } from '../harness/core/app.ts';
import { TierbenchError } from '../harness/core/errors.ts';
import { programEnvironment } from '../harness/machine/environment.ts';
import { app } from './app.ts';
import type { Preparation } from './conduct-study.ts';

export type SourceKind = 'url' | 'folder' | 'image' | 'commit';

/**
 * What a version of an app is, by how it is written: `http://...` is an address, a folder that is there (or is written as a
 * path) a folder, a name with a tag or a digest (`shop/api:1.4`, `api@sha256:...`) an image, anything else a commit. Git
 * allows no colon in the name of a branch or tag.
 */
export function sourceKind(source: string, isThere: boolean): SourceKind {
  if (/^https?:\/\//iu.test(source)) return 'url';
  if (isThere || /^(?:\.{0,2}\/|~|\.{1,2}$)/u.test(source)) return 'folder';
  return /^[a-z\d][\w.-]*(?::\d+(?=\/))?(?:\/[\w.-]+)*(?::[\w.-]+|@sha256:[\da-f]+)$/u.test(source)
    ? 'image'
    : 'commit';
}

const INSTALL_LIMIT_S = 600;
/** Where the app is in a repository: at its top, or in the folder that tierbench itself has it in. */
const places = ['.', 'reference-app'];

/**
 * The app as it is in a folder, in an image, or in a commit of the repository around the working directory (a branch, a tag, a hash).
 * A commit is written to a folder of its own, with the packages of the working tree where both need the same.
 * @throws TierbenchError SOURCE_INVALID where there is no such thing, or no app in it, or its packages cannot be installed.
 */
export async function appFrom(source: string, name: string, preparation: Preparation): Promise<App> {
  const kind = sourceKind(source, existsSync(source));
  if (kind === 'image') return { ...app, image: source, isBuilt: true };
  const folder = kind === 'folder' ? resolve(source) : await checkOut(source, name, preparation);
  if (!existsSync(folder)) throw invalid(`there is no folder ${source}`, 'Check the path.');
  const found = places.map((place) => join(folder, place)).find(hasApp);
  if (found === undefined) {
    throw invalid(
      `${source} has no app: neither it nor its folder 'reference-app' holds ${app.script}.ts or ${app.script}.js with a Dockerfile`,
      'Name a folder with the app, or a commit of its repository.',
    );
  }
  return { ...app, folder: found };
}

function hasApp(folder: string): boolean {
  const hasScript = ['ts', 'js'].some((ending) => existsSync(join(folder, `${app.script}.${ending}`)));
  return hasScript && existsSync(join(folder, 'Dockerfile'));
}

async function checkOut(reference: string, name: string, preparation: Preparation): Promise<string> {
  const { folder, say, signal } = preparation;
  const top = await git(['rev-parse', '--show-toplevel'], signal).catch(() => {
    throw invalid(
      `${reference} is no folder, and the working directory is in no git repository`,
      'Name a folder with the app, or call it from the repository of the app.',
    );
  });
  // What begins with a dash is an option to git, and no commit has such a name.
  const commit = await git(['rev-parse', '--verify', '--end-of-options', `${reference}^{commit}`], signal).catch(() => {
    throw invalid(`${reference} is neither a folder nor a commit of ${top}`, 'See `git branch` and `git log`.');
  });
  const checkout = join(folder, name);
  await mkdir(checkout, { recursive: true });
  const archive = join(folder, `${name}.tar`);
  await git(['-C', top, 'archive', '--format=tar', `--output=${archive}`, commit], signal);
  await run('tar', ['-xf', archive, '-C', checkout], { signal });
  const [own, before] = await Promise.all([lockOf(top), lockOf(checkout)]);
  const packages = join(top, 'node_modules');
  if (own === before && existsSync(packages)) await symlink(packages, join(checkout, 'node_modules'));
  else if (before !== undefined) await install(reference, checkout, preparation);
  say(`${name} is ${commit.slice(0, 12)} (${reference})`);
  return checkout;
}

async function install(reference: string, folder: string, { say, signal }: Preparation): Promise<void> {
  say(`installing the packages of ${reference}, which differ from those of the working tree: npm ci`);
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, signal, timeout: INSTALL_LIMIT_S * 1000 }).catch(
    (error: Error & { readonly stderr?: string }) => {
      signal.throwIfAborted();
      throw invalid(
        `the packages of ${reference} cannot be installed: ${error.stderr?.trim() || error.message}`,
        'Run `npm ci` in a checkout of it to see why.',
      );
    },
  );
}

async function lockOf(folder: string): Promise<string | undefined> {
  return await readFile(join(folder, 'package-lock.json'), 'utf8').catch(() => undefined);
}

async function git(words: readonly string[], signal: AbortSignal): Promise<string> {
  return (await run('git', words, { signal })).trim();
}

async function run(
  command: string,
  words: readonly string[],
  options: { readonly cwd?: string; readonly signal: AbortSignal; readonly timeout?: number },
): Promise<string> {
  const env = programEnvironment(process.env.HOME ?? '/');
  const { stdout } = await promisify(execFile)(command, [...words], { ...options, env, encoding: 'utf8' });
  return stdout;
}

function invalid(what: string, nextStep: string): TierbenchError {
  return new TierbenchError('SOURCE_INVALID', what, nextStep);
}
