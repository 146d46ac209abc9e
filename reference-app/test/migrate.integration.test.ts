import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from '../migrate.ts';
import { emptyDatabases, query } from './postgres.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', 'migrate.ts');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'migrations-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function emptyDatabase(): Promise<string> {
  const [url = ''] = await emptyDatabases(1);
  return url;
}

async function folderWith(files: Record<string, string>): Promise<string> {
  const created = await mkdtemp(join(folder, 'set-'));
  for (const [name, sql] of Object.entries(files)) await writeFile(join(created, name), sql);
  return created;
}

it('applies what is missing in order, and then nothing', async () => {
  const url = await emptyDatabase();
  expect(await migrate(url)).toEqual(['001_auth.sql', '002_tasks.sql', '003_revoked_sessions.sql']);
  expect(await migrate(url)).toEqual([]);
  const { rows: recorded } = await query(
    url,
    'select name, length(checksum) as length from schema_migrations order by name',
  );
  expect(recorded).toEqual([
    { name: '001_auth.sql', length: 64 },
    { name: '002_tasks.sql', length: 64 },
    { name: '003_revoked_sessions.sql', length: 64 },
  ]);
});

it('applies each migration once when five run at the same time', async () => {
  const url = await emptyDatabase();
  const applied = await Promise.all([1, 2, 3, 4, 5].map(() => migrate(url)));
  expect(applied.flat().sort()).toEqual(['001_auth.sql', '002_tasks.sql', '003_revoked_sessions.sql']);
});

it('refuses applied files that changed or are gone, and applies nothing new then', async () => {
  const url = await emptyDatabase();
  const first = { '001_a.sql': 'create table a ();', '002_b.sql': 'create table b ();' };
  await migrate(url, await folderWith(first));
  const changed = await folderWith({ '001_a.sql': 'create table a (id int);', '003_c.sql': 'create table c ();' });
  await expect(migrate(url, changed)).rejects.toThrow(
    '001_a.sql has changed since it was applied; 002_b.sql was applied to this database, but the file is gone',
  );
  expect((await query(url, "select to_regclass('c') as c")).rows).toEqual([{ c: null }]);
});

it('applies nothing of a file that fails, keeps those before it, and goes on once it is mended', async () => {
  const url = await emptyDatabase();
  const valid = { '001_a.sql': 'create table a ();' };
  const broken = await folderWith({ ...valid, '002_b.sql': 'create table b ();\nselect nonsense;' });
  await expect(migrate(url, broken)).rejects.toThrow('002_b.sql: column "nonsense" does not exist');
  const tables = "select to_regclass('a')::text as a, to_regclass('b')::text as b";
  expect((await query(url, tables)).rows).toEqual([{ a: 'a', b: null }]);
  expect(await migrate(url, await folderWith({ ...valid, '002_b.sql': 'create table b ();' }))).toEqual(['002_b.sql']);
});

it('refuses a file whose place in the order its name does not give', async () => {
  const url = await emptyDatabase();
  await expect(migrate(url, await folderWith({ 'tasks.sql': '' }))).rejects.toThrow('tasks.sql');
});

it('needs no extension, which a host might not offer', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  expect((await query(url, 'select extname from pg_extension')).rows).toEqual([{ extname: 'plpgsql' }]);
});

it.each([
  ['no address', {}, 'migrate: DATABASE_URL is not set'],
  ['a refused connection', { DATABASE_URL: 'postgres://me:pass-word@localhost:1/none' }, 'ECONNREFUSED'],
])('says in one line what is wrong and ends with 1: %s', async (_what, environment, message) => {
  const failed = run(process.execPath, [program], { env: environment }).catch((error) => error);
  const { code, stderr } = await failed;
  expect(code).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).not.toContain('pass-word');
});

it('prints what it applied', async () => {
  const url = await emptyDatabase();
  const { stdout } = await run(process.execPath, [program], { env: { DATABASE_URL: url } });
  expect(stdout).toBe('applied 001_auth.sql\napplied 002_tasks.sql\napplied 003_revoked_sessions.sql\n');
});
