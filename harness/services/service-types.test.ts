import { expect, test } from 'vitest';
import { serviceTypeContract } from '../contracts/services/service-type-contract.ts';
import type { Service } from '../core/tier.ts';
import { referenceApp } from './reference-app.ts';
import { serviceTypes } from './registry.ts';

/** What each kind needs to be complete. */
const examples: Readonly<Record<string, Partial<Service>>> = {
  api: {
    connectsTo: { writer: 'pooler', reader: 'replica', cache: 'cache' },
    settings: { PORT: 3000, LOG_LEVEL: 'warn' },
  },
  'load-balancer': { connectsTo: { backend: 'api' } },
  pooler: {
    connectsTo: { database: 'database' },
    settings: { pool_mode: 'transaction', max_prepared_statements: 200 },
  },
  replica: { connectsTo: { primary: 'database' } },
  container: {
    connectsTo: { DATABASE_URL: 'database' },
    settings: { image: 'other/app:1', PORT: '{port}', ADDRESS: '{host}', SESSION_SECRET: '{secret}' },
  },
  program: { settings: { command: 'serve --host {host} --port {port}' } },
};

for (const type of serviceTypes(referenceApp)) serviceTypeContract(type, examples[type.kind]);

test('each kind has a name of its own', () => {
  const kinds = serviceTypes(referenceApp).map(({ kind }) => kind);
  expect(new Set(kinds).size).toBe(kinds.length);
});
