import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overPostgres } from '../../test-support/instance-access.ts';
import { measured, readUntil, startSilentServer } from '../../test-support/readings.ts';
import { lacks } from '../../test-support/requirements.ts';
import { startTestPgbouncer, startTestPostgres } from '../../test-support/servers.ts';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import { pgbouncerProbe } from './pgbouncer.ts';

describe.skipIf(lacks('pgbouncer'))('PgBouncer from inside (needs pgbouncer)', () => {
  let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
  let pooler: Awaited<ReturnType<typeof startTestPgbouncer>>;
  beforeAll(async () => {
    postgres = await startTestPostgres();
    pooler = await startTestPgbouncer(postgres, { default_pool_size: 1 });
  });
  afterAll(async () => {
    await pooler?.[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  });

  const newProbe = () => pgbouncerProbe({ url: pooler.probeUrl, source: 'writer-pooler/1' });

  async function connected() {
    const client = new pg.Client(pooler.url);
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  it('reads the connections in use, and the clients that wait and for how long', async () => {
    await using probe = newProbe();
    expect(measured(await probe.read(), 'clients-active')).toBe(0);
    const holder = await connected();
    await holder.query('begin');
    const waiter = await connected();
    const waiting = waiter.query('select 1');
    const readings = await readUntil(probe, (each) => (measured(each, 'longest-wait') ?? 0) > 0.2);
    expect(measured(readings, 'clients-active')).toBe(1);
    expect(measured(readings, 'clients-waiting')).toBe(1);
    expect(measured(readings, 'servers-active')).toBe(1);
    expect(measured(readings, 'servers-idle')).toBe(0);
    await holder.query('commit');
    await waiting;
    const after = await readUntil(probe, (each) => measured(each, 'servers-active') === 0);
    expect(measured(after, 'clients-waiting')).toBe(0);
    expect(measured(after, 'longest-wait')).toBe(0);
    expect((measured(after, 'servers-idle') ?? 0) + (measured(after, 'servers-used') ?? 0)).toBe(1);
    await holder.end();
    await waiter.end();
  });

  it('counts queries and transactions per second, and how long they waited', async () => {
    await using probe = newProbe();
    const clients = [await connected(), await connected()];
    await Promise.all(clients.map((client) => client.query('select 1')));
    const startMs = performance.now();
    await probe.read();
    await Promise.all(clients.map((client) => client.query('begin; select pg_sleep(0.2); commit')));
    await clients[0]?.query('select 1');
    const readings = await probe.read();
    const elapsedS = (performance.now() - startMs) / 1000;
    expect((measured(readings, 'transactions') ?? 0) * elapsedS).toBeGreaterThan(2.5);
    expect(measured(readings, 'queries')).toBeGreaterThanOrEqual(measured(readings, 'transactions') ?? Infinity);
    // One of the two waited until the other was done: 0.2 s for one of three.
    expect(measured(readings, 'wait-mean')).toBeGreaterThan(0.2 / 4);
    await probe.read();
    expect(measured(await probe.read(), 'wait-mean')).toBeUndefined();
    for (const client of clients) await client.end();
  });

  it('connects again each time the pooler comes back, and leaves no connection behind', async () => {
    const probe = newProbe();
    for (let cut = 0; cut < 5; cut += 1) {
      await probe.read();
      await pooler.kill();
      await expect(probe.read()).rejects.toThrow(/\w/);
      await pooler.start();
      await readUntil(probe, (each) => each.length > 0);
    }
    const probes = () =>
      overPostgres(pooler.probeUrl, 10, async (client) => {
        const { rows } = await client.query('show clients');
        return rows.filter(({ database }) => database === 'pgbouncer').length - 1;
      });
    expect(await probes()).toBe(1);
    await probe[Symbol.asyncDispose]();
    await expect.poll(probes).toBe(0);
  });

  it('keeps no password of anybody in what it says', async () => {
    await pooler.kill();
    await using probe = newProbe();
    const { password } = new URL(pooler.probeUrl);
    const error = await probe.read().catch((reason) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(error.message).not.toContain(password);
    await pooler.start();
  });

  probeContract(
    'pgbouncer',
    async () => ({ probe: newProbe(), async [Symbol.asyncDispose]() {} }),
    async () => {
      const silent = await startSilentServer();
      const url = `postgres://nobody:none@127.0.0.1:${silent.port}/pgbouncer`;
      return {
        probe: pgbouncerProbe({ url, source: 'writer-pooler/1' }),
        [Symbol.asyncDispose]: () => silent[Symbol.asyncDispose](),
      };
    },
  );
});
