import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Target } from '../core/target.ts';
import { tierSetting } from '../core/tier-setting.ts';
import { judgeSetting } from '../judging/judge-configuration.ts';
import { connectionSum, connectionSumText } from '../services/connections.ts';
import { findServiceType } from '../services/registry.ts';
import { readTargets } from './target-file.ts';
import { builtInTiers, parseTier, readTier } from './tier-file.ts';

test('a tier with every kind of service is read into SI units', () => {
  const tier = parseTier(
    `
name: all
title: Everything
description: Each kind once.
documents:
  - { document: authflow, section: Architecture Patterns }
entry: balancer
services:
  balancer: { kind: load-balancer, connectsTo: { backend: api }, settings: { keepalive: 64 } }
  api:
    kind: api
    instances: 3
    resources: { cpus: 0.5, memory: 512 MiB }
    connectsTo: { writer: write-pooler, reader: read-pooler, cache: redis }
    settings: { RATE_LIMIT: off, DATABASE_POOL_MAX: 10, CORS_ORIGINS: '' }
  write-pooler: { kind: pooler, connectsTo: { database: primary } }
  read-pooler: { kind: pooler, connectsTo: { database: copy } }
  primary: { kind: primary }
  copy: { kind: replica, connectsTo: { primary: primary }, resources: { memory: 1.5 GiB } }
  redis: { kind: cache }
`,
    'all.yaml',
  );
  expect(tier.entry).toBe('balancer');
  expect(tier.services.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    'balancer load-balancer',
    'api api',
    'write-pooler pooler',
    'read-pooler pooler',
    'primary primary',
    'copy replica',
    'redis cache',
  ]);
  expect(tier.services[1]).toEqual({
    name: 'api',
    kind: 'api',
    instances: 3,
    settings: { RATE_LIMIT: 'off', DATABASE_POOL_MAX: 10, CORS_ORIGINS: '' },
    resources: { cpus: 0.5, memoryBytes: 536_870_912 },
    connectsTo: { writer: 'write-pooler', reader: 'read-pooler', cache: 'redis' },
  });
  expect(tier.services[5]?.resources).toEqual({ memoryBytes: 1_610_612_736 });
});

test('settings that only speak of secrets are none', () => {
  const withSettings = (settings: string) =>
    parseTier(
      `
name: mine
title: Mine
description: Mine.
entry: api
services:
  api: { kind: api, connectsTo: { writer: db }, settings: ${settings} }
  db: { kind: primary }
`,
      'mine.yaml',
    );
  expect(
    withSettings('{ PASSWORD_HASH_CONCURRENCY: 2, ACCESS_TOKEN_TTL_S: 900, CORS_ORIGINS: "https://app.example.com" }')
      .services[0]?.settings,
  ).toHaveProperty('PASSWORD_HASH_CONCURRENCY', 2);
  for (const secret of ['JWT_SECRET', 'DATABASE_PASSWORD', 'PGPASSWORD', 'api_key', 'ADMIN_TOKEN', 'requirepass']) {
    expect(() => withSettings(`{ ${secret}: hidden }`), secret).toThrow('a problem');
  }
});

test('a tier may have several databases, an entry of any kind that offers http, and services nobody connects to', () => {
  const tier = parseTier(
    `
name: wide
title: Wide
description: Two databases, a gateway that is somebody else's image, and a worker.
entry: gateway
services:
  gateway: { kind: container, settings: { image: 'other/gateway:1', ready: /health, API_URL: 'unused' }, connectsTo: { UPSTREAM: api } }
  api: { kind: api, connectsTo: { writer: tasks } }
  worker:
    kind: container
    instances: 2
    settings: { image: 'other/worker:1', protocol: none, SESSION_SECRET: '{secret}' }
    connectsTo: { DATABASE_URL: events, QUEUE_URL: queue }
  tasks: { kind: primary }
  events: { kind: primary }
  queue: { kind: cache }
`,
    'wide.yaml',
  );
  expect(tier.services.map(({ kind }) => kind)).toEqual([
    'container',
    'api',
    'container',
    'primary',
    'primary',
    'cache',
  ]);
});

test('one address of several instances is a problem of whoever knows only one', () => {
  const read = () =>
    parseTier(
      `
name: wide
title: Wide
description: A gateway before two instances.
entry: gateway
services:
  gateway: { kind: container, settings: { image: 'other/gateway:1' }, connectsTo: { UPSTREAM: api, lower: api } }
  api: { kind: api, instances: 2, connectsTo: { writer: db } }
  db: { kind: primary }
  nothing: { kind: container }
`,
      'wide.yaml',
    );
  expect(read).toThrow(
    expect.objectContaining({
      code: 'TIER_FILE_INVALID',
      problems: [
        expect.objectContaining({ line: 7, column: 95, what: expect.stringContaining('UPSTREAM') }),
        expect.objectContaining({ line: 7, column: 100, what: expect.stringContaining('lower') }),
        expect.objectContaining({ line: 10, what: expect.stringContaining('no image') }),
      ],
    }),
  );
});

describe('built-in tiers', () => {
  test('are listed by name', async () => {
    expect(await builtInTiers()).toContain('single');
  });

  test('every service says its CPUs and memory, so that it can be limited and scaled', async () => {
    for (const name of await builtInTiers()) {
      for (const { resources } of (await readTier(name)).services) {
        expect(resources).toEqual({ cpus: expect.any(Number), memoryBytes: expect.any(Number) });
      }
    }
  });

  test('each has the name of its file and only options the reference app knows', async () => {
    const options = readFileSync(new URL('../../reference-app/options.ts', import.meta.url), 'utf8');
    for (const name of await builtInTiers()) {
      const tier = await readTier(name);
      expect(tier.name).toBe(name);
      for (const { kind, settings } of tier.services) {
        if (kind !== 'api') continue;
        for (const option of Object.keys(settings)) expect(options).toMatch(new RegExp(`^  ${option}: `, 'm'));
      }
    }
  });

  test('a name that is none is reported with the nearest one', async () => {
    await expect(readTier('singel')).rejects.toMatchObject({
      code: 'TIER_UNKNOWN',
      message: "there is no tier 'singel'",
      nextStep: expect.stringContaining("Did you mean 'single'?"),
    });
  });

  test('a name cannot lead out of the folder of the tiers', async () => {
    await expect(readTier('..')).rejects.toMatchObject({ code: 'TIER_UNKNOWN' });
    await expect(readTier('../targets/lsf-auth')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

/** Documented figures that a tier cannot keep together with another one. */
const contradicted = ['lsf-auth-api-instances', 'lsf-auth-api-cpu-limit', 'lsf-auth-api-memory-limit'];

test.each([
  ['single', 11],
  ['pooled', 20],
  ['replicated', 21],
  ['cached', 29],
])('%s has the settings the documents ask for', async (name, count) => {
  const tier = await readTier(name);
  const set = (await readTargets()).filter(
    ({ judged, unit }) => judged.by === 'setting' && tierSetting(tier, judged.option, unit) !== null,
  );
  const verdicts = set.map((target) => [target.id, judgeSetting(target, optionOf(target), tier).verdict?.kind]);
  expect(verdicts.filter(([, kind]) => kind !== 'met').map(([id]) => id)).toEqual(
    contradicted.filter((id) => set.some((target) => target.id === id)),
  );
  expect(set.length).toBe(count);
});

function optionOf({ judged }: Target): string {
  return judged.by === 'setting' ? judged.option : '';
}

test.each([
  ['single', 'database', '(10 + 1) api + 3 reserved + 1 probe = 15'],
  ['pooled', 'database', '(16 + 0) pooler + 3 reserved + 1 probe = 20'],
  ['replicated', 'database', '(16 + 0) writer-pooler + 3 reserved + 1 probe = 20'],
  ['cached', 'replica', '(16 + 0) reader-pooler + 3 reserved + 1 probe = 20'],
])('the comment in %s says what may be connected to its %s', async (name, service, sum) => {
  const { services } = await readTier(name);
  const database = services.find((each) => each.name === service);
  const connections = database && connectionSum(database, services, findServiceType);
  expect(connections && connectionSumText(connections)).toBe(sum);
  expect(readFileSync(new URL(`../tiers/${name}.yaml`, import.meta.url), 'utf8')).toContain(`${sum} stay below it.`);
});
