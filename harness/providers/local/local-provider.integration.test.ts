import { once } from 'node:events';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesIn } from '../../../test-support/left-behind.ts';
import { localContext, standInApp } from '../../../test-support/local-context.ts';
import { lacks } from '../../../test-support/requirements.ts';
import { describeProvider, type ProviderUnderTest } from '../../contracts/providers/provider-contract.ts';
import { TierbenchError } from '../../core/errors.ts';
import type { Service, SettingValue, Tier } from '../../core/tier.ts';
import { allowedCpusIn } from '../../operating-system/linux.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import { newRunId } from '../../orphans/run-record.ts';
import { keepsPreparedStatements } from '../../services/pooler.ts';
import type { Deployment } from '../provider.ts';
import { localProvider } from './local-provider.ts';

const standIn = standInApp();

const primary: Service = {
  name: 'primary',
  kind: 'primary',
  instances: 1,
  settings: { max_connections: 20, fsync: 'off' },
  resources: {},
  connectsTo: {},
};

function single(
  apiSettings: Record<string, SettingValue> = {},
  primarySettings: Record<string, SettingValue> = {},
): Tier {
  return {
    name: 'single',
    title: 'Single',
    description: '',
    documents: [],
    entry: 'api',
    services: [
      { ...primary, name: 'api', kind: 'api', settings: apiSettings, connectsTo: { writer: 'primary' } },
      { ...primary, settings: { ...primary.settings, ...primarySettings } },
    ],
  };
}

const context = (tier = single()) => localContext(tier, { app: standIn });

const never = new AbortController().signal;

describeProvider('local', '/ready', context);

describe('local provider', () => {
  it('gives the API its settings, an address on this machine alone, and secrets of its own in each deployment', async () => {
    await using here = await context(single({ POOL_SIZE: 7, HOST: '0.0.0.0', JWT_SECRET: 'from the tier file' }));
    const seen: Record<string, string>[] = [];
    process.env.POOL_SIZE = '99';
    process.env.REDIS_URL = 'redis://127.0.0.1:1';
    try {
      for (let deployment = 1; deployment <= 2; deployment += 1) {
        await using deployed = await here.provider.deploy(here, never);
        const environment = await (await fetch(`${deployed.baseUrl}/environment`)).json();
        seen.push(environment as Record<string, string>);
      }
    } finally {
      delete process.env.POOL_SIZE;
      delete process.env.REDIS_URL;
    }
    expect(seen[0]).toMatchObject({ POOL_SIZE: '7', HOST: '127.0.0.1', TIERBENCH_RUN: here.runId });
    expect(seen[0]).not.toHaveProperty('REDIS_URL');
    expect(seen[0]?.JWT_SECRET).toMatch(/^[\w-]{48}$/);
    expect(seen[0]?.JWT_SECRET).not.toBe(seen[1]?.JWT_SECRET);
    expect(seen[0]?.DATABASE_URL).not.toBe(seen[1]?.DATABASE_URL);
  });

  describe('of one deployment', () => {
    const tier = single();
    const limits = { cpus: 0.5, memoryBytes: 512 * 1024 ** 2 };
    const limited = { ...tier, services: tier.services.map((service) => ({ ...service, resources: limits })) };
    const [cpu = 0] = thisSystem.allowedCpus();
    let here: Awaited<ReturnType<typeof context>>;
    let deployment: Deployment;
    beforeAll(async () => {
      here = await localContext(limited, { app: standIn, systemCpus: [cpu] });
      deployment = await here.provider.deploy(here, never);
    });
    afterAll(async () => {
      await deployment[Symbol.asyncDispose]();
      await here[Symbol.asyncDispose]();
    });
    const instances = () => deployment.services.flatMap((service) => service.instances);

    it('starts the primary with the settings of the tier and fills it as asked', async () => {
      await deployment.prepareData?.({ userCount: 12, tasksPerUser: 3, seed: 1 }, 'a password', never);
      const client = new pg.Client(deployment.access.find(({ kind }) => kind === 'primary')?.url);
      await client.connect();
      const { rows } = await client.query(
        "select count(*)::int as users, min(password) as password, current_setting('max_connections') as connections from users",
      );
      await client.end();
      expect(rows).toEqual([{ users: 12, password: 'a password', connections: '20' }]);
      expect(deployment.services.find(({ kind }) => kind === 'primary')?.version).toMatch(/^PostgreSQL \d+/);
    });

    it.skipIf(lacks('taskset'))('keeps every process of a tier to the CPUs it is given (needs taskset)', async () => {
      for (const { name, processIds } of instances()) {
        expect(processIds.length, name).toBeGreaterThan(0);
        for (const processId of processIds) {
          // One that has ended meanwhile says nothing.
          const status = await readFile(`/proc/${processId}/status`, 'utf8').catch(() => undefined);
          if (status !== undefined) expect(allowedCpusIn(status), name).toEqual([cpu]);
        }
      }
    });

    it.skipIf(lacks('control groups'))(
      'puts each instance into groups with the limits of the tier (needs control groups)',
      async () => {
        expect(deployment.notes).toEqual([]);
        for (const { name, processIds, limits: enforced } of instances()) {
          expect(enforced, name).toEqual(limits);
          const groups = await readFile(`/proc/${processIds[0]}/cgroup`, 'utf8');
          const path = `/tierbench-${here.runId}\\.single-\\w+\\.${name.replace('/', '-')}$`;
          expect(groups).toMatch(new RegExp(path, 'm'));
        }
      },
    );
  });

  it('stops filling the database when asked to, and when it is disposed of meanwhile', async () => {
    await using here = await context();
    const deployment = await here.provider.deploy(here, never);
    const forEver = { userCount: 1, tasksPerUser: 1, seed: -1 };
    const reason = new Error('enough');
    await expect(deployment.prepareData?.(forEver, 'p', AbortSignal.abort(reason))).rejects.toBe(reason);
    const seeding = expect(deployment.prepareData?.(forEver, 'p', never)).rejects.toThrow('disposed of');
    await deployment[Symbol.asyncDispose]();
    await seeding;
    expect(await processesIn(here.folder)).toEqual([]);
  });

  it.skipIf(lacks('pgbouncer'))(
    'has the API prepare statements only where its pooler keeps them, and says so (needs pgbouncer)',
    async () => {
      const pooler: Service = {
        ...primary,
        name: 'pooler',
        kind: 'pooler',
        settings: { pool_mode: 'transaction', max_prepared_statements: 100, default_pool_size: 5 },
        connectsTo: { database: 'primary' },
      };
      const tier = single();
      const services = tier.services.map((service) =>
        service.kind === 'api' ? { ...service, connectsTo: { writer: 'pooler' } } : service,
      );
      await using here = await localContext({ ...tier, services: [...services, pooler] }, { app: standIn });
      await using deployment = await here.provider.deploy(here, never);
      const version = deployment.services.find(({ kind }) => kind === 'pooler')?.version ?? '';
      const keeps = keepsPreparedStatements(version.replace('PgBouncer ', ''));
      const environment = (await (await fetch(`${deployment.baseUrl}/environment`)).json()) as Record<string, string>;
      expect(environment.DATABASE_PREPARED_STATEMENTS).toBe(keeps ? undefined : 'off');
      expect(deployment.notes).toHaveLength(keeps ? 0 : 1);
    },
  );

  it('shows what the API itself says when it does not start, without secrets, and leaves nothing', async () => {
    await using here = await context(single({ MISBEHAVE: 'exit' }));
    const error = await failure(here);
    expect(error.code).toBe('SERVICE_DID_NOT_START');
    expect(error.message).toContain(
      "api/1 did not start: it ended with exit code 1\nPOOL_SIZE must be a number, but is 'many'",
    );
    expect(error.message).toContain('JWT_SECRET is [redacted]; database [redacted]');
    expect(await processesIn(here.folder)).toEqual([]);
    expect(await readdir(here.folder)).toEqual([]);
  });

  it('shows what the reference app says of an option it cannot read', async () => {
    await using here = await localContext(single({ BCRYPT_COST: 'much' }));
    expect(await failure(here)).toMatchObject({
      code: 'SERVICE_DID_NOT_START',
      message: expect.stringContaining('BCRYPT_COST'),
    });
  });

  it('names the port when the tier asks for one that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    try {
      for (const tier of [single({ PORT: port }), single({}, { port })]) {
        await using here = await context(tier);
        const error = await failure(here);
        expect(error.code).toBe('PORT_BUSY');
        expect(error.message).toContain(`127.0.0.1:${port}`);
        expect(await readdir(here.folder)).toEqual([]);
      }
    } finally {
      taken.close();
    }
  });

  it('shows what PostgreSQL says of a setting it does not know', async () => {
    await using here = await context(single({}, { max_connectionz: 5 }));
    const error = await failure(here);
    expect(error.code).toBe('SERVICE_DID_NOT_START');
    expect(error.message).toContain('unrecognized configuration parameter "max_connectionz"');
    expect(await readdir(here.folder)).toEqual([]);
  });

  it('says so when its folder cannot be written', async () => {
    await using here = await context();
    // Not even root writes there.
    const provider = localProvider({
      run: { id: newRunId(new Date()), folder: '/proc/tierbench', environment: {} },
    });
    await expect(provider.deploy(here, never)).rejects.toMatchObject({ code: 'FOLDER_NOT_WRITABLE' });
  });

  it.skipIf(lacks('root'))(
    'says so when the account PostgreSQL runs under cannot reach its folder (needs root)',
    async () => {
      await using here = await context();
      await chmod(here.folder, 0o700);
      expect((await failure(here)).code).toBe('FOLDER_NOT_REACHABLE');
      expect(await readdir(here.folder)).toEqual([]);
    },
  );
});

async function failure(context: ProviderUnderTest): Promise<TierbenchError> {
  const error = await context.provider.deploy(context, never).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(TierbenchError);
  return error;
}
