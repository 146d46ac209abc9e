import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Target } from '../core/target.ts';
import type { Tier } from '../core/tier.ts';
import { settingOption } from '../core/tier-setting.ts';
import { judgeSetting } from '../judging/judge-configuration.ts';
import { connectionSum, connectionSumText } from '../services/connections.ts';
import { settingInUnit, shippedTypes } from '../services/registry.ts';
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
  test('are listed so that each builds on the one before', async () => {
    expect(await builtInTiers()).toEqual(['single', 'pooled', 'replicated', 'cached']);
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

const contradicted = {
  'lsf-auth-api-cpu-limit': 'authflow-backend-cpus',
  'lsf-auth-api-memory-limit': 'authflow-backend-memory',
  'react-auth-template-pool-size': 'lsf-auth-pool-min',
};
const instances = { 'lsf-auth-api-instances': 'lsf-auth-load-balanced-servers' };
const replicas = { 'lsf-auth-read-databases': 'authflow-local-read-replicas' };

test.each([
  ['single', 8, contradicted],
  ['pooled', 14, { ...contradicted, ...instances }],
  ['replicated', 18, { ...contradicted, ...instances, ...replicas }],
  ['cached', 26, { ...contradicted, ...instances, ...replicas }],
])('%s follows the documents, and of two that contradict each other one', async (name, count, others) => {
  const tier = await readTier(name);
  const targets = await readTargets();
  const judged = targets
    .filter(
      ({ judged: { by }, appliesTo: { tiers } }) => by === 'setting' && (tiers.length === 0 || tiers.includes(name)),
    )
    .map((target) => ({ id: target.id, verdict: judgeSetting(target, tier, targets, settingInUnit).verdict }));
  expect(judged.filter(({ verdict }) => verdict.kind === 'missed')).toEqual([]);
  expect(judged.filter(({ verdict }) => verdict.kind === 'met').length).toBe(count);
  const followed = judged.flatMap(({ id, verdict }) =>
    verdict.kind === 'not-judged' && verdict.why.code === 'follows-other' ? [[id, verdict.why.target]] : [],
  );
  expect(Object.fromEntries(followed)).toEqual(others);
});

test('a tier file can meet and miss each target about a setting', async () => {
  const tier = await readTier('cached');
  const targets = (await readTargets()).filter(({ judged }) => judged.by === 'setting');
  for (const target of targets) {
    const ends = [target.value].flat();
    const values = [...ends, ...ends.flatMap((end) => [end / 2, end * 2])];
    const kinds = values.map(
      (value) => judgeSetting(target, withSetting(tier, target, value), [], settingInUnit).verdict.kind,
    );
    expect([target.id, new Set(kinds)]).toEqual([target.id, new Set(['met', 'missed'])]);
  }
});

/** The tier with that setting, in SI units, limits of requests on; a service with no instance is not in it. */
function withSetting(tier: Tier, { judged, unit }: Target, value: number): Tier {
  if (judged.by !== 'setting') throw new Error('it is about no setting');
  const { kind, property } = settingOption(judged.option);
  const written = {
    requests: `${Math.round(value)}/15m`,
    s: property.startsWith('RATE_LIMIT') ? `100/${Math.round(value)}s` : value * (property.endsWith('_MS') ? 1000 : 1),
  };
  const services = tier.services
    .map((service) => {
      if (service.kind !== (kind ?? 'api')) return service;
      if (property === 'instances') return { ...service, instances: Math.floor(value) };
      if (property === 'cpus') return { ...service, resources: { cpus: value } };
      if (property === 'memory') return { ...service, resources: { memoryBytes: value } };
      const setting = unit === 'requests' || unit === 's' ? written[unit] : value;
      return { ...service, settings: { ...service.settings, RATE_LIMIT: 'on', [property]: setting } };
    })
    .filter(({ instances }) => instances > 0);
  return { ...tier, services };
}

test.each([
  ['single', 'database', '(10 + 1) api + 3 reserved + 1 probe = 15'],
  ['pooled', 'database', '(16 + 0) pooler + 3 reserved + 1 probe = 20'],
  ['replicated', 'database', '(16 + 0) writer-pooler + 3 reserved + 1 probe = 20'],
  ['cached', 'replica', '(16 + 0) reader-pooler + 3 reserved + 1 probe = 20'],
])('the comment in %s says what may be connected to its %s', async (name, service, sum) => {
  const { services } = await readTier(name);
  const database = services.find((each) => each.name === service);
  const connections = database && connectionSum(database, services, (kind) => shippedTypes.get(kind));
  expect(connections && connectionSumText(connections)).toBe(sum);
  expect(readFileSync(new URL(`../tiers/${name}.yaml`, import.meta.url), 'utf8')).toContain(`${sum} stay below it.`);
});
