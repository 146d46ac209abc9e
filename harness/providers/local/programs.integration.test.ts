import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { accountForServers } from './account.ts';
import { findEmbeddedPostgres, usableBinaries } from './programs.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-test-binaries-'));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs it as the account servers run under, which is nobody special for root and oneself otherwise. */
async function versionOf(binaries: string): Promise<string> {
  const account = await accountForServers();
  const options = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  return (await promisify(execFile)(join(binaries, 'postgres'), ['--version'], options)).stdout;
}

/** An installation below a folder that only its owner may enter, as a home folder is. */
async function installationInPrivateHome(): Promise<string> {
  const home = join(folder, 'home');
  await mkdir(home);
  const native = join(home, 'native');
  await cp(await findEmbeddedPostgres(), native, { recursive: true, verbatimSymlinks: true });
  // As npm leaves it under umask 077.
  await promisify(execFile)('chmod', ['-R', 'go-rwx', home]);
  return native;
}

it('runs where the account of the servers cannot reach the installation', async () => {
  const native = await installationInPrivateHome();
  const copy = join(folder, 'copy');
  const binaries = await usableBinaries(native, await accountForServers(), copy);
  expect(await versionOf(binaries)).toContain('PostgreSQL');
});

it('runs where npm made no links, because install scripts are not allowed', async () => {
  const native = await installationInPrivateHome();
  const lib = join(native, 'lib');
  for (const entry of await readdir(lib, { withFileTypes: true })) {
    if (entry.isSymbolicLink()) await rm(join(lib, entry.name));
  }
  expect(await versionOf(await usableBinaries(native, await accountForServers(), join(folder, 'copy')))).toContain(
    'PostgreSQL',
  );
});

it('runs from elsewhere where a shell would read the path of the installation as something else', async () => {
  const native = join(folder, 'a "$HOME" `b`', 'native');
  await cp(await findEmbeddedPostgres(), native, { recursive: true, verbatimSymlinks: true });
  expect(await usableBinaries(native, undefined, join(folder, 'copy'))).toBe(join(folder, 'copy', 'bin'));
});
