import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overPostgres } from '../../../test-support/instance-access.ts';
import { startTestPostgres, startTestReplica, type TestServer } from '../../../test-support/servers.ts';

let primary: TestServer;
beforeAll(async () => {
  primary = await startTestPostgres({ max_slot_wal_keep_size: '64MB' });
  await rowsOf(primary, 'create table notes (id int generated always as identity, text text)');
});
afterAll(async () => {
  await primary[Symbol.asyncDispose]();
});

async function rowsOf({ url }: TestServer, text: string, values: unknown[] = []): Promise<pg.QueryResultRow[]> {
  return await overPostgres(url, 10, async (client) => (await client.query(text, values)).rows);
}

async function write(text: string): Promise<void> {
  await rowsOf(primary, 'insert into notes (text) values ($1)', [text]);
}

const notesAt = async (server: TestServer) =>
  (await rowsOf(server, 'select text from notes order by id')).map(({ text }) => text);

describe('a replica', () => {
  it('has what was written before, gets what is written after, and takes no writes', async () => {
    await write('before');
    await using replica = await startTestReplica(primary);
    await write('after');
    await expect.poll(() => notesAt(replica)).toEqual(['before', 'after']);
    await expect(rowsOf(replica, "insert into notes (text) values ('here')")).rejects.toThrow('read-only');
  });

  it('is whole although the primary was written to while it was copied', async () => {
    let writing = true;
    let written = 0;
    const writer = overPostgres(primary.url, 10, async (client) => {
      await client.query('create table counted (n int primary key)');
      while (writing) {
        written += 1;
        await client.query('insert into counted values ($1)', [written]);
        await client.query(`create table short_lived_${written} as select $1::int as n`, [written]);
        await client.query(`drop table short_lived_${written}`);
      }
    });
    await expect.poll(() => written).toBeGreaterThan(5);
    await using replica = await startTestReplica(primary);
    writing = false;
    await writer;
    await expect.poll(() => rowsOf(replica, 'select count(*)::int as n from counted')).toEqual([{ n: written }]);
  });

  it('goes on where it was when it comes back, and when the primary does', async () => {
    await using replica = await startTestReplica(primary);
    const expected = await notesAt(primary);
    await replica.kill();
    await write('while the replica was down');
    await replica.start();
    await expect
      .poll(() => notesAt(replica), { message: 'after the replica' })
      .toEqual([...expected, 'while the replica was down']);
    await primary.kill();
    await primary.start();
    await write('after the primary was down');
    await expect
      .poll(() => notesAt(replica), { message: 'after the primary' })
      .toEqual([...expected, 'while the replica was down', 'after the primary was down']);
  });

  it('keeps the log it needs on the primary, up to a bound', async () => {
    await using replica = await startTestReplica(primary);
    const slot = `${replica.peer.service.name}_1`.replaceAll('-', '_');
    const slots = () =>
      rowsOf(
        primary,
        'select active, safe_wal_size is not null as bounded from pg_replication_slots where slot_name = $1',
        [slot],
      );
    expect(await slots()).toEqual([{ active: true, bounded: true }]);
    await replica.kill();
    await expect.poll(slots).toEqual([{ active: false, bounded: true }]);
  });

  it('is disposed of when its primary is gone', async () => {
    await using other = await startTestPostgres();
    await using replica = await startTestReplica(other);
    await other.kill();
    await replica[Symbol.asyncDispose]();
    expect(replica.processIds()).toEqual([]);
  });

  it('says why it cannot follow its primary', async () => {
    await expect(startTestReplica(primary, { max_connections: 10 })).rejects.toMatchObject({
      code: 'SERVICE_DID_NOT_START',
      message: expect.stringContaining('max_connections'),
    });
  });
});
