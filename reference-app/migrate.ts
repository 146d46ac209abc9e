import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** One key for every version of this app: two migrations of the same database never run at the same time. */
const ADVISORY_LOCK_KEY = 7_305_116_201;

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/**
 * Applies the files of migrations/ that the database does not have yet, in the order of their names, each in its own
 * transaction, and returns the names of those it applied. Running it several times at once is safe.
 * Throws when an applied file has changed since or is gone: the database then no longer is what the files say.
 */
export async function migrate(
  databaseUrl: string,
  folder: string = join(import.meta.dirname, 'migrations'),
): Promise<readonly string[]> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'migrate' });
  // A lost connection also fails the query in progress; without a listener it would end the process first.
  client.on('error', () => {});
  await client.connect();
  try {
    const applied: string[] = [];
    while (true) {
      const name = await applyNext(client, migrations);
      if (name === undefined) return applied;
      applied.push(name);
    }
  } finally {
    await client.end().catch(() => {});
  }
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const misnamed = names.filter((name) => !/^\d{3}_[a-z0-9_]+\.sql$/.test(name));
  if (misnamed.length > 0) throw new Error(`migrations must be named like 001_auth.sql: ${misnamed.join(', ')}`);
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * The lock belongs to the transaction, not to the session: it cannot outlive a failure, and it holds behind a
 * connection pooler in transaction mode too.
 */
async function applyNext(client: pg.Client, migrations: readonly Migration[]): Promise<string | undefined> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCK_KEY]);
    await client.query(
      `create table if not exists schema_migrations (
         name text primary key,
         checksum text not null,
         applied_at timestamptz not null default now()
       )`,
    );
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'select name, checksum from schema_migrations',
    );
    const applied = new Map(rows.map((row) => [row.name, row.checksum]));
    refuseDifferentHistory(applied, migrations);
    const next = migrations.find((migration) => !applied.has(migration.name));
    if (next !== undefined) await apply(client, next);
    await client.query('commit');
    return next?.name;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query(migration.sql);
  } catch (cause) {
    throw new Error(`${migration.name}: ${describeError(cause)}; nothing of it was applied`, { cause });
  }
  await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
    migration.name,
    migration.checksum,
  ]);
}

function refuseDifferentHistory(applied: ReadonlyMap<string, string>, migrations: readonly Migration[]): void {
  const files = new Map(migrations.map((migration) => [migration.name, migration.checksum]));
  const problems = [...applied].flatMap(([name, checksum]) => {
    if (!files.has(name)) return [`${name} was applied to this database, but the file is gone`];
    if (files.get(name) !== checksum) return [`${name} has changed since it was applied`];
    return [];
  });
  if (problems.length > 0) {
    throw new Error(`${problems.join('; ')}; restore it, and put changes into a new migration`);
  }
}

/** One line, also for a refused connection, whose own message is empty where a name has several addresses. */
export function describeError(error: unknown): string {
  const inner = error instanceof AggregateError && error.message === '' ? error.errors[0] : error;
  return (inner instanceof Error ? inner.message : String(inner)).replaceAll(/\s*\n\s*/g, ' ');
}

if (import.meta.main) {
  const databaseUrl = process.env.DATABASE_URL;
  try {
    if (databaseUrl === undefined || databaseUrl === '') {
      throw new Error('DATABASE_URL is not set; give it as postgres://user:password@host:5432/database');
    }
    const applied = await migrate(databaseUrl);
    for (const name of applied) console.log(`applied ${name}`);
    if (applied.length === 0) console.log('nothing to apply');
  } catch (error) {
    console.error(`migrate: ${describeError(error)}`);
    process.exitCode = 1;
  }
}
