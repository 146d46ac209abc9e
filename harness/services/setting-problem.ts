import { suggestion } from '../core/closest-match.ts';
import type { ServiceKind, SettingValue } from '../core/tier.ts';
import { parseIn } from '../core/units.ts';
import { nginxDefaults } from './load-balancer.ts';
import { nginxForms } from './nginx-forms.ts';

/** What is wrong with one setting of a service. */
export interface SettingProblem {
  readonly part: 'key' | 'value';
  /** After the name of the setting: `is set by tierbench itself`. */
  readonly what: string;
  readonly nextStep: string;
}

/**
 * What is wrong with a setting before any server sees it: tierbench sets it itself, nobody would read it, or its value
 * says no unit, the wrong one, or more than one value. What else a server does not know or take it says at its start.
 */
export function settingProblem(kind: ServiceKind, name: string, value: SettingValue): SettingProblem | undefined {
  if (setByTierbench[kind].includes(name)) {
    return { part: 'key', what: 'is set by tierbench itself', nextStep: 'Remove it: it differs from run to run.' };
  }
  switch (kind) {
    case 'api':
      return apiProblem(name, value);
    case 'load-balancer':
      return nginxProblem(name, value);
    case 'pooler':
      return pgbouncerProblem(name, value);
    case 'primary':
    case 'replica':
      return postgresProblem(name, value);
    case 'cache':
      return redisProblem(name, value);
  }
}

/** Addresses, files, and who is let in: what a deployment is made of. */
const postgresOwn = [
  ...['listen_addresses', 'unix_socket_directories', 'data_directory', 'config_file', 'hba_file', 'ident_file'],
  ...['primary_conninfo', 'primary_slot_name', 'hot_standby', 'external_pid_file'],
];
const setByTierbench: Readonly<Record<ServiceKind, readonly string[]>> = {
  api: ['HOST', 'DATABASE_URL', 'DATABASE_READER_URL', 'REDIS_URL', 'DATABASE_PREPARED_STATEMENTS'],
  'load-balancer': ['listen', 'upstream', 'server', 'proxy_pass', 'daemon', 'pid'],
  pooler: [
    ...['listen_addr', 'listen_port', 'unix_socket_dir', 'auth_type', 'auth_file', 'auth_hba_file', 'auth_user'],
    ...['auth_query', 'auth_dbname', 'admin_users', 'stats_users', 'logfile', 'pidfile', 'user', 'conffile'],
  ],
  primary: postgresOwn,
  replica: postgresOwn,
  cache: ['bind', 'port', 'tls-port', 'unixsocket', 'dir', 'daemonize', 'pidfile', 'logfile', 'include', 'replicaof'],
};

function apiProblem(name: string, value: SettingValue): SettingProblem | undefined {
  const end = /_(MS|S|BYTES)$/u.exec(name)?.[1] as keyof typeof apiUnits | undefined;
  if (end === undefined || isWhole(value)) return undefined;
  const { unit, words, perUnit } = apiUnits[end];
  const parsed = parseIn(String(value), unit);
  const meant = 'value' in parsed ? Number((parsed.value * perUnit).toPrecision(15)) : undefined;
  return wrongValue(
    `is ${shown(value)}, but must be a whole number of ${words}`,
    meant !== undefined && isWhole(meant) ? `Write ${meant}.` : 'Write the number alone: the name says its unit.',
  );
}

/** The options of the reference app say their unit in their name. */
const apiUnits = {
  MS: { unit: 's', words: 'milliseconds', perUnit: 1000 },
  S: { unit: 's', words: 'seconds', perUnit: 1 },
  BYTES: { unit: 'bytes', words: 'bytes', perUnit: 1 },
} as const;

function nginxProblem(name: string, value: SettingValue): SettingProblem | undefined {
  // Each is written into a template: one that is not in it would silently do nothing.
  if (!Object.hasOwn(nginxDefaults, name)) {
    const nextStep = suggestion(name, Object.keys(nginxDefaults));
    return { part: 'key', what: 'is no setting of a load balancer', nextStep };
  }
  const known = name as keyof typeof nginxDefaults;
  const { pattern, words } = nginxForms[known];
  return pattern.test(String(value))
    ? undefined
    : wrongValue(`is ${shown(value)}, but must be ${words}`, `Write for example ${nginxDefaults[known]}.`);
}

const pgbouncerCounts = /^(?:default|min|reserve)_pool_size$|^max_(?:client_conn|.*_connections|prepared_statements)$/u;
const pgbouncerTimes = /_(?:timeout|lifetime|delay|retry|period|ttl)$/u;

function pgbouncerProblem(name: string, value: SettingValue): SettingProblem | undefined {
  if (name === 'pool_mode') return poolModeProblem(value);
  if (pgbouncerCounts.test(name) && !isWhole(value)) {
    return wrongValue(`is ${shown(value)}, but must be a whole number`, 'Write the number alone.');
  }
  if (pgbouncerTimes.test(name) && !/^\d+(?:\.\d+)?$/u.test(String(value))) {
    const parsed = parseIn(String(value), 's');
    return wrongValue(
      `is ${shown(value)}, but PgBouncer takes a number of seconds without a unit`,
      'value' in parsed ? `Write ${parsed.value}.` : 'Write the number of seconds alone.',
    );
  }
  return undefined;
}

function poolModeProblem(value: SettingValue): SettingProblem | undefined {
  const modes = ['transaction', 'session'];
  if (value === 'statement') {
    return wrongValue('is statement, in which the transactions of the API fail', "Write 'transaction'.");
  }
  return modes.includes(String(value))
    ? undefined
    : wrongValue(`is ${shown(value)}, which is unknown`, suggestion(String(value), modes));
}

const postgresMemory =
  /^(?:shared_buffers|temp_buffers|.*work_mem|effective_cache_size|wal_buffers|logical_decoding_work_mem|m(?:ax|in)_wal_size|wal_keep_size|max_slot_wal_keep_size|.*_flush_after)$/u;
const postgresTimes = /(?:_timeout|(?<!^commit)_delay|_interval|_naptime|_min_duration(?:_.*)?)$/u;

function postgresProblem(name: string, value: SettingValue): SettingProblem | undefined {
  const text = String(value);
  // 0 and -1 mean none, the default, or no limit: they need no unit.
  if (text === '0' || text === '-1') return undefined;
  // PostgreSQL would count a bare number in pages of 8 kB for one setting and in kB for the next.
  if (postgresMemory.test(name) && !/^\d+(?:\.\d+)?\s?(?:B|kB|MB|GB|TB)$/u.test(text)) {
    return wrongValue(`is ${shown(value)}, but must be memory as PostgreSQL writes it`, 'Write for example 512MB.');
  }
  if (postgresTimes.test(name) && !/^\d+(?:\.\d+)?\s?(?:us|ms|s|min|h|d)$/u.test(text)) {
    return wrongValue(
      `is ${shown(value)}, but must be a time as PostgreSQL writes it`,
      'Write for example 500ms or 30s.',
    );
  }
  const counted = [
    'max_connections',
    'superuser_reserved_connections',
    'reserved_connections',
    'max_wal_senders',
    'port',
  ];
  return counted.includes(name) && !isWhole(value)
    ? wrongValue(`is ${shown(value)}, but must be a whole number`, 'Write the number alone.')
    : undefined;
}

function redisProblem(name: string, value: SettingValue): SettingProblem | undefined {
  const text = String(value);
  if (name === 'maxmemory' && text !== '0' && !/^\d+(?:kb|mb|gb)$/iu.test(text)) {
    return wrongValue(`is ${shown(value)}, but must be memory as Redis writes it`, 'Write for example 512mb.');
  }
  // Quotes join and spaces part the words of a line of redis.conf.
  return text === '' || (/["'\\]/u.test(text) && text !== '""')
    ? wrongValue(
        `is ${shown(value)}, which redis.conf cannot hold`,
        `Write '""' for an empty text, and no other quotes.`,
      )
    : undefined;
}

function wrongValue(what: string, nextStep: string): SettingProblem {
  return { part: 'value', what, nextStep };
}

function isWhole(value: SettingValue): boolean {
  return /^\d{1,15}$/u.test(String(value));
}

function shown(value: SettingValue): string {
  const text = String(value);
  return text.length > 40 ? `'${text.slice(0, 39)}…'` : `'${text}'`;
}
