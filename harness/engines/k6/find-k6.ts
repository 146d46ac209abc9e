import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve, sep } from 'node:path';
import { TierbenchError } from '../../core/errors.ts';
import { programEnvironment } from '../../machine/environment.ts';
import {
  HOW_TO_INSTALL,
  type K6Choice,
  type K6Process,
  type K6Program,
  settingsWithHome,
  supportedVersion,
  unusable,
  versionIn,
} from './k6-program.ts';

export const K6_IMAGE = 'grafana/k6:2.2.0';
const VERSION_LIMIT_S = 20;

/**
 * The k6 to use: the one that is named, else the first on the PATH, else its image where a container engine answers.
 * @throws TierbenchError K6_MISSING, K6_UNUSABLE, K6_VERSION_NOT_SUPPORTED
 */
export async function findK6(choice: K6Choice = {}): Promise<K6Program> {
  if (choice.path !== undefined) return await named(resolve(choice.path));
  const program = await k6OnThePath();
  if (program !== undefined) return program;
  const { k6FromImage } = await import('./find-k6-image.ts');
  const found = await k6FromImage(K6_IMAGE, choice);
  if (!('what' in found)) return found;
  throw new TierbenchError(
    'K6_MISSING',
    `there is no k6 on the PATH, and its image ${K6_IMAGE} cannot be used`,
    HOW_TO_INSTALL,
    { problems: [found], remedy: 'name-k6' },
  );
}

async function named(file: string): Promise<K6Program> {
  const obstacle = whyNotExecutable(file);
  if (obstacle !== undefined) throw unusable(`${file} ${obstacle}`);
  const said = await whatVersionSays(file);
  if (said.version === undefined) {
    throw unusable(`${file} is not k6: \`${file} version\` ${said.instead}`);
  }
  return localProgram(file, said.version);
}

/** Undefined when none of the programs of this name is k6. */
export async function k6OnThePath(path = process.env.PATH ?? ''): Promise<K6Program | undefined> {
  for (const file of k6Files(path)) {
    const { version } = await whatVersionSays(file);
    if (version !== undefined) return localProgram(file, version);
  }
  return undefined;
}

/** npm has a package `k6` too, which is empty: what npm put there is not k6. */
function k6Files(path: string): readonly string[] {
  const files = path
    .split(delimiter)
    .filter((folder) => folder !== '' && !`${folder}${sep}`.includes(`${sep}node_modules${sep}`))
    .map((folder) => join(folder, 'k6'));
  return [...new Set(files)].filter((file) => whyNotExecutable(file) === undefined);
}

function whyNotExecutable(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return 'is not a file';
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'may not be executed' : 'is not there';
  }
}

type SaidVersion =
  | { readonly version: string; readonly instead?: never }
  | { readonly version?: never; readonly instead: string };

async function whatVersionSays(file: string): Promise<SaidVersion> {
  return await new Promise((resolveSaid) => {
    const options = { env: localEnvironment('/'), timeout: VERSION_LIMIT_S * 1000, maxBuffer: 1e6 } as const;
    execFile(file, ['version'], options, (error, stdout, stderr) => {
      const version = versionIn(stdout);
      if (version !== undefined) return resolveSaid({ version });
      const line = firstLine(stdout) || firstLine(stderr);
      const end = error === null ? 'ends' : error.killed ? `takes over ${VERSION_LIMIT_S} s` : 'fails';
      resolveSaid({ instead: line === '' ? `${end} without a word` : `says '${line}'` });
    });
  });
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 120);
}

function localProgram(file: string, version: string): K6Program {
  return {
    version: supportedVersion(version, file),
    origin: file,
    start: (args, { cwd, env }) =>
      inSessionOfItsOwn(
        spawn(file, args, {
          cwd,
          env: { ...localEnvironment(cwd), ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
          detached: true,
        }),
      ),
  };
}

/** Ctrl-C and the end of a terminal reach tierbench alone, which then stops k6 in order, or with itself. */
function inSessionOfItsOwn(k6: K6Process): K6Process {
  const end = () => void k6.kill('SIGKILL');
  process.once('exit', end);
  for (const over of ['error', 'exit']) k6.once(over, () => process.off('exit', end));
  return k6;
}

function localEnvironment(home: string): Record<string, string> {
  const passed = ['SSL_CERT_FILE', 'SSL_CERT_DIR'];
  const kept = passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...programEnvironment(home), ...Object.fromEntries(kept), ...settingsWithHome(home) };
}
