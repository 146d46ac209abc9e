import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { hash } from '@node-rs/bcrypt';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { describeError } from './migrate.ts';
import { passwordProblem } from './plugins/passwords.ts';
import { taskRows, userRows } from './seed-rows.ts';

export interface SeedOptions {
  /** At least 1; `user-1@bench.example` to `user-N@bench.example`, and `admin@bench.example` beside them. */
  readonly users: number;
  readonly tasksPerUser: number;
  /** The same seed gives the same rows, apart from the salt of the password hash. */
  readonly seed: number;
  /** Everybody's; 8 to 72 bytes. All users share one hash of it: a thousand of their own would take a minute. */
  readonly password: string;
  /** 4 to 31. */
  readonly bcryptCost: number;
  /** Removes all users and what belongs to them first. */
  readonly replace?: boolean;
}

export interface Seeded {
  readonly users: number;
  readonly tasks: number;
}

/** Fills a migrated database that has no users yet, all or nothing. */
export async function seed(databaseUrl: string, options: SeedOptions): Promise<Seeded> {
  refuseInvalid(options);
  const passwordHash = await hash(options.password, options.bcryptCost);
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'seed' });
  // A lost connection also fails the query in progress; without a listener it would end the process first.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('begin');
    await refuseUnlessEmpty(client, options.replace ?? false);
    await fill(client, options, passwordHash);
    await client.query('commit');
    // VACUUM sets the visibility map, without which no scan is index-only; ANALYZE lets the planner know the rows.
    await client.query('vacuum (analyze) users, tasks');
    return { users: options.users + 1, tasks: options.users * options.tasksPerUser };
  } finally {
    // Ending the connection rolls back what is not committed.
    await client.end().catch(() => {});
  }
}

function refuseInvalid(options: SeedOptions): void {
  const problems: string[] = [];
  const whole = (name: string, value: number, least: number, most: number): void => {
    if (!Number.isInteger(value) || value < least || value > most) {
      problems.push(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
    }
  };
  whole('users', options.users, 1, 10_000_000);
  whole('tasks per user', options.tasksPerUser, 0, 1_000_000);
  whole('seed', options.seed, 0, 2 ** 32 - 1);
  whole('bcrypt cost', options.bcryptCost, 4, 31);
  const problem = options.password.length < 8 ? 'has fewer than 8 characters' : passwordProblem(options.password);
  if (problem !== undefined) problems.push(`the password ${problem}`);
  if (problems.length > 0) throw new Error(problems.join('; '));
}

async function refuseUnlessEmpty(client: pg.Client, replace: boolean): Promise<void> {
  const { rows } = await client.query(
    "select to_regclass('users') is not null and to_regclass('tasks') is not null as ok",
  );
  if (!rows[0].ok) throw new Error('the database has no tables of this app; run migrate.ts first');
  await client.query('lock table users, tasks in access exclusive mode');
  const existing = await client.query('select exists (select from users) as found');
  if (existing.rows[0].found && !replace) {
    throw new Error('the database already has users; --replace removes them and all that belongs to them');
  }
  // Also when empty: COPY may then write rows that need no freezing later.
  await client.query('truncate users, tasks restart identity cascade');
}

/** Checking foreign keys and keeping indexes up to date row by row takes several times as long as once for all. */
async function fill(client: pg.Client, options: SeedOptions, passwordHash: string): Promise<void> {
  const { users, tasksPerUser } = options;
  await client.query("set local maintenance_work_mem = '256MB'");
  const indexes = await client.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
     from pg_index where indrelid = 'tasks'::regclass and not indisunique order by 1`,
  );
  const foreignKeys = await client.query<{ name: string; definition: string }>(
    `select quote_ident(conname) as name, pg_get_constraintdef(oid) as definition
     from pg_constraint where conrelid = 'tasks'::regclass and contype = 'f' order by 1`,
  );
  for (const { name } of indexes.rows) await client.query(`drop index ${name}`);
  for (const { name } of foreignKeys.rows) await client.query(`alter table tasks drop constraint ${name}`);

  await copy(
    client,
    'users (id, email, password_hash, name, role, email_verified_at, created_at, updated_at)',
    userRows(users, passwordHash),
  );
  await copy(
    client,
    'tasks (id, user_id, title, description, status, priority, due_at, created_at, updated_at)',
    taskRows(users, tasksPerUser, options.seed),
  );

  for (const { name, definition } of foreignKeys.rows) {
    await client.query(`alter table tasks add constraint ${name} ${definition}`);
  }
  for (const { definition } of indexes.rows) await client.query(definition);
  for (const table of ['users', 'tasks']) {
    await client.query(
      `select setval(pg_get_serial_sequence($1, 'id'), coalesce((select max(id) from ${table}), 0) + 1, false)`,
      [table],
    );
  }
}

async function copy(client: pg.Client, target: string, rows: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(inBlocks(rows)), client.query(copyFrom(`copy ${target} from stdin with (freeze)`)));
}

function* inBlocks(rows: Iterable<string>): Generator<Buffer> {
  let block = '';
  for (const row of rows) {
    block += row;
    if (block.length >= 65_536) {
      yield Buffer.from(block);
      block = '';
    }
  }
  if (block !== '') yield Buffer.from(block);
}

const USAGE = `usage: node seed.ts [--users N] [--tasks-per-user N] [--seed N] [--replace]
  --users N            users besides the administrator (default 1000)
  --tasks-per-user N   tasks of each user (default 1000)
  --seed N             the same seed gives the same rows (default 1)
  --replace            remove all users and what belongs to them first
environment: DATABASE_URL, SEED_PASSWORD (everybody's password), BCRYPT_COST (default 10)`;

function readCommandLine(): { databaseUrl: string; options: SeedOptions } | undefined {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '1000' },
      'tasks-per-user': { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      replace: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { DATABASE_URL: databaseUrl = '', SEED_PASSWORD: password = '', BCRYPT_COST: cost = '10' } = process.env;
  const missing = [databaseUrl === '' && 'DATABASE_URL', password === '' && 'SEED_PASSWORD'].filter(Boolean);
  if (missing.length > 0) throw new Error(`not set in the environment: ${missing.join(', ')} (see --help)`);
  return {
    databaseUrl,
    options: {
      users: wholeNumber(values.users),
      tasksPerUser: wholeNumber(values['tasks-per-user']),
      seed: wholeNumber(values.seed),
      password,
      bcryptCost: wholeNumber(cost),
      replace: values.replace,
    },
  };
}

function wholeNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

if (import.meta.main) {
  try {
    const command = readCommandLine();
    if (command === undefined) console.log(USAGE);
    else {
      const started = performance.now();
      const { users, tasks } = await seed(command.databaseUrl, command.options);
      console.log(`seeded ${users} users and ${tasks} tasks in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    }
  } catch (error) {
    console.error(`seed: ${describeError(error)}`);
    process.exitCode = 1;
  }
}
