import { describe, expect, it, vi } from 'vitest';
import { inEngine } from '../../../test-support/container-context.ts';
import { lacks } from '../../../test-support/requirements.ts';
import * as containers from '../../container-engine/container.ts';
import { connectToEngine } from '../../container-engine/docker.ts';
import { makeNetwork } from '../../container-engine/network.ts';
import { DEPLOYMENT_LABEL, removeDeployment } from '../../container-engine/objects.ts';
import { registerRun } from '../../orphans/register.ts';
import { runOnce } from './run-once.ts';

vi.mock(import('../../container-engine/container.ts'), { spy: true });

describe.skipIf(lacks('docker'))('a program that runs once (needs docker)', () => {
  it('ends also when it is aborted at the very moment its container has started', async () => {
    await using run = await registerRun();
    const engine = await connectToEngine();
    const name = `tierbench-${run.id}-once`;
    const labels = { ...run.labels, [DEPLOYMENT_LABEL]: name };
    await using stack = new AsyncDisposableStack();
    stack.defer(() => removeDeployment(engine.address, name));
    const controller = new AbortController();
    const reason = new Error('enough');
    const actual = await vi.importActual<typeof containers>('../../container-engine/container.ts');
    vi.mocked(containers.startContainer).mockImplementationOnce(async (...given) => {
      const started = await actual.startContainer(...given);
      controller.abort(reason);
      return started;
    });
    const context = {
      engine,
      network: await makeNetwork(engine, name, labels),
      labels,
      secrets: [],
      signal: controller.signal,
    };
    const waiting = {
      alias: 'waiting',
      image: 'node:24-bookworm-slim',
      command: ['node', '--eval', 'setInterval(() => {}, 1000)'],
    };
    await expect(runOnce(context, waiting)).rejects.toBe(reason);
    await expect.poll(() => inEngine(run.id)).toEqual([expect.stringContaining('network')]);
  });
});
