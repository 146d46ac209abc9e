import { constants } from 'node:fs';
import { chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';

/**
 * A program in the place of pg_basebackup, which the npm package of PostgreSQL does not have: copies the data folder of a
 * server of this machine while it runs, in backup mode, and makes a standby of it. Takes those options of pg_basebackup
 * that a replica is made with, the password in PGPASSWORD, and whom the copy is to belong to.
 * See "Making a Base Backup Using the Low Level API" in PostgreSQL's manual.
 */

/** What a copy must not have of the server it was taken from, or makes anew. */
const leftOutFiles =
  /^(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp.*|backup_label|tablespace_map|(standby|recovery)\.signal)$/;
/** Of these only the folder. The log comes from the primary by streaming. */
const leftOutContents = new Set([
  ...['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans'],
]);

const { values } = parseArgs({
  options: {
    owner: { type: 'string' },
    pgdata: { type: 'string', default: '' },
    host: { type: 'string', default: '' },
    port: { type: 'string', default: '' },
    username: { type: 'string', default: '' },
    slot: { type: 'string', default: '' },
    'create-slot': { type: 'boolean' },
    'write-recovery-conf': { type: 'boolean' },
    'no-password': { type: 'boolean' },
    'no-sync': { type: 'boolean' },
    checkpoint: { type: 'string' },
    'wal-method': { type: 'string' },
  },
});
const { pgdata, host, port, username: user, slot } = values;
const [uid = -1, gid = -1] = (values.owner ?? '').split(':').filter(Boolean).map(Number);

async function own(path: string): Promise<void> {
  if (uid >= 0) await chown(path, uid, gid);
}

async function write(name: string, text: string): Promise<void> {
  const path = join(pgdata, name);
  await writeFile(path, text, { mode: 0o600 });
  await own(path);
}

/** Tablespaces are left out. */
async function copyFolder(from: string, to: string, isRoot: boolean): Promise<void> {
  await mkdir(to, { mode: 0o700, recursive: isRoot });
  await own(to);
  const entries = await readdir(from, { withFileTypes: true });
  for (const { name } of entries.filter((entry) => entry.isDirectory() && !leftOutFiles.test(entry.name))) {
    if (isRoot && leftOutContents.has(name)) {
      await mkdir(join(to, name), { mode: 0o700 });
      await own(join(to, name));
    } else await copyFolder(join(from, name), join(to, name), false);
  }
  const files = entries.filter((entry) => entry.isFile() && !leftOutFiles.test(entry.name));
  await Promise.all(
    files.map(async ({ name }) => {
      try {
        await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
        await own(join(to, name));
      } catch (error) {
        // A table that was dropped meanwhile: the log says so too.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }),
  );
}

// The connection stays open between the two steps: the server ends a backup whose connection is gone.
const client = new pg.Client({ host, port: Number(port), user, database: 'postgres', connectionTimeoutMillis: 10_000 });
await client.connect();
// From now on the primary keeps the log that the copy will ask for.
if (values['create-slot']) await client.query('select pg_create_physical_replication_slot($1, true)', [slot]);
await client.query("select pg_backup_start('tierbench', fast => true)");
const { rows } = await client.query<{ folder: string }>("select current_setting('data_directory') as folder");
await copyFolder(rows[0]?.folder ?? '', pgdata, true);
const stopped = await client.query<{ labelfile: string }>(
  'select labelfile from pg_backup_stop(wait_for_archive => false)',
);
await write('backup_label', stopped.rows[0]?.labelfile ?? '');
if (values['write-recovery-conf']) await write('standby.signal', '');
await client.end();
