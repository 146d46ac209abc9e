import type { App, AppStep, AppUser } from '../core/app.ts';
import type { SettingValue } from '../core/tier.ts';
import { parseIn } from '../core/units.ts';
import { isWhole, shown, whole } from './setting-forms.ts';

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
    reserved: ['HOST', 'DATABASE_PREPARED_STATEMENTS'],
    defaults: { DATABASE_POOL_MAX: 10, INSTANCES: 1, BCRYPT_COST: 10 },
    problem,
    port: 'PORT',
    lostBehindPooler: { DATABASE_STATEMENT_TIMEOUT_MS: 'query_timeout (in seconds)' },
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
    { name: 'users', variable: 'SEED_USERS', default: 1000 },
    { name: 'tasksPerUser', variable: 'SEED_TASKS_PER_USER', default: 1000 },
    { name: 'seed', variable: 'SEED', default: 1 },
  ],
  seed(databaseUrl, { users, tasksPerUser, seed }, password, settings) {
    const options = ['--users', users, '--tasks-per-user', tasksPerUser, '--seed', seed];
    const base = step('seed', options.map(String), databaseUrl);
    return {
      ...base,
      environment: { BCRYPT_COST: String(settings.BCRYPT_COST ?? referenceApp.settings.defaults.BCRYPT_COST) },
      secretEnvironment: { ...base.secretEnvironment, SEED_PASSWORD: password },
    };
  },
  users: (count, password) => Array.from({ length: count }, (_, index) => referenceUser(index, password)),
};

/** The user with that index, from 0, as seeding makes it. */
export function referenceUser(index: number, password: string): AppUser {
  return { index, email: referenceEmail(index + 1), password };
}

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

function problem(name: string, value: SettingValue): { readonly what: string; readonly nextStep: string } | undefined {
  const end = /_(MS|S|BYTES)$/u.exec(name)?.[1] as keyof typeof units | undefined;
  if (end === undefined || isWhole(value)) return undefined;
  const { unit, plural, perUnit } = units[end];
  const parsed = parseIn(String(value), unit);
  const meant = 'value' in parsed ? Number((parsed.value * perUnit).toPrecision(15)) : undefined;
  return {
    what: `is ${shown(value)}, but must be a whole number of ${plural}`,
    nextStep:
      meant !== undefined && isWhole(meant) ? `Write ${meant}.` : 'Write the number alone: the name says its unit.',
  };
}
