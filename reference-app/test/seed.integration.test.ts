import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { verify } from '@node-rs/bcrypt';
import { beforeAll, expect, it } from 'vitest';
import { migrate } from '../migrate.ts';
import { type SeedOptions, seed } from '../seed.ts';
import { emptyDatabases, query } from './postgres.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', 'seed.ts');
const options: SeedOptions = { users: 7, tasksPerUser: 30, seed: 1, password: 'a fine password', bcryptCost: 4 };

beforeAll(async () => {});

async function migratedDatabases(count: number): Promise<string[]> {
  const urls = await emptyDatabases(count);
  for (const url of urls) await migrate(url);
  return urls;
}

async function checksums(url: string): Promise<unknown> {
  const { rows } = await query(
    url,
    `select (select md5(string_agg(t::text, chr(10) order by id)) from tasks t) as tasks,
            (select md5(string_agg((to_jsonb(u) - 'password_hash')::text, chr(10) order by id)) from users u) as users`,
  );
  return rows;
}

const schemaOf = `
  select pg_get_indexdef(indexrelid) as definition from pg_index where indrelid = 'tasks'::regclass
  union all select conname || pg_get_constraintdef(oid) from pg_constraint where conrelid = 'tasks'::regclass
  order by 1`;

it('gives the same rows for the same seed, and others for another', async () => {
  const [one = '', two = '', three = ''] = await migratedDatabases(3);
  await seed(one, options);
  await seed(two, options);
  await seed(three, { ...options, seed: 2 });
  expect(await checksums(one)).toEqual(await checksums(two));
  expect(await checksums(one)).not.toEqual(await checksums(three));
});

it('gives every user the same number of tasks, and everybody one hash of the password', async () => {
  const [url = ''] = await migratedDatabases(1);
  expect(await seed(url, options)).toEqual({ users: 8, tasks: 210 });
  const counts = 'select distinct count(*)::int as tasks from tasks group by user_id';
  expect((await query(url, counts)).rows).toEqual([{ tasks: 30 }]);
  const { rows: users } = await query(
    url,
    'select email, role, password_hash, email_verified_at from users order by id',
  );
  expect(users.map(({ email, role }) => [email, role])).toEqual([
    ...[1, 2, 3, 4, 5, 6, 7].map((number) => [`user-${number}@bench.example`, 'user']),
    ['admin@bench.example', 'admin'],
  ]);
  const hashes = [...new Set(users.map((user) => String(user.password_hash)))];
  expect(hashes).toHaveLength(1);
  expect(await verify(options.password, hashes[0] ?? '')).toBe(true);
  expect(users.every((user) => user.email_verified_at !== null)).toBe(true);
});

it('leaves the schema as it was, and room for the next id', async () => {
  const [url = ''] = await migratedDatabases(1);
  const { rows: before } = await query(url, schemaOf);
  await seed(url, options);
  expect((await query(url, schemaOf)).rows).toEqual(before);
  await expect(query(url, "insert into tasks (user_id, title) values (99, 'x')")).rejects.toThrow('foreign key');
  const { rows: next } = await query(
    url,
    "insert into users (email, password_hash, name) values ('a@b.c', '', '') returning id",
  );
  expect(next).toEqual([{ id: '9' }]);
});

it('refuses a database that has users, unless it may replace them', async () => {
  const [url = '', other = ''] = await migratedDatabases(2);
  await query(url, "insert into users (email, password_hash, name) values ('a@b.c', '', '')");
  await expect(seed(url, options)).rejects.toThrow('--replace');
  expect((await query(url, 'select email from users')).rows).toEqual([{ email: 'a@b.c' }]);
  await seed(url, { ...options, replace: true });
  await seed(other, options);
  expect(await checksums(url)).toEqual(await checksums(other));
});

it('names every invalid option at once, and an unmigrated database', async () => {
  const [url = ''] = await emptyDatabases(1);
  const invalid = { users: 0, tasksPerUser: -1, seed: 1.5, password: 'short', bcryptCost: 3 };
  await expect(seed(url, invalid)).rejects.toThrow(/users.*tasks per user.*seed.*bcrypt cost.*password/);
  await expect(seed(url, options)).rejects.toThrow('run migrate.ts first');
});

it('works from the command line', async () => {
  const [url = ''] = await migratedDatabases(1);
  const flags = [program, '--users', '2', '--tasks-per-user', '3', '--seed', '5'];
  const environment = { DATABASE_URL: url, SEED_PASSWORD: options.password, BCRYPT_COST: '4' };
  const { stdout } = await run(process.execPath, flags, { env: environment });
  expect(stdout).toMatch(/^seeded 3 users and 6 tasks in [\d.]+ s\n$/);
  const { rows: hashes } = await query(url, 'select password_hash from users limit 1');
  expect(hashes[0]?.password_hash).toMatch(/^\$2b\$04\$/);
});

it.each([
  [[], {}, 'seed: not set in the environment: DATABASE_URL, SEED_PASSWORD'],
  [['--userz', '2'], {}, "Unknown option '--userz'"],
  [['--users', 'two'], { DATABASE_URL: 'postgres://127.0.0.1:1/x', SEED_PASSWORD: 'long enough' }, 'users must be'],
])('says in one line what is wrong and ends with 1: %j', async (flags, environment, message) => {
  const { code, stderr } = await run(process.execPath, [program, ...flags], { env: environment }).catch(
    (error) => error,
  );
  expect(code).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
