import { expect, test } from 'vitest';
import { settingInUnit } from '../services/registry.ts';
import type { Service, Tier } from './tier.ts';
import { isOff, tierSettings } from './tier-setting.ts';

const api: Service = {
  name: 'api',
  kind: 'api',
  instances: 3,
  settings: { DATABASE_POOL_MAX: 10, RATE_LIMIT: 'off' },
  resources: { cpus: 0.5, memoryBytes: 2 ** 29 },
  connectsTo: { writer: 'write-pooler', reader: 'read-pooler' },
};
const tier: Tier = {
  name: 'example',
  title: 'Example',
  description: '',
  documents: [],
  entry: 'api',
  services: [
    api,
    { ...api, name: 'balancer', kind: 'load-balancer', instances: 1, settings: {}, connectsTo: { backend: 'api' } },
    {
      ...api,
      name: 'write-pooler',
      kind: 'pooler',
      instances: 1,
      settings: { default_pool_size: 20 },
      resources: { cpus: 0.25 },
      connectsTo: {},
    },
    {
      ...api,
      name: 'read-pooler',
      kind: 'pooler',
      instances: 2,
      settings: {},
      resources: { cpus: 0.5 },
      connectsTo: {},
    },
  ],
};

const set = (...values: unknown[]) => ({ kind: 'set', values });

test.each([
  [{ option: 'DATABASE_POOL_MAX' }, set(10)],
  [{ option: 'RATE_LIMIT' }, set('off')],
  [{ option: 'CACHE_TTL_ME_S' }, { kind: 'open' }],
  [{ option: 'api.instances' }, set(3)],
  [{ option: 'api.instances', as: 'backend' }, set(3)],
  [
    { option: 'api.instances', as: 'reader' },
    { kind: 'no-such-service', service: 'api' },
  ],
  [{ option: 'api.cpus' }, set(0.5)],
  [{ option: 'api.memory' }, set(2 ** 29)],
  [{ option: 'pooler.instances' }, set(3)],
  [{ option: 'pooler.instances', as: 'reader' }, set(2)],
  [{ option: 'pooler.cpus' }, set(0.25, 0.5)],
  [{ option: 'pooler.cpus', as: 'writer' }, set(0.25)],
  [{ option: 'pooler.cpus', as: 'reader' }, set(0.5)],
  [{ option: 'pooler.default_pool_size', as: 'reader' }, { kind: 'open' }],
  [{ option: 'pooler.memory' }, { kind: 'open' }],
  [{ option: 'replica.instances' }, { kind: 'no-such-service', service: 'replica' }],
])('%j', (choice, found) => {
  expect(tierSettings(tier, choice)).toEqual(found);
});

test.each([
  ['DATABASE_POOL_MAX', 10, 'connections', 10],
  ['DATABASE_IDLE_TIMEOUT_MS', '45000', 's', 45],
  ['RATE_LIMIT_GENERAL', '100/15m', 'requests', 100],
  ['RATE_LIMIT_GENERAL', '100/15m', 's', 900],
  ['RATE_LIMIT', 'off', 'requests', null],
])('%s of %j in %s', (option, setting, unit, value) => {
  expect(settingInUnit(option, setting, unit)).toBe(value);
});

test('off, false, no and 0 turn something off', () => {
  expect(['off', 'OFF', false, 0, '0', 'no', 'on', true, 1, '100/15m'].map(isOff)).toEqual([
    ...new Array(6).fill(true),
    ...new Array(4).fill(false),
  ]);
});
