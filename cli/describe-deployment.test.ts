import { expect, it } from 'vitest';
import { readTier } from '../harness/files/tier-file.ts';
import type { Deployment } from '../harness/providers/provider.ts';
import { app } from './app.ts';
import { describeDeployment } from './describe-deployment.ts';

const user = { index: 0, email: 'one@bench.example', password: 'pass' };

const urls: Readonly<Record<string, string>> = {
  api: 'http://127.0.0.1:3001',
  'load-balancer': 'http://127.0.0.1:9001/status',
  pooler: 'postgres://app:secret@127.0.0.1:6432/pgbouncer',
  primary: 'postgres://app:secret@127.0.0.1:5432/app',
  replica: 'postgres://app:secret@127.0.0.1:5433/app',
  cache: 'redis://:secret@127.0.0.1:6379',
};

async function deploymentOf(name: string): Promise<Deployment> {
  const tier = await readTier(name);
  const instances = tier.services.flatMap((service) =>
    Array.from({ length: service.instances }, (_, index) => ({ service, name: `${service.name}/${index + 1}` })),
  );
  return {
    tier,
    provider: 'local',
    baseUrl: 'http://127.0.0.1:8080',
    services: tier.services.map((service) => ({
      name: service.name,
      kind: service.kind,
      version: `server of ${service.name} 1.2`,
      instances: instances
        .filter((each) => each.service === service)
        .map((each, index) => ({ name: each.name, host: '127.0.0.1', port: 4000 + index, processIds: [] })),
    })),
    access: instances.map(({ service, name: instance }) => ({
      instance,
      kind: service.kind,
      url: urls[service.kind] ?? '',
    })),
    probes: [],
    notes: [{ code: 'published-by-proxy' }],
    onFailure() {},
    async [Symbol.asyncDispose]() {},
  };
}

it('names every instance with address and version, and shows one way into each service', async () => {
  const deployment = await deploymentOf('cached');
  const text = describeDeployment(deployment, app, user);
  for (const { version, instances } of deployment.services) {
    for (const { name, host, port } of instances) {
      expect(text).toMatch(new RegExp(`^ {2}${name} +${host}:${port} +${version}$`, 'm'));
    }
  }
  const inside = text.slice(text.indexOf('Look inside'), text.indexOf('Measure it'));
  const commands = inside.split('\n').filter((line) => line.startsWith('  '));
  expect(commands.map((line) => line.trim().split(/\s+/)[0]).toSorted()).toEqual(
    deployment.tier.services.map(({ name }) => `${name}/1`).toSorted(),
  );
  expect(inside).toContain(`writer-pooler/1  psql '${urls.pooler}' -c 'SHOW POOLS'`);
  expect(inside).toContain(`redis-cli --no-auth-warning -u '${urls.cache}' INFO`);
  expect(text).toContain(`-d '${JSON.stringify({ email: user.email, password: user.password })}'`);
  expect(inside).toContain(`curl -s ${urls['load-balancer']}`);
  expect(text).toContain('note: the container engine forwards published ports');
});

it('leaves out what cannot be reached', async () => {
  const deployment = { ...(await deploymentOf('single')), access: [] };
  expect(describeDeployment(deployment, app, user)).not.toContain('psql');
});
