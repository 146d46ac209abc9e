import { sep } from 'node:path';
import type { Capability, CapabilityCheck, Finding } from '../core/machine.ts';
import { passwordHash } from './npm-parts.ts';
import { packageFolder } from './package-folder.ts';
import { cpuPlacement } from './placement.ts';
import { containerEngine, distributionProgram } from './programs.ts';
import { freeDisk, freeMemory, openFiles } from './resources.ts';

/** What is needed first comes first. */
const checks: readonly CapabilityCheck[] = [
  { name: 'bcrypt', neededFor: 'the reference app', find: passwordHash },
  { name: 'disk', neededFor: 'the data of a tier', find: () => freeDisk() },
  { name: 'memory', neededFor: 'a tier and the load generator', find: freeMemory },
  { name: 'open files', neededFor: 'many connections at once', find: () => openFiles() },
  { name: 'taskset', neededFor: 'a CPU of its own for the load generator', find: cpuPlacement },
  { name: 'docker', neededFor: 'starting tiers in containers', find: () => containerEngine() },
  {
    name: 'chromium',
    neededFor: 'testing the page of a report',
    find: () => distributionProgram(['chromium', 'chromium-browser', 'google-chrome'], 'chromium'),
  },
];

/**
 * What this machine can run and what it lacks. Starts nothing that stays; takes a second or two at most.
 * `ofOtherParts` are looked for first: what providers and reports need is theirs to know.
 */
export function capabilities(ofOtherParts: readonly CapabilityCheck[] = []): Promise<readonly Capability[]> {
  const installed = packageFolder().includes(`${sep}node_modules${sep}`);
  return Promise.all(
    [...ofOtherParts, ...checks].map(async ({ name, neededFor, find }): Promise<Capability> => {
      try {
        return { name, neededFor, ...inPlace(await find(), installed) };
      } catch (error) {
        return { name, neededFor, state: 'missing', detail: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

/** npm can repair only a checkout in its own folder; an installed package belongs to the folder it is in. */
function inPlace({ install, ...finding }: Finding, installed: boolean): Finding {
  if (install === undefined) return finding;
  if (!installed || !install.startsWith('npm ')) return { ...finding, install };
  return { ...finding, detail: `${finding.detail}; run \`${install}\` again where tierbench is installed` };
}
