import { chown, writeFile } from 'node:fs/promises';
import { TierbenchError } from '../../core/errors.ts';
import { findProgram } from '../../machine/programs.ts';
import type { Account } from './account.ts';
import { bareEnvironment, startChild } from './child-process.ts';

/** A server the distribution brings: its program, and the package that holds it. */
export interface DistributionServer {
  readonly program: string;
  readonly packageName: string;
}

/** @throws TierbenchError SERVER_NOT_INSTALLED */
export function programOf({ program, packageName }: DistributionServer): string {
  const path = findProgram([program]);
  if (path !== undefined) return path;
  throw new TierbenchError(
    'SERVER_NOT_INSTALLED',
    `${program} is not installed`,
    `Install the package '${packageName}', for example with \`apt-get install ${packageName}\`; \`tierbench doctor\` says what else is missing.`,
  );
}

/** What a program says of its version: `1.22.1`; undefined when that cannot be read. */
export async function versionOf(command: string, flag: string, folder: string): Promise<string | undefined> {
  const child = startChild({ command, arguments: [flag], folder, environment: bareEnvironment() });
  await child.ended;
  return /\d+\.\d+(\.\d+)?/.exec(child.lastLines())?.[0];
}

/** Configurations hold passwords: readable for the account of the server alone. */
export async function writePrivateFile(path: string, text: string, account: Account | undefined): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  if (account !== undefined) await chown(path, account.uid, account.gid);
}
