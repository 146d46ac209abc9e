import { describe, expect, it } from 'vitest';
import { containerContext } from '../../../test-support/container-context.ts';
import { lacks } from '../../../test-support/requirements.ts';
import type { Service, Tier } from '../../core/tier.ts';

const foreign: Service = {
  name: 'api',
  kind: 'container',
  instances: 2,
  settings: { image: 'nginx:1.26', port: 80, ready: '/' },
  resources: { cpus: 0.5 },
  connectsTo: {},
};

/** An image that is not the reference app, with the command of the image, behind a load balancer. */
const tier: Tier = {
  name: 'foreign',
  title: 'Foreign',
  description: '',
  documents: [],
  entry: 'balancer',
  services: [
    { ...foreign, name: 'balancer', kind: 'load-balancer', instances: 1, settings: {}, connectsTo: { backend: 'api' } },
    foreign,
  ],
};

describe.skipIf(lacks('docker'))('a tier whose API is an image of somebody else (needs docker)', () => {
  it('starts, answers through its entry, and comes back after it was killed', async () => {
    await using context = await containerContext(tier);
    expect(await context.provider.obstacles(context)).toEqual([]);
    await using deployment = await context.provider.deploy(context, new AbortController().signal);
    // Its data is its own.
    expect(deployment.prepareData).toBeUndefined();
    const ask = async () => (await fetch(`${deployment.baseUrl}/`)).status;
    expect(await ask()).toBe(200);
    expect(deployment.services.map(({ name, instances }) => [name, instances.length])).toEqual([
      ['balancer', 1],
      ['api', 2],
    ]);
    for (const instance of ['api/1', 'api/2']) {
      await deployment.faults?.kill(instance);
      await deployment.faults?.start(instance);
    }
    await expect.poll(ask).toBe(200);
    await deployment[Symbol.asyncDispose]();
    expect(await context.leftBehind()).toEqual([]);
  });
});
