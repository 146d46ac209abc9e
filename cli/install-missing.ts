import { spawn } from 'node:child_process';
import type { Capability } from '../harness/core/machine.ts';
import type { Tier } from '../harness/core/tier.ts';
import { capabilities } from '../harness/machine/capabilities.ts';
import { installMissing } from '../harness/machine/install.ts';
import { packageFolder } from '../harness/machine/own-package.ts';
import { checksOf, localProviderChecks } from '../harness/providers/local/requirements.ts';
import { app } from './app.ts';

/** Of all that this machine lacks, what these tiers need as local processes. */
export function neededFor(tiers: readonly Tier[], all: readonly Capability[]): readonly Capability[] {
  const services = tiers.flatMap((tier) => tier.services);
  const needed = new Set(services.flatMap((service) => checksOf(service, app)).map(({ name }) => name));
  return all.filter(({ name }) => needed.has(name));
}

/** Installs what the tiers need as local processes, saying each command first. What cannot be installed is said. */
export async function installFor(tiers: readonly Tier[], say: (text: string) => void): Promise<void> {
  await installMissing(neededFor(tiers, await capabilities(localProviderChecks(app))), { say, execute });
}

/** Its output goes to standard error: standard output may be JSON for another program. */
export function execute([program = '', ...words]: readonly string[]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = spawn(program, words, { cwd: packageFolder(), stdio: ['ignore', 2, 2] });
  child.once('error', () => resolve(1));
  child.once('close', (code) => resolve(code ?? 1));
  return promise;
}
