import { randomBytes } from 'node:crypto';
import { GenericContainer, Network, type StartedTestContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../migrate.ts';
import { startTestApp, testConfig } from './app.ts';
import { query } from './postgres.ts';
import { lacks } from './programs.ts';
import { useEverything } from './use-everything.ts';

describe.skipIf(lacks('docker'))('behind a PgBouncer that keeps prepared statements (needs docker)', () => {
  const open = new AsyncDisposableStack();
  const password = randomBytes(12).toString('hex');
  let poolerUrl: string;

  beforeAll(async () => {
    const network = open.use(await new Network().start());
    const database = open.use(
      await new GenericContainer('postgres:17')
        .withNetwork(network)
        .withNetworkAliases('database')
        .withEnvironment({ POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: password })
        .withExposedPorts(5432)
        // Once while it sets itself up, and once for good.
        .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
        .start(),
    );
    const pooler = open.use(
      await new GenericContainer('edoburu/pgbouncer:v1.24.1-p1')
        .withNetwork(network)
        .withEnvironment({
          DB_HOST: 'database',
          DB_USER: 'app',
          DB_PASSWORD: password,
          DB_NAME: 'app',
          AUTH_TYPE: 'scram-sha-256',
          POOL_MODE: 'transaction',
          DEFAULT_POOL_SIZE: '2',
          MAX_PREPARED_STATEMENTS: '200',
        })
        .withExposedPorts(5432)
        .withWaitStrategy(Wait.forLogMessage(/process up/))
        .start(),
    );
    const urlOf = (container: StartedTestContainer) =>
      `postgres://app:${password}@${container.getHost()}:${container.getMappedPort(5432)}/app`;
    await migrate(urlOf(database));
    poolerUrl = urlOf(pooler);
  });
  afterAll(() => open.disposeAsync());

  test('everything works with named statements, which the pooler shares between its connections', async () => {
    const environment = { DATABASE_POOL_MAX: '10', DATABASE_STATEMENT_TIMEOUT_MS: '60000' };
    await using app = await startTestApp(testConfig(poolerUrl, environment));
    await Promise.all(Array.from({ length: 8 }, (_, number) => useEverything(app, `named${number}@example.com`)));
    const named = await query(
      poolerUrl,
      `select count(*)::int as count from pg_prepared_statements where name like 'PGBOUNCER%'`,
    );
    expect(named.rows[0].count).toBeGreaterThan(10);
    expect(app.logLines.filter((line) => line.includes('DATABASE_STATEMENT_TIMEOUT_MS'))).toHaveLength(1);
  });
});
