import type { Capability } from '../core/machine.ts';
import { findProgram } from '../operating-system/find-program.ts';

export interface InstallationRun {
  readonly say: (text: string) => void;
  /** Runs a program in the folder of tierbench, its output shown or not; resolves with its exit code. Never a shell. */
  readonly execute: (command: readonly string[]) => Promise<number>;
}

export interface Installation {
  /** Commands in order, each as program and arguments. */
  readonly commands: readonly (readonly string[])[];
  /** What a person must run, for want of rights. */
  readonly byHand: readonly string[];
  /** Missing, and no command is known: the detail says what to do. */
  readonly withoutCommand: readonly Capability[];
}

const APT = 'apt-get install -y --no-install-recommends ';

/**
 * What to run for what is missing: packages of the distribution in one go, after a fresh list of them.
 * `asRoot` is what goes before a command that needs root; undefined when there is no way.
 */
export function planInstallation(
  capabilities: readonly Capability[],
  asRoot: readonly string[] | undefined,
): Installation {
  const lacking = capabilities.filter(({ state }) => state !== 'ready');
  const installs = [...new Set(lacking.flatMap(({ install }) => (install === undefined ? [] : [install])))];
  const packages = installs.filter((text) => text.startsWith(APT)).map((text) => text.slice(APT.length));
  const fromDistribution = packages.length === 0 ? [] : ['apt-get update', `${APT}${packages.join(' ')}`];
  const others = installs.filter((text) => !text.startsWith(APT));
  const words = (text: string) => text.split(' ');
  return {
    commands: [
      ...(asRoot === undefined ? [] : fromDistribution.map((text) => [...asRoot, ...words(text)])),
      ...others.map(words),
    ],
    byHand: asRoot === undefined ? fromDistribution : [],
    withoutCommand: lacking.filter(({ state, install }) => state === 'missing' && install === undefined),
  };
}

/**
 * Installs what is missing, saying each command before it runs. Packages of the distribution only as root or where
 * sudo asks for no password; otherwise says what to run. Returns whether everything that could be run succeeded.
 */
export async function installMissing(
  capabilities: readonly Capability[],
  run: InstallationRun,
  asRoot?: readonly string[],
): Promise<boolean> {
  const { commands, byHand, withoutCommand } = planInstallation(capabilities, asRoot ?? (await rightsOfRoot(run)));
  for (const command of commands) {
    run.say(`Running: ${command.join(' ')}`);
    const exitCode = await run.execute(command);
    // An outdated list of packages often still has them.
    if (exitCode !== 0 && command.at(-1) === 'update') continue;
    if (exitCode !== 0) {
      run.say(`That failed with exit code ${exitCode}.`);
      return false;
    }
  }
  for (const command of byHand) run.say(`Needs root, please run: sudo ${command}`);
  for (const { name, detail } of withoutCommand) run.say(`${name}: ${detail}`);
  return byHand.length === 0;
}

async function rightsOfRoot(run: InstallationRun): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  if (findProgram(['sudo']) !== undefined && (await run.execute(['sudo', '-n', 'true'])) === 0) return ['sudo', '-n'];
  return undefined;
}
