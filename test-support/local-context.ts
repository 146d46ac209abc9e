import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TierProviderUnderTest } from '../harness/contracts/providers/tier-contract.ts';
import type { App } from '../harness/core/app.ts';
import type { Tier } from '../harness/core/tier.ts';
import { controlGroupsOfRun } from '../harness/orphans/control-groups.ts';
import { newRunId, RUN_VARIABLE } from '../harness/orphans/run-record.ts';
import { type LocalProviderOptions, localProvider } from '../harness/providers/local/local-provider.ts';
import { referenceApp } from '../harness/services/reference-app.ts';
import { leftBehindIn } from './left-behind.ts';

/** The local provider with a run of its own. */
export async function localContext(
  tier: Tier,
  options: Omit<LocalProviderOptions, 'run'> & { readonly app?: App } = {},
): Promise<TierProviderUnderTest & { readonly folder: string; readonly runId: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-local-'));
  await chmod(folder, 0o711);
  const runId = newRunId(new Date());
  return {
    folder,
    runId,
    tier,
    app: options.app ?? referenceApp,
    provider: localProvider({ ...options, run: { id: runId, folder, environment: { [RUN_VARIABLE]: runId } } }),
    async leftBehind() {
      const groups = controlGroupsOfRun(runId).map((group) => `control group ${group}`);
      return [...(await leftBehindIn(folder)), ...groups];
    },
    async crash({ processIds }) {
      process.kill(processIds[0] ?? Number.NaN, 'SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true });
    },
  };
}

/** The smallest app that the local provider can start: harness/providers/local/fixtures/stand-in-app. */
export function standInApp(): App {
  const folder = fileURLToPath(new URL('../harness/providers/local/fixtures/stand-in-app', import.meta.url));
  return { ...referenceApp, name: 'stand-in-app', folder };
}
