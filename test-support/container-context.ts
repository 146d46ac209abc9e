import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askEngine, engineAddress } from '../harness/container-engine/engine.ts';
import type { TierProviderUnderTest } from '../harness/contracts/providers/tier-contract.ts';
import type { Tier } from '../harness/core/tier.ts';
import { registerRun } from '../harness/orphans/register.ts';
import { objectsOfRuns } from '../harness/orphans/run-record.ts';
import { containersProvider } from '../harness/providers/containers/containers-provider.ts';
import { referenceApp } from '../harness/services/reference-app.ts';

/** The containers provider with a run of its own, written down where no command looks. */
export async function containerContext(tier: Tier): Promise<TierProviderUnderTest & { readonly runId: string }> {
  const root = await mkdtemp(join(tmpdir(), 'tierbench-test-containers-'));
  const run = await registerRun({ places: { registries: [join(root, 'runs')], temporary: root } });
  return {
    tier,
    app: referenceApp,
    runId: run.id,
    provider: containersProvider({ run }),
    leftBehind: () => inEngine(run.id),
    crash: async ({ containerId }) => void (await askTestEngine('POST', `/containers/${containerId}/kill`)),
    async [Symbol.asyncDispose]() {
      await run[Symbol.asyncDispose]();
      await rm(root, { recursive: true });
    },
  };
}

/** Containers, networks and volumes of a run. */
export async function inEngine(runId: string): Promise<readonly string[]> {
  const objects = await objectsOfRuns(testEngine());
  return objects.filter((object) => object.runId === runId).map(({ kind, name }) => `${kind} ${name}`);
}

export function askTestEngine(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<unknown> {
  return askEngine(testEngine(), method, path, 30);
}

function testEngine() {
  const engine = engineAddress();
  if (engine === undefined) throw new Error('no container engine was found');
  return engine;
}
