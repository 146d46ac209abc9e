import { expect, test } from 'vitest';
import type { Tier } from '../../harness/core/tier.ts';
import { forTerminal } from '../../reports/text.ts';
import { tiersTable } from './tiers-table.ts';

const tier: Tier = {
  name: 'balanced',
  title: 'Several instances',
  description: 'A load balancer before three instances of the API, which share one database.',
  documents: [],
  entry: 'balancer',
  services: [
    {
      name: 'balancer',
      kind: 'load-balancer',
      instances: 1,
      settings: {},
      resources: {},
      connectsTo: { backend: 'api' },
    },
    {
      name: 'api',
      kind: 'api',
      instances: 3,
      settings: { DATABASE_POOL_MAX: 10, RATE_LIMIT: 'off' },
      resources: { cpus: 0.5, memoryBytes: 2 ** 29 },
      connectsTo: { writer: 'database' },
    },
    { name: 'database', kind: 'primary', instances: 1, settings: {}, resources: {}, connectsTo: {} },
  ],
};

test('a tier is shown with its services, their sizes, connections and settings', () => {
  expect(forTerminal(tiersTable([tier], 60), false)).toBe(`balanced: Several instances
  A load balancer before three instances of the API, which
  share one database.
  balancer  load-balancer, receives the load, backend: api
  api       api x 3, writer: database, 0.5 cpus, 512 MiB
            DATABASE_POOL_MAX=10 RATE_LIMIT=off
  database  primary`);
});
