import type { App, AppStep, AppUser, DataValues } from '../core/app.ts';
import { nearestWord } from '../core/closest-match.ts';
import type { SettingValue } from '../core/tier.ts';
import { plainNumber } from '../core/tier-setting.ts';
import { parseIn } from '../core/units.ts';
import { isWhole, shown, whole } from './setting-forms.ts';

/** What a tier may set: the options of reference-app/options.ts, and two variables of Node. A test holds them together. */
const names = `
  NODE_ENV PORT INSTANCES LOG_LEVEL TRUST_PROXY CORS_ORIGINS BODY_LIMIT_BYTES HEADER_LIMIT_BYTES REQUEST_TIMEOUT_MS
  KEEP_ALIVE_TIMEOUT_MS SHUTDOWN_DELAY_MS SHUTDOWN_TIMEOUT_MS DATABASE_READER_TIMEOUT_MS DATABASE_READER_RETRY_MS
  WRITE_POSITION_TTL_S DATABASE_POOL_MAX DATABASE_POOL_MIN DATABASE_IDLE_TIMEOUT_MS DATABASE_CONNECT_TIMEOUT_MS
  DATABASE_STATEMENT_TIMEOUT_MS DATABASE_QUERY_TIMEOUT_MS REDIS_TIMEOUT_MS CACHE_TTL_TASKS_LIST_S CACHE_TTL_ME_S
  CACHE_TTL_TASK_STATS_S CACHE_TTL_USER_BY_ID_S CACHE_TTL_SESSIONS_S BLACKLIST_STORE ACCESS_TOKEN_TTL_S
  REFRESH_TOKEN_TTL_S VERIFY_EMAIL_TTL_S RESET_PASSWORD_TTL_S CLEANUP_INTERVAL_S BCRYPT_COST
  PASSWORD_HASH_CONCURRENCY PASSWORD_HASH_QUEUE_MAX RATE_LIMIT RATE_LIMIT_STORE RATE_LIMIT_GENERAL RATE_LIMIT_AUTH
  RATE_LIMIT_SIGNED_IN RATE_LIMIT_NOT_SIGNED_IN RATE_LIMIT_EMAIL UV_THREADPOOL_SIZE NODE_OPTIONS
`
  .trim()
  .split(/\s+/u);

/** The app that ships with tierbench (reference-app/). */
export const referenceApp: App = {
  name: 'reference-app',
  folder: 'reference-app',
  image: 'tierbench/reference-app',
  script: 'server',
  port: 3000,
  readyPath: '/ready',
  metricsPath: '/metrics',
  roles: {
    writer: { protocol: 'postgres', variable: 'DATABASE_URL', required: true, not: { replica: 'it only reads' } },
    reader: {
      protocol: 'postgres',
      variable: 'DATABASE_READER_URL',
      required: false,
      not: { primary: 'the writer reads there already' },
    },
    cache: { protocol: 'redis', variable: 'REDIS_URL', required: false },
  },
  dataRole: 'writer',
  secrets: ['JWT_SECRET'],
  listen: (host, port) => ({ HOST: host, PORT: String(port) }),
  withoutPreparedStatements: { DATABASE_PREPARED_STATEMENTS: 'off' },
  settings: {
    names,
    reserved: ['HOST', 'DATABASE_PREPARED_STATEMENTS'],
    defaults: { DATABASE_POOL_MAX: 10, INSTANCES: 1, BCRYPT_COST: 10 },
    problem,
    port: 'PORT',
    inUnit,
    session: { DATABASE_STATEMENT_TIMEOUT_MS: 'statement_timeout' },
    shown: ['DATABASE_POOL_MAX', 'BCRYPT_COST'],
  },
  connections(settings) {
    const { defaults } = referenceApp.settings;
    const copies = whole(settings.INSTANCES, defaults.INSTANCES);
    const pool = whole(settings.DATABASE_POOL_MAX, defaults.DATABASE_POOL_MAX);
    // /ready asks each database over a connection of its own.
    return copies === undefined || pool === undefined ? undefined : { copies, each: [pool, 1] };
  },
  migrate: (databaseUrl) => step('migrate', [], databaseUrl),
  data: [
    {
      name: 'userCount',
      what: 'users in the database',
      counts: 'users',
      variable: 'SEED_USERS',
      default: 1000,
      least: 1,
      most: 1_000_000,
    },
    {
      name: 'tasksPerUser',
      what: 'tasks of each user',
      variable: 'SEED_TASKS_PER_USER',
      default: 1000,
      quick: 100,
      least: 0,
      most: 100_000,
    },
    { name: 'seed', what: 'seed of the data', variable: 'SEED', default: 1, least: 0, most: 4_294_967_295 },
  ],
  amounts: ({ userCount = 0, tasksPerUser = 0 }) => ({ users: userCount, tasks: userCount * tasksPerUser }),
  seed(databaseUrl, { userCount = 0, tasksPerUser = 0, seed = 1 }, password, settings) {
    const options = ['--users', userCount, '--tasks-per-user', tasksPerUser, '--seed', seed];
    const base = step('seed', options.map(String), databaseUrl);
    return {
      ...base,
      environment: { BCRYPT_COST: String(settings.BCRYPT_COST ?? referenceApp.settings.defaults.BCRYPT_COST) },
      secretEnvironment: { ...base.secretEnvironment, SEED_PASSWORD: password },
    };
  },
  users: ({ userCount = 0 }: DataValues, password) =>
    Array.from({ length: userCount }, (_, index): AppUser => ({ index, email: referenceEmail(index + 1), password })),
  pagePath: '/docs',
  example: (baseUrl, { email, password }) => [
    '# Sign in, then list tasks:',
    `TOKEN=$(curl -s ${baseUrl}/api/auth/login -H 'content-type: application/json' \\`,
    `  -d '${JSON.stringify({ email, password })}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')`,
    `curl -s "${baseUrl}/api/tasks?limit=3" -H "authorization: Bearer $TOKEN"`,
  ],
};

/** Of the user with that number, from 1, or with an expression in a script that yields it. */
export function referenceEmail(number: number | string): string {
  return `user-${number}@bench.example`;
}

function step(script: string, options: readonly string[], databaseUrl: string): AppStep {
  return {
    name: script,
    script,
    arguments: options,
    environment: {},
    secretEnvironment: { DATABASE_URL: databaseUrl },
  };
}

/** The options say their unit in their name. */
const units = {
  MS: { unit: 's', plural: 'milliseconds', perUnit: 1000 },
  S: { unit: 's', plural: 'seconds', perUnit: 1 },
  BYTES: { unit: 'bytes', plural: 'bytes', perUnit: 1 },
} as const;

function unitOf(name: string): (typeof units)[keyof typeof units] | undefined {
  const end = /_(MS|S|BYTES)$/u.exec(name)?.[1];
  return end === undefined ? undefined : units[end as keyof typeof units];
}

function problem(name: string, value: SettingValue): ReturnType<App['settings']['problem']> {
  // A name of another form is a problem already.
  if (/^[\w.-]+$/u.test(name) && !names.includes(name)) {
    const near = nearestWord(name, names);
    const nextStep = near === undefined ? 'The options are in reference-app/README.md.' : `Did you mean '${near}'?`;
    return { part: 'key', what: 'is no option of the app', nextStep };
  }
  const form = unitOf(name);
  if (form === undefined || isWhole(value)) return undefined;
  const { unit, plural, perUnit } = form;
  const parsed = parseIn(String(value), unit);
  const meant = 'value' in parsed ? Number((parsed.value * perUnit).toPrecision(15)) : undefined;
  return {
    what: `is ${shown(value)}, but must be a whole number of ${plural}`,
    nextStep:
      meant !== undefined && isWhole(meant) ? `Write ${meant}.` : 'Write the number alone: the name says its unit.',
  };
}

const secondsIn = { s: 1, m: 60, h: 3600 } as const;

/** `100/15m` is a number of requests and their window. */
function inUnit(name: string, value: SettingValue, unit: string): number | null {
  const [, requests, length, window] = /^(\d+)\/(\d+)([smh])$/u.exec(String(value)) ?? [];
  if (window !== undefined) {
    const windowS = Number(length) * secondsIn[window as keyof typeof secondsIn];
    return unit === 'requests' ? Number(requests) : unit === 's' ? windowS : null;
  }
  const number = plainNumber(value);
  return number === null ? null : number / (unitOf(name)?.perUnit ?? 1);
}
