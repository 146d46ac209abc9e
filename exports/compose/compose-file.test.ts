import { describe, expect, test } from 'vitest';
import type { Service, Tier } from '../../harness/core/tier.ts';
import { builtInTiers, readTier } from '../../harness/files/tier-file.ts';
import { referenceApp } from '../../harness/services/reference-app.ts';
import { composeFile } from './compose-file.ts';

interface WrittenService {
  readonly profiles: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>>;
  readonly configs?: readonly { readonly source: string }[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly interval: string };
}

const builtIn = await Promise.all((await builtInTiers()).map(readTier));
const file = composeFile(builtIn, referenceApp);
const services = Object.entries(file.services as unknown as Record<string, WrittenService>);

describe('the compose file of the built-in tiers', () => {
  test('each service of a tier is there once for each instance, under its profile', () => {
    for (const { name, services: ofTier } of builtIn) {
      const instances = ofTier.reduce((total, each) => total + each.instances, 0);
      // One more migrates the schema.
      expect(services.filter(([, { profiles }]) => profiles.includes(name))).toHaveLength(instances + 1);
    }
  });

  test('what a service needs is in its own profile, and there', () => {
    for (const [name, { profiles, depends_on = {}, configs = [], volumes = [] }] of services) {
      const tier = name.split('-')[0];
      for (const needed of Object.keys(depends_on)) {
        expect(file.services[needed], `${name} needs ${needed}`).toMatchObject({ profiles: [tier] });
      }
      expect(profiles).toEqual([name.endsWith('-seed') ? 'seed' : tier]);
      expect(Object.keys(file.configs)).toEqual(expect.arrayContaining(configs.map(({ source }) => source)));
      expect(Object.keys(file.volumes)).toEqual(expect.arrayContaining(volumes.map((volume) => volume.split(':')[0])));
    }
  });

  test('of each tier one port is published, on 127.0.0.1 and different from those of the others', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    expect(published.map((port) => port.replace(/\d+\}:\d+$/u, ''))).toEqual(
      builtIn.map(({ name }) => `127.0.0.1:\${${name.toUpperCase()}_PORT:-`),
    );
    expect(new Set(published.map((port) => /:-(\d+)\}/u.exec(port)?.[1])).size).toBe(builtIn.length);
  });

  test('no secret is written down, and compose asks for each that is missing', () => {
    const text = JSON.stringify(file);
    expect(text).not.toMatch(/__[A-Z_]+__/u);
    for (const [, { environment = {} }] of services) {
      for (const [name, value] of Object.entries(environment)) {
        if (name === 'SEED_PASSWORD') expect(value).toBe('$' + '{SEED_PASSWORD:-}');
        else if (/PASSWORD$|SECRET|AUTH|_URL$/u.test(name)) expect(value).toMatch(/\$\{(?:\w+:-\$\{)?\w+:\?/u);
      }
    }
  });

  test('health checks are seldom: each starts a process beside what is measured', () => {
    const intervals = services.flatMap(([, { healthcheck }]) => healthcheck?.interval ?? []);
    expect(intervals.length).toBeGreaterThan(20);
    expect(new Set(intervals)).toEqual(new Set(['10s']));
  });
});

const service = (name: string, kind: Service['kind'], more: Partial<Service> = {}): Service => ({
  name,
  kind,
  instances: 1,
  settings: {},
  resources: {},
  connectsTo: {},
  ...more,
});
const tier = (name: string, ...more: Service[]): Tier => ({
  name,
  title: name,
  description: '',
  documents: [],
  entry: 'api',
  services: [service('api', 'api', { connectsTo: { writer: 'db' } }), service('db', 'primary'), ...more],
});

test('a setting is what it is in the tier file: compose puts nothing in its place', () => {
  const mine = tier('mine', service('pool', 'pooler', { connectsTo: { database: 'db' }, settings: { note: '$HOME' } }));
  const withSettings = {
    ...mine,
    services: mine.services.map((each) =>
      each.kind === 'pooler' ? each : { ...each, settings: { NOTE: '$' + '{A:-b}' } },
    ),
  };
  const written = composeFile([withSettings], referenceApp);
  const at = (name: string) => written.services[name] as unknown as WrittenService;
  expect(at('mine-api').environment).toHaveProperty('NOTE', '$$' + '{A:-b}');
  expect(written.configs['mine-db-start.sh']?.content).toContain('NOTE=$$' + '{A:-b}');
  expect(written.configs['mine-pool-pgbouncer.ini']?.content).toContain('note = $$HOME');
});

test("an API that is somebody else's image gets its addresses in the variables the tier file names", () => {
  const other = service('shop', 'container', {
    settings: {
      image: 'example.org/shop:2',
      port: 9000,
      ready: '/healthz',
      LISTEN: '{host}:{port}',
      APP_SECRET: '{secret}',
    },
    connectsTo: { DATABASE_URL: 'db', CACHE_URL: 'cache' },
  });
  const { services: written } = composeFile(
    [{ ...tier('shop'), entry: 'shop', services: [other, service('db', 'primary'), service('cache', 'cache')] }],
    referenceApp,
  );
  // There is no data of the reference app to make, and no schema.
  expect(Object.keys(written)).toEqual(['shop-shop', 'shop-db', 'shop-cache']);
  expect(written['shop-shop']).toMatchObject({
    image: 'example.org/shop:2',
    environment: {
      LISTEN: '0.0.0.0:9000',
      APP_SECRET: expect.stringMatching(/^\$\{SHOP_SECRET:\?/u),
      DATABASE_URL: expect.stringMatching(/^postgres:\/\/app:\$\{POSTGRES_PASSWORD:.*@shop-db:5432\/postgres$/u),
      CACHE_URL: expect.stringMatching(/^redis:\/\/:\$\{REDIS_PASSWORD:.*@shop-cache:6379$/u),
    },
    depends_on: { 'shop-db': { condition: 'service_healthy' }, 'shop-cache': { condition: 'service_healthy' } },
    ports: ['127.0.0.1:$' + '{SHOP_PORT:-3000}:9000'],
    healthcheck: { test: ['CMD-SHELL', expect.stringContaining('/healthz')] },
  });
});

test('instances and limits are those of the tier', () => {
  const many = tier('many');
  const [api, db] = many.services;
  const copies = { ...api, instances: 3, resources: { cpus: 0.5, memoryBytes: 1.5 * 2 ** 30 } } as Service;
  const written = composeFile([{ ...many, services: [copies, db as Service] }], referenceApp);
  expect(Object.keys(written.services)).toEqual([
    'many-api-1',
    'many-api-2',
    'many-api-3',
    'many-db',
    'many-migrate',
    'many-seed',
  ]);
  expect(written.services['many-api-3']).toMatchObject({ cpu_quota: 5000, cpu_period: 10_000, mem_limit: '1536m' });
});

test.each<[string, Tier[], string]>([
  ['a tier given twice', [tier('mine'), tier('mine')], 'mine'],
  ['a tier called like the profile that fills databases', [tier('seed')], 'seed'],
  ['a service called like one that tierbench adds', [tier('mine', service('migrate', 'cache'))], 'mine-migrate'],
  [
    'names that are the same with the tier before them',
    [tier('a', service('b-c', 'cache')), tier('a-b', service('c', 'cache'))],
    'a-b-c',
  ],
])('%s is refused', (_, tiers, name) => {
  expect(() => composeFile(tiers, referenceApp)).toThrow(
    expect.objectContaining({
      code: 'COMPOSE_NAMES_CLASH',
      problems: expect.arrayContaining([{ what: `'${name}' is there twice` }]),
    }),
  );
});
