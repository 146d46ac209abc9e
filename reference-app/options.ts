import { z } from 'zod';

/** One environment variable the app reads. `expects` completes "NAME must be ...". */
export interface Option<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly expects: string;
  readonly means: string;
  /** Its value is never shown. */
  readonly secret?: true;
}

function option<Schema extends z.ZodType>(schema: Schema, expects: string, means: string): Option<Schema> {
  return { schema, expects, means };
}

function secretOption<Schema extends z.ZodType>(schema: Schema, expects: string, means: string): Option<Schema> {
  return { schema, expects, means, secret: true };
}

function wholeNumber(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum));
}

function numberOption(minimum: number, maximum: number, fallback: number, means: string) {
  return option(
    wholeNumber(minimum, maximum).default(fallback),
    `a whole number from ${minimum} to ${maximum}`,
    `${means} Default ${fallback}.`,
  );
}

function url(...protocols: string[]) {
  return z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol));
}

export interface Limit {
  readonly requests: number;
  readonly windowS: number;
}

const limitText = /^(\d{1,9})\/(\d{1,5})(s|m|h)$/;
const unitS = { s: 1, m: 60, h: 3600 } as const;

function parseLimit(text: string, context: z.RefinementCtx): Limit | 'off' {
  if (text === 'off') return 'off';
  const match = limitText.exec(text);
  const requests = Number(match?.[1]);
  const windowS = Number(match?.[2]) * unitS[(match?.[3] ?? 's') as keyof typeof unitS];
  if (match !== null && requests > 0 && windowS > 0) return { requests, windowS };
  context.addIssue({ code: 'custom', message: 'not a limit' });
  return z.NEVER;
}

function limitOption(fallback: string, means: string) {
  return option(
    z.string().default(fallback).transform(parseLimit),
    'requests per time such as 100/15m (s, m or h), or off',
    `${means} Default ${fallback}.`,
  );
}

const onOff = z.enum(['on', 'off']);
const hour = 3_600_000;

/** Every option, by the name of its environment variable. An empty variable counts as absent. */
export const options = {
  NODE_ENV: option(
    z.enum(['production', 'development', 'test']).default('development'),
    'production, development or test',
    'In production a JWT_SECRET is required and cookies are sent over HTTPS only. Default development.',
  ),
  HOST: option(z.string().default('127.0.0.1'), 'an address', 'Address to listen on. Default 127.0.0.1.'),
  PORT: numberOption(0, 65_535, 3000, 'Port to listen on; 0 takes a free one.'),
  INSTANCES: numberOption(1, 256, 1, 'Processes that share the port.'),
  LOG_LEVEL: option(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('warn'),
    'trace, debug, info, warn, error, fatal or silent',
    'From info on each request is logged. Default warn.',
  ),
  TRUST_PROXY: option(
    z.string().default('off'),
    'off, or addresses and networks separated by commas such as 10.0.0.0/8,loopback',
    'Proxies whose X-Forwarded-For is believed; a mere count of them would let a direct caller forge it. Default off.',
  ),
  CORS_ORIGINS: option(
    z
      .string()
      .default('')
      .transform((text) => text.split(',').map((origin) => origin.trim()))
      .transform((origins) => origins.filter((origin) => origin !== ''))
      .refine((origins) => origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin)),
    'origins such as https://app.example.com separated by commas, each without path and *',
    'Web origins that may call the API with credentials. Default none.',
  ),
  BODY_LIMIT_BYTES: numberOption(1024, 10_485_760, 102_400, 'Largest request body.'),
  HEADER_LIMIT_BYTES: numberOption(1024, 131_072, 16_384, 'Largest request head, cookies included.'),
  REQUEST_TIMEOUT_MS: numberOption(1000, hour, 30_000, 'Time a client has to send a whole request.'),
  KEEP_ALIVE_TIMEOUT_MS: numberOption(
    0,
    hour,
    72_000,
    'Idle time before a kept connection is closed; longer than that of the load balancer before it.',
  ),
  SHUTDOWN_DELAY_MS: numberOption(
    0,
    hour,
    0,
    'After SIGTERM, time to go on serving with /ready at 503, so that a load balancer notices.',
  ),
  SHUTDOWN_TIMEOUT_MS: numberOption(100, hour, 10_000, 'Time requests in flight have to finish after SIGTERM.'),

  DATABASE_URL: secretOption(
    url('postgres:', 'postgresql:'),
    'a PostgreSQL address such as postgresql://user:password@127.0.0.1:5432/name',
    'The database that is written to. Required.',
  ),
  DATABASE_READER_URL: secretOption(
    url('postgres:', 'postgresql:').optional(),
    'a PostgreSQL address such as postgresql://user:password@127.0.0.1:5433/name',
    'A replica for reads that may be a moment old. Default: the writer.',
  ),
  DATABASE_READER_TIMEOUT_MS: numberOption(
    10,
    hour,
    1000,
    'Longest time a read is tried at the reader before the writer answers it.',
  ),
  DATABASE_READER_RETRY_MS: numberOption(
    10,
    hour,
    1000,
    'Time between looks whether a reader that failed is back; meanwhile the writer answers.',
  ),
  WRITE_POSITION_TTL_S: numberOption(
    1,
    86_400,
    300,
    'With a DATABASE_READER_URL, time after a write in which no older state is shown: more than the lag of the replica ever is.',
  ),
  DATABASE_PREPARED_STATEMENTS: option(
    onOff.default('on'),
    'on or off',
    'off sends each statement without a name, for PgBouncer before 1.21 in transaction mode. Default on.',
  ),
  DATABASE_POOL_MAX: numberOption(1, 1000, 10, 'Most connections of each pool, per instance.'),
  DATABASE_POOL_MIN: option(
    wholeNumber(0, 1000).optional(),
    'a whole number from 0 to 1000',
    'Connections a pool keeps when idle; at most DATABASE_POOL_MAX. Default 5, or DATABASE_POOL_MAX when that is less.',
  ),
  DATABASE_IDLE_TIMEOUT_MS: numberOption(
    0,
    hour,
    45_000,
    'Idle time after which a connection above the minimum closes.',
  ),
  DATABASE_CONNECT_TIMEOUT_MS: numberOption(
    1,
    hour,
    10_000,
    'Longest wait for a connection, in the queue of the pool or for the server; then 503.',
  ),
  DATABASE_STATEMENT_TIMEOUT_MS: numberOption(
    0,
    hour,
    0,
    'Time after which the server ends a statement, 0 for none. PgBouncer does not pass it on: set it on the role there.',
  ),
  DATABASE_QUERY_TIMEOUT_MS: option(
    wholeNumber(1, hour).optional(),
    `a whole number from 1 to ${hour}`,
    'Longest wait for the answer to a statement, of a silent server or pooler too; then 503. Default DATABASE_STATEMENT_TIMEOUT_MS and 1000 where that is set, else 10000.',
  ),

  REDIS_URL: secretOption(
    url('redis:', 'rediss:').optional(),
    'a Redis address such as redis://127.0.0.1:6379',
    'Turns the cache on. Default: no Redis.',
  ),
  REDIS_TIMEOUT_MS: numberOption(10, 60_000, 250, 'Longest wait for Redis before the app goes on without it.'),
  CACHE_TTL_TASKS_LIST_S: numberOption(0, 86_400, 300, 'Life of a cached list of tasks, 0 for not cached.'),
  CACHE_TTL_ME_S: numberOption(0, 86_400, 900, 'Life of a cached /api/auth/me, 0 for not cached.'),
  CACHE_TTL_TASK_STATS_S: numberOption(0, 86_400, 600, 'Life of cached task statistics, 0 for not cached.'),
  CACHE_TTL_USER_BY_ID_S: numberOption(0, 86_400, 3600, 'Life of a cached /api/users/:id, 0 for not cached.'),
  CACHE_TTL_SESSIONS_S: numberOption(0, 86_400, 900, 'Life of a cached list of sessions, 0 for not cached.'),
  BLACKLIST_STORE: option(
    z.enum(['memory', 'redis', 'database']).optional(),
    'memory, redis or database',
    'Where each request looks whether its token is revoked. memory serves one process only. Default redis with REDIS_URL, else memory with one instance, else database.',
  ),

  JWT_SECRET: secretOption(
    z.string().optional(),
    'at least 32 random characters (openssl rand -base64 48)',
    'Signs access tokens. Required in production; else a random one is made at each start.',
  ),
  ACCESS_TOKEN_TTL_S: numberOption(1, 86_400, 900, 'Life of an access token.'),
  REFRESH_TOKEN_TTL_S: numberOption(60, 31_536_000, 2_592_000, 'Life of a session that is not refreshed.'),
  VERIFY_EMAIL_TTL_S: numberOption(60, 2_592_000, 86_400, 'Life of a token that verifies an e-mail address.'),
  RESET_PASSWORD_TTL_S: numberOption(60, 86_400, 3600, 'Life of a token that resets a password.'),
  CLEANUP_INTERVAL_S: numberOption(0, 86_400, 600, 'Time between removals of what has expired, 0 for never.'),
  BCRYPT_COST: numberOption(4, 16, 10, 'Work factor of password hashes; each step doubles it.'),
  PASSWORD_HASH_CONCURRENCY: option(
    wholeNumber(1, 1024).optional(),
    'a whole number from 1 to 1024',
    'Password hashes at once. Default: the share of the cores of one instance, at most the thread pool (UV_THREADPOOL_SIZE).',
  ),
  PASSWORD_HASH_QUEUE_MAX: numberOption(0, 1_000_000, 1000, 'Password hashes that may wait; more are answered 503.'),

  RATE_LIMIT: option(onOff.default('on'), 'on or off', 'off turns every limit off. Default on.'),
  RATE_LIMIT_STORE: option(
    z.enum(['memory', 'redis']).optional(),
    'memory or redis',
    'Where requests are counted. memory counts per process. Default redis with REDIS_URL, else memory.',
  ),
  RATE_LIMIT_GENERAL: limitOption('100/15m', 'Requests to /api per IP address.'),
  RATE_LIMIT_AUTH: limitOption('5/15m', 'Failed requests to /api/auth, and all forgotten passwords, per IP address.'),
  RATE_LIMIT_SIGNED_IN: limitOption('100/1m', 'Requests to /api of one signed-in user.'),
  RATE_LIMIT_NOT_SIGNED_IN: limitOption('20/1m', 'Requests to /api per IP address without a valid access token.'),
  RATE_LIMIT_EMAIL: limitOption(
    '5/15m',
    'Failed logins and registrations, and all forgotten passwords, per e-mail address.',
  ),
} satisfies Record<string, Option>;

export type OptionName = keyof typeof options;
export type OptionValues = { [Name in OptionName]: z.output<(typeof options)[Name]['schema']> };
