import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measured, readUntil, startSilentServer } from '../../test-support/readings.ts';
import { startTestPostgres, startTestReplica } from '../../test-support/servers.ts';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import type { MetricId } from '../core/metrics.ts';
import { postgresProbe } from './postgres.ts';
import type { Probe } from './probe.ts';

let postgres: Awaited<ReturnType<typeof startTestPostgres>>;

beforeAll(async () => {
  postgres = await startTestPostgres({ shared_preload_libraries: 'pg_stat_statements', max_connections: 37 });
});

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

const newProbe = () => postgresProbe({ databaseUrl: postgres.url, source: 'database/1' });

async function connected() {
  const client = new pg.Client(postgres.url);
  await client.connect();
  return client;
}

/**
 * What was read while something was done: rates by the time between readings, which is known by both its bounds. Reads on
 * until `least` of a metric is there, as servers publish what they did with a delay.
 */
async function amountsDuring(probe: Probe, metric: MetricId, least: number, act: () => Promise<void>) {
  const amounts = new Map<MetricId, { low: number; high: number }>();
  let before = { fromMs: performance.now(), toMs: 0 };
  await probe.read();
  before.toMs = performance.now();
  await act();
  let readings = 0;
  while (readings === 0 || (amounts.get(metric)?.low ?? 0) < least * 0.9) {
    const fromMs = performance.now();
    const found = await probe.read();
    const toMs = performance.now();
    for (const { metric: id, value, detail } of found) {
      if (detail !== undefined) continue;
      const sum = amounts.get(id) ?? { low: 0, high: 0 };
      const [shortestS, longestS] = [(fromMs - before.toMs) / 1000, (toMs - before.fromMs) / 1000];
      amounts.set(id, { low: sum.low + value * shortestS, high: sum.high + value * longestS });
    }
    before = { fromMs, toMs };
    readings += 1;
  }
  return Object.assign(amounts, { readings });
}

describe('PostgreSQL from inside', () => {
  it('counts connections by state, without its own', async () => {
    await using probe = newProbe();
    expect(measured(await probe.read(), 'connections')).toBe(0);
    const idle = await connected();
    const inTransaction = await connected();
    await inTransaction.query('begin');
    const readings = await readUntil(probe, (each) => measured(each, 'connections-idle-in-transaction') === 1);
    expect(measured(readings, 'connections')).toBe(2);
    expect(measured(readings, 'connections-idle')).toBe(1);
    expect(measured(readings, 'connections-active')).toBe(0);
    expect(measured(readings, 'connections-limit')).toBe(36);
    await idle.end();
    await inTransaction.end();
  });

  it('reads what active connections wait for', async () => {
    await using probe = newProbe();
    const holder = await connected();
    const waiter = await connected();
    await holder.query('create table if not exists locked (id int)');
    await holder.query('begin');
    await holder.query('lock table locked');
    const waiting = waiter.query('select * from locked');
    await readUntil(probe, (each) => measured(each, 'waiting-for-lock') === 1);
    await holder.query('commit');
    await waiting;
    expect(measured(await probe.read(), 'waiting-for-lock')).toBe(0);
    await holder.end();
    await waiter.end();
  });

  it('counts commits and rollbacks per second, and names the statements that take the time', async () => {
    await using probe = newProbe();
    const failing = await connected();
    await probe.read();
    for (let transaction = 0; transaction < 20; transaction += 1) {
      await failing.query('begin');
      await failing.query('select 1 / 0').catch(() => undefined);
      await failing.query('rollback');
    }
    // A backend reports its counters at most once a second, and when it ends.
    await failing.end();
    await readUntil(probe, (each) => (measured(each, 'rollbacks') ?? 0) > 0);
    const client = await connected();
    await client.query(
      "select sum(n * $1) from generate_series(1, 200000) as series(n) where 'secret' <> 'other'",
      [2],
    );
    const readings = await readUntil(probe, (each) => each.some(({ detail }) => detail?.includes('generate_series')));
    const statements = readings.filter(({ metric }) => metric === 'statement-time');
    expect(statements.some(({ detail }) => detail?.includes('pg_stat_'))).toBe(false);
    expect(JSON.stringify(readings)).not.toContain('secret');
    await client.end();
  });

  it('counts the rows of a transaction, its write-ahead log and statements', async () => {
    const client = await connected();
    await client.query('create table counted (id int primary key, number int, text text)');
    await client.end();
    await using probe = newProbe();
    const work = await connected();
    const amounts = await amountsDuring(probe, 'rows-written', 4500, async () => {
      await work.query('begin');
      await work.query(
        'insert into counted select n, 0, repeat(md5(n::text), 32) from generate_series(1, 3000) as s(n)',
      );
      await work.query('update counted set number = 1 where id <= 1000');
      await work.query('delete from counted where id > 2500');
      for (let id = 1; id <= 200; id += 1) await work.query('select text from counted where id = $1', [id]);
      await work.query('commit');
      await work.end();
    });
    const isAbout = (metric: MetricId, least: number, most: number) => {
      const { low, high } = amounts.get(metric) ?? { low: Number.NaN, high: Number.NaN };
      expect(high, metric).toBeGreaterThanOrEqual(least);
      expect(low, metric).toBeLessThanOrEqual(most);
    };
    isAbout('rows-written', 4500, 4700);
    // Rows of 1 KiB, a third of them twice, with their index and whole pages.
    isAbout('wal-bytes', 4000 * 1024, 4 * 4000 * 1024);
    isAbout('statements', 206, 206 + 20 * amounts.readings);
    isAbout('rows-by-index', 200, 3200);
  });

  it('connects again after the server cut its connection', async () => {
    await using probe = newProbe();
    await probe.read();
    const client = await connected();
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tierbench probe'",
    );
    await readUntil(probe, (each) => each.length > 0);
    await client.end();
  });

  it('leaves no connection behind, however often the server cut one', async () => {
    const client = await connected();
    const own = "from pg_stat_activity where application_name = 'tierbench probe'";
    const probe = newProbe();
    for (let cut = 0; cut < 30; cut += 1) {
      await probe.read();
      await client.query(`select pg_terminate_backend(pid) ${own}`);
      // At once: the lost connection ends in two steps, and the next one is opened between them.
      let reconnected = false;
      while (!reconnected) reconnected = await probe.read().then(Boolean, () => false);
    }
    await probe[Symbol.asyncDispose]();
    await expect.poll(async () => (await client.query(`select count(*)::int as open ${own}`)).rows[0].open).toBe(0);
    await client.end();
  });

  it('sees the statements of a replica once it has the extension from its primary', async () => {
    const settings = { shared_preload_libraries: 'pg_stat_statements' };
    await using primary = await startTestPostgres(settings);
    await using replica = await startTestReplica(primary, settings);
    await using ofReplica = postgresProbe({ databaseUrl: replica.url, source: 'replica/1' });
    expect(measured(await ofReplica.read(), 'connections')).toBe(0);
    await using ofPrimary = postgresProbe({ databaseUrl: primary.url, source: 'database/1' });
    await ofPrimary.read();
    const client = new pg.Client(replica.url);
    await client.connect();
    await expect
      .poll(async () => {
        await client.query('select count(*) from generate_series(1, 100000)');
        return (await ofReplica.read()).some(({ detail }) => detail?.includes('generate_series'));
      })
      .toBe(true);
    await client.end();
  });

  it('does without pg_stat_statements where the server does not load it', async () => {
    await using plain = await startTestPostgres();
    await using probe = postgresProbe({ databaseUrl: plain.url, source: 'database/1' });
    await probe.read();
    expect((await probe.read()).some(({ metric }) => metric === 'statement-time')).toBe(false);
  });
});

probeContract(
  'postgres',
  async () => ({ probe: newProbe(), async [Symbol.asyncDispose]() {} }),
  async () => {
    const silent = await startSilentServer();
    const databaseUrl = `postgres://nobody:none@127.0.0.1:${silent.port}/none`;
    return {
      probe: postgresProbe({ databaseUrl, source: 'database/1' }),
      [Symbol.asyncDispose]: () => silent[Symbol.asyncDispose](),
    };
  },
);
