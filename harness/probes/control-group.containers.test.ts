import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { GenericContainer } from 'testcontainers';
import { describe, expect, it } from 'vitest';
import { measured } from '../../test-support/readings.ts';
import { lacks } from '../../test-support/requirements.ts';
import { readContainerStats } from '../container-engine/engine.ts';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import type { RunningInstance, RunningService } from '../core/deployment.ts';
import { controlGroupProbe } from './control-group.ts';

const CPUS = 0.2;

/** A container that would use a whole CPU and may use a fifth of one, named as if it were an API. */
async function busyContainer(
  seen: 'processes seen' | 'processes unseen',
): Promise<AsyncDisposable & { services: RunningService[] }> {
  const container = await new GenericContainer('redis:7')
    .withName(`tierbench-test-${randomBytes(4).toString('hex')}`)
    .withResourcesQuota({ cpu: CPUS })
    .withEntrypoint(['sh', '-c', 'echo busy; while :; do :; done'])
    .start();
  const processId = Number(execFileSync('docker', ['inspect', '--format', '{{.State.Pid}}', container.getId()]));
  const instance: RunningInstance = {
    name: 'api/1',
    host: '127.0.0.1',
    port: 1,
    containerId: container.getId(),
    processIds: seen === 'processes seen' ? [processId] : [],
  };
  return {
    services: [{ name: 'api', kind: 'api', instances: [instance] }],
    async [Symbol.asyncDispose]() {
      await container.stop();
    },
  };
}

describe.skipIf(lacks('docker'))('control group (needs docker)', () => {
  it.each(['processes seen', 'processes unseen'] as const)(
    'reads how a quota throttles a container, %s',
    async (seen) => {
      await using busy = await busyContainer(seen);
      await using probe = controlGroupProbe(busy.services, readContainerStats);
      await probe.read();
      // Until enough periods have passed, however slow the machine.
      await expect.poll(async () => measured(await probe.read(), 'throttled'), { interval: 500 }).toBeGreaterThan(0.5);
      const readings = await probe.read();
      expect(new Set(readings.map(({ source }) => source))).toEqual(new Set(['api/1']));
      expect(measured(readings, 'throttled-time')).toBeGreaterThanOrEqual(0);
      // Of what process-cpu sees, it reads nothing, as no value may be read twice.
      expect(measured(readings, 'memory') === undefined).toBe(seen === 'processes seen');
      expect(measured(readings, 'cpu-cores') === undefined).toBe(seen === 'processes seen');
    },
  );

  it('sees the CPU time a container used, where its processes cannot be seen', async () => {
    await using busy = await busyContainer('processes unseen');
    await using probe = controlGroupProbe(busy.services, readContainerStats);
    await probe.read();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const used = measured(await probe.read(), 'cpu-cores') ?? Number.NaN;
    // Never more than its quota, and some of it also on a busy machine.
    expect(used).toBeGreaterThan(CPUS / 10);
    expect(used).toBeLessThan(CPUS * 1.5);
  });

  for (const seen of ['processes seen', 'processes unseen'] as const) {
    probeContract(
      `control-group, ${seen},`,
      async () => {
        const busy = await busyContainer(seen);
        return {
          probe: controlGroupProbe(busy.services, readContainerStats),
          [Symbol.asyncDispose]: () => busy[Symbol.asyncDispose](),
        };
      },
      async () => {
        const busy = await busyContainer(seen);
        await busy[Symbol.asyncDispose]();
        return { probe: controlGroupProbe(busy.services, readContainerStats), async [Symbol.asyncDispose]() {} };
      },
    );
  }
});
