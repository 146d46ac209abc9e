import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overPostgres } from '../../../test-support/instance-access.ts';
import { lacks } from '../../../test-support/requirements.ts';
import { startTestPgbouncer, startTestPostgres, type TestServer } from '../../../test-support/servers.ts';

describe.skipIf(lacks('pgbouncer'))('PgBouncer (needs pgbouncer)', () => {
  let postgres: TestServer;
  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterAll(async () => {
    await postgres[Symbol.asyncDispose]();
  });

  it('serves many clients over few connections', async () => {
    await using pooler = await startTestPgbouncer(postgres, { default_pool_size: 2, max_prepared_statements: 50 });
    const clients = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const client = new pg.Client(pooler.url);
        await client.connect();
        return client;
      }),
    );
    const backends = await Promise.all(
      clients.map(async (client) => (await client.query('select pg_backend_pid() as backend')).rows[0].backend),
    );
    expect(backends).toHaveLength(10);
    expect(new Set(backends).size).toBeLessThanOrEqual(2);
    await Promise.all(clients.map((client) => client.end()));
  });

  it('lets nobody in without the password', async () => {
    await using pooler = await startTestPgbouncer(postgres);
    for (const address of [pooler.url, pooler.probeUrl]) {
      const url = new URL(address);
      url.password = 'guessed';
      await expect(overPostgres(url.href, 10, async () => 'in')).rejects.toThrow(/password|SASL|auth/i);
    }
  });

  it('says whether it keeps named prepared statements, and does', async () => {
    await using pooler = await startTestPgbouncer(postgres, { default_pool_size: 1, max_prepared_statements: 50 });
    const [major = 0, minor = 0] = (pooler.version ?? '').replace('PgBouncer ', '').split('.').map(Number);
    const keeps = major > 1 || minor >= 21;
    expect(pooler.peer.lacks).toEqual(keeps ? [] : ['prepared-statements']);
    const named = { name: 'one', text: 'select 1 as one' };
    const answers: unknown[] = [];
    for (let time = 1; time <= (keeps ? 2 : 1); time += 1) {
      answers.push(...(await overPostgres(pooler.url, 10, (client) => client.query(named))).rows);
    }
    expect(answers).toEqual(keeps ? [{ one: 1 }, { one: 1 }] : [{ one: 1 }]);
  });

  it('finds the database again soon after that was down', async () => {
    await using pooler = await startTestPgbouncer(postgres);
    const ask = () => overPostgres(pooler.url, 10, async (client) => (await client.query('select 1 as one')).rows);
    await ask();
    await postgres.kill();
    await expect(ask()).rejects.toThrow();
    await postgres.start();
    await expect.poll(() => ask().catch((error) => error.message)).toEqual([{ one: 1 }]);
  });
});
