import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { describeThrown } from '../core/errors.ts';
import type { Capability, CapabilityCheck, Finding } from '../core/machine.ts';
import { packageFolder } from './own-package.ts';
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
        return { name, neededFor, state: 'missing', detail: describeThrown(error) };
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

/** Hashes once: the native module may be there and still not load. */
async function passwordHash(): Promise<Finding> {
  try {
    const fromApp = createRequire(join(packageFolder(), 'reference-app', 'package.json'));
    const { hash }: { hash: (password: string, cost: number) => Promise<string> } = fromApp('@node-rs/bcrypt');
    const hashed = await hash('tierbench', 4);
    return hashed.startsWith('$2')
      ? { state: 'ready', detail: '@node-rs/bcrypt' }
      : { state: 'missing', detail: 'the native module gives no bcrypt hash' };
  } catch (error) {
    const detail = describeThrown(error).split('\n')[0] ?? '';
    return { state: 'missing', detail, install: 'npm install' };
  }
}

/** `load` is what reports load to draw their pictures (reports/charts/png.ts). */
export function chartDrawingCheck(
  load: () => Promise<
    { readonly kind: 'drawn'; readonly note: string | null } | { readonly kind: 'unavailable'; readonly why: string }
  >,
): CapabilityCheck {
  return {
    name: 'chart drawing',
    neededFor: 'PNG charts in reports',
    async find() {
      const pictures = await load();
      if (pictures.kind === 'unavailable') {
        return { state: 'missing', detail: pictures.why, install: 'npm install --include=optional' };
      }
      if (pictures.note !== null) return { state: 'limited', detail: pictures.note };
      return { state: 'ready', detail: 'chartjs-node-canvas' };
    },
  };
}
