import { expect, test } from 'vitest';
import { connectionSum, connectionSumText } from './connections.ts';
import { shippedTypes } from './registry.ts';
import type { Described } from './service-type.ts';

const sumOf = (services: readonly Described[], service: Described) =>
  connectionSum(service, services, (kind) => shippedTypes.get(kind));

const service = (
  name: string,
  kind: Described['kind'],
  connectsTo: Described['connectsTo'] = {},
  settings: Described['settings'] = {},
  instances = 1,
): Described => ({ name, kind, instances, settings, connectsTo });

const database = service('database', 'primary', {}, { max_connections: 80 });

test('each pooler before a database holds its pool and its reserve', () => {
  const poolers = ['writer', 'jobs'].map((name) =>
    service(name, 'pooler', { database: 'database' }, { default_pool_size: 40, reserve_pool_size: 5 }),
  );
  const sum = sumOf([...poolers, database], database);
  expect(sum).toMatchObject({ total: 94, limit: 80 });
  expect(sum && connectionSumText(sum)).toBe('(40 + 5) writer + (40 + 5) jobs + 3 reserved + 1 probe = 94');
});

test('max_db_connections caps what a pooler opens, and 0 is no cap', () => {
  const pooler = (most: number) =>
    service('pooler', 'pooler', { database: 'database' }, { default_pool_size: 40, max_db_connections: most }, 2);
  expect(sumOf([pooler(30)], database)?.total).toBe(2 * 30 + 4);
  expect(sumOf([pooler(0)], database)?.total).toBe(2 * 40 + 4);
});

test('an API counts once for each process and role, with the connection its /ready opens', () => {
  const copy = service('copy', 'replica', { primary: 'database' });
  const api = service(
    'api',
    'api',
    { writer: 'database', reader: 'copy' },
    { INSTANCES: '2', DATABASE_POOL_MAX: 8 },
    3,
  );
  expect(sumOf([api, database, copy], database)?.terms[0]).toEqual({
    connections: 6 * 9,
    text: '6 x (8 + 1) api',
  });
  // The replica streams from the primary, which counts as a WAL sender and not as a connection.
  expect(sumOf([api, database, copy], copy)?.total).toBe(6 * 9 + 4);
  const both = service('api', 'api', { writer: 'pooler', reader: 'pooler' });
  expect(sumOf([both], service('pooler', 'pooler'))).toMatchObject({ total: 2 * 11 + 1, limit: 100 });
});

test('what a server does by itself stands in for what is left out, and nothing is summed over what is no number', () => {
  const pooler = service('pooler', 'pooler', { database: 'postgres' });
  const postgres = service('postgres', 'primary', {}, { superuser_reserved_connections: 5, reserved_connections: 2 });
  expect(sumOf([pooler], postgres)).toMatchObject({ total: 20 + 7 + 1, limit: 100 });
  expect(sumOf([{ ...pooler, settings: { default_pool_size: 'many' } }], postgres)).toBeUndefined();
  expect(sumOf([pooler], { ...postgres, settings: { max_connections: -1 } })).toBeUndefined();
});
