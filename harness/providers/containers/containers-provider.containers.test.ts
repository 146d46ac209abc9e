import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { askTestEngine, containerContext } from '../../../test-support/container-context.ts';
import { lacks } from '../../../test-support/requirements.ts';
import type { Service, SettingValue, Tier } from '../../core/tier.ts';
import { readTier } from '../../files/tier-file.ts';
import { registerRun } from '../../orphans/register.ts';
import { referenceApp } from '../../services/reference-app.ts';
import { containersProvider } from './containers-provider.ts';

const never = new AbortController().signal;
const single = await readTier('single');

/** The tier with other settings or resources of one kind of service. */
function tierWith(
  kind: Service['kind'],
  changes: Record<string, SettingValue>,
  resources?: Service['resources'],
): Tier {
  const services = single.services.map((service) =>
    service.kind === kind
      ? { ...service, settings: { ...service.settings, ...changes }, resources: resources ?? service.resources }
      : service,
  );
  return { ...single, services };
}

interface Inspected {
  readonly Id: string;
  readonly Config: { readonly Labels: Record<string, string> };
  readonly State: { readonly Health?: unknown };
  readonly HostConfig: {
    readonly CpuPeriod: number;
    readonly CpuQuota: number;
    readonly Memory: number;
    readonly CpusetCpus: string;
    readonly PortBindings: Record<string, { readonly HostIp: string }[]>;
    readonly Tmpfs?: unknown;
  };
}

describe.skipIf(lacks('docker'))('containers provider (needs docker)', () => {
  it('holds services to CPUs and memory, listens on this machine alone, and shows no secret to users of the engine', async () => {
    await using run = await registerRun();
    const tier = tierWith('primary', {}, { cpus: 0.5, memoryBytes: 512 * 1024 ** 2 });
    const provider = containersProvider({ run, systemCpus: [0] });
    await using deployment = await provider.deploy({ tier, app: referenceApp }, never);
    const password = 'the-password-of-all';
    await deployment.prepareData?.({ userCount: 2, tasksPerUser: 3, seed: 1 }, password, never);
    const instances = deployment.services.flatMap((service) => service.instances);
    const inspected = await Promise.all(
      instances.map(({ containerId }) => askTestEngine('GET', `/containers/${containerId}/json`) as Promise<Inspected>),
    );
    const databaseUrl = new URL(deployment.access.find(({ kind }) => kind === 'primary')?.url ?? '');
    for (const { Config, State, HostConfig, ...rest } of inspected) {
      expect(Config.Labels['tierbench.run']).toBe(run.id);
      expect(HostConfig.CpusetCpus).toBe('0');
      expect(State.Health, 'no health check takes CPU time').toBeUndefined();
      expect(HostConfig.Tmpfs ?? {}, 'a commit is on a disk').toEqual({});
      const addresses = Object.values(HostConfig.PortBindings).flat();
      expect(new Set(addresses.map(({ HostIp }) => HostIp))).toEqual(new Set(['127.0.0.1']));
      const shown = JSON.stringify({ Config, State, HostConfig, ...rest });
      for (const secret of [databaseUrl.password, password]) expect(shown).not.toContain(secret);
    }
    const database = inspected.find(
      ({ Id }) => Id === instances.find(({ name }) => name === 'database/1')?.containerId,
    );
    expect(database?.HostConfig).toMatchObject({ CpuPeriod: 10_000, CpuQuota: 5000, Memory: 512 * 1024 ** 2 });
    expect(deployment.notes).toContainEqual({ code: 'container-engine', version: expect.stringMatching(/^\d/) });
  });

  it.each([
    ['primary', { shared_buffers: 'plenty' }, 'SERVICE_DID_NOT_START', 'shared_buffers'],
    ['api', { BCRYPT_COST: 'plenty' }, 'SERVICE_DID_NOT_START', 'BCRYPT_COST'],
  ] as const)('says why the %s does not start, and leaves nothing', async (kind, settings, code, words) => {
    await using context = await containerContext(tierWith(kind, settings));
    await expect(context.provider.deploy(context, never)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
    expect(await context.leftBehind()).toEqual([]);
  });

  it('says so when the port a tier file asks for is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await using context = await containerContext(tierWith('primary', { port }));
    try {
      await expect(context.provider.deploy(context, never)).rejects.toMatchObject({
        code: 'PORT_BUSY',
        message: expect.stringContaining(String(port)),
      });
    } finally {
      taken.close();
    }
    expect(await context.leftBehind()).toEqual([]);
  });

  it('kills a killed instance again without an error, and reports the next crash', async () => {
    await using context = await containerContext(single);
    await using deployment = await context.provider.deploy(context, never);
    const failures: string[] = [];
    deployment.onFailure(({ instance }) => failures.push(instance));
    await deployment.faults?.kill('api/1');
    await deployment.faults?.kill('api/1');
    await deployment.faults?.start('api/1');
    const api = deployment.services.flatMap(({ instances }) => instances).find(({ name }) => name === 'api/1');
    await askTestEngine('POST', `/containers/${api?.containerId}/kill`);
    await expect.poll(() => failures).toEqual(['api/1']);
  });

  it('says why the database cannot be filled, without the password, and can be filled after that', async () => {
    await using context = await containerContext(single);
    await using deployment = await context.provider.deploy(context, never);
    const size = { userCount: 2, tasksPerUser: 3, seed: 1 };
    const failing = deployment.prepareData?.(size, 'short!!', never);
    await expect(failing).rejects.toMatchObject({
      code: 'SEED_FAILED',
      message: expect.stringContaining('fewer than 8 characters'),
    });
    await expect(failing).rejects.toMatchObject({ message: expect.not.stringContaining('short!!') });
    await deployment.prepareData?.(size, "it's `long` enough", never);
  });
});
