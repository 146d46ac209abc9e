import { expect, test } from 'vitest';
import type { Service, Tier } from './tier.ts';
import { tierSetting } from './tier-setting.ts';

const api: Service = {
  name: 'api',
  kind: 'api',
  instances: 3,
  settings: {
    DATABASE_POOL_MAX: 10,
    DATABASE_IDLE_TIMEOUT_MS: '45000',
    RATE_LIMIT_GENERAL: '100/15m',
    RATE_LIMIT: 'off',
  },
  resources: { cpus: 0.5, memoryBytes: 2 ** 29 },
  connectsTo: { writer: 'write-pooler' },
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
    { ...api, name: 'write-pooler', kind: 'pooler', instances: 1, settings: { default_pool_size: 20 }, resources: {} },
    { ...api, name: 'read-pooler', kind: 'pooler', instances: 2, settings: {}, resources: {} },
  ],
};

test.each([
  ['DATABASE_POOL_MAX', 'connections', 10],
  ['DATABASE_IDLE_TIMEOUT_MS', 's', 45],
  ['RATE_LIMIT_GENERAL', 'requests', 100],
  ['RATE_LIMIT_GENERAL', 's', 900],
  ['RATE_LIMIT', 'requests', null],
  ['CACHE_TTL_ME_S', 's', null],
  ['api.instances', 'instances', 3],
  ['load-balancer.backend.instances', 'instances', 3],
  ['api.cpus', 'cpus', 0.5],
  ['api.memory', 'bytes', 2 ** 29],
  ['pooler.instances', 'instances', 3],
  ['pooler.default_pool_size', 'connections', 20],
  ['pooler.memory', 'bytes', null],
  ['replica.instances', 'replicas', null],
  ['cache.backend.instances', 'instances', null],
])('%s in %s', (option, unit, value) => {
  expect(tierSetting(tier, option, unit)).toBe(value);
});
