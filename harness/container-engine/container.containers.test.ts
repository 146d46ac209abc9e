import { createServer } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { isListening } from '../../test-support/left-behind.ts';
import { lacks } from '../../test-support/requirements.ts';
import * as ports from '../machine/free-port.ts';
import { registerRun } from '../orphans/register.ts';
import { startContainer } from './container.ts';
import { connectToEngine } from './docker.ts';
import { makeNetwork } from './network.ts';
import { DEPLOYMENT_LABEL, removeDeployment } from './objects.ts';

vi.mock(import('../machine/free-port.ts'), { spy: true });

describe.skipIf(lacks('docker'))('a container (needs docker)', () => {
  it('takes another port when the one that was free has been taken meanwhile', async () => {
    await using run = await registerRun();
    const engine = await connectToEngine();
    const name = `tierbench-${run.id}-port`;
    const labels = { ...run.labels, [DEPLOYMENT_LABEL]: name };
    await using stack = new AsyncDisposableStack();
    stack.defer(() => removeDeployment(engine.address, name));
    const network = await makeNetwork(engine, name, labels);
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    stack.defer(() => void busy.close());
    const { port: taken } = busy.address() as { port: number };
    vi.mocked(ports.freePort).mockResolvedValueOnce(taken);
    const container = await startContainer(
      { engine, network, labels, secrets: [], signal: new AbortController().signal },
      { alias: 'cache', image: 'redis:7', ports: new Map([[6379, undefined]]) },
    );
    const port = container.port(6379);
    expect(port).not.toBe(taken);
    await expect.poll(() => isListening({ host: '127.0.0.1', port })).toBe(true);
  });
});
