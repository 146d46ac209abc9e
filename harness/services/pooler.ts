import { suggestion } from '../core/closest-match.ts';
import type { Service, SettingValue } from '../core/tier.ts';
import { parseIn } from '../core/units.ts';
import type { Address, Credentials } from './address.ts';
import type { Described, Opened, ServiceProblem, ServiceSpec, ServiceType, SpecContext } from './service-type.ts';
import { isWhole, shown, whole, wrongValue } from './setting-forms.ts';

const defaults = {
  default_pool_size: 20,
  reserve_pool_size: 0,
  max_db_connections: 0,
  max_client_conn: 100,
  pool_mode: 'session',
} as const;

/** PgBouncer. */
export const pooler: ServiceType = {
  kind: 'pooler',
  roles: () => ({ database: { protocol: 'postgres', required: true } }),
  offers: () => 'postgres',
  forwards: 'database',
  keepsFromSessions: { statement_timeout: 'query_timeout (in seconds)' },
  single: {
    why: 'the API knows one address of it, so that the others would idle',
    nextStep: 'Write 1; an API that outgrows it needs a pooler of its own.',
  },
  settings: {
    reserved: [
      ...['listen_addr', 'listen_port', 'unix_socket_dir', 'auth_type', 'auth_file', 'auth_hba_file', 'auth_user'],
      ...['auth_query', 'auth_dbname', 'admin_users', 'stats_users', 'logfile', 'pidfile', 'user', 'conffile'],
    ],
    defaults,
    problem,
  },
  ports: () => ({ main: 6432 }),
  connections: {
    opens,
    accepts({ settings }) {
      const limit = whole(settings.max_client_conn, defaults.max_client_conn);
      const nextStep = 'Raise max_client_conn, or make the pools that lead to it smaller.';
      return limit === undefined ? undefined : { setting: 'max_client_conn', limit, reserved: 0, nextStep };
    },
  },
  problems: preparedStatementsWithoutUse,
  spec,
  probes: [{ probe: 'pgbouncer', port: 'main', protocol: 'postgres', database: 'pgbouncer' }],
  resources: ['cpu-cores', 'main-thread', 'throttled', 'servers-active', 'clients-waiting', 'open-files'],
  shownSettings: ['pool_mode', 'default_pool_size', 'max_client_conn'],
  inspect: (url) => `psql '${url}' -c 'SHOW POOLS'`,
};

function spec(service: Service, at: SpecContext): ServiceSpec {
  const { credentials, version } = at;
  const { max_prepared_statements: kept, ...others } = service.settings;
  const tooOld = version !== undefined && !keepsPreparedStatements(version);
  const database = at.peer('database')?.addresses[0] ?? { host: '', port: 0 };
  const file = `${at.folder}/pgbouncer.ini`;
  const userListFile = `${at.folder}/users.txt`;
  const configuration = pgbouncerConfiguration(tooOld ? { ...service, settings: others } : service, {
    listen: { host: at.host, port: at.port('main') },
    database,
    credentials,
    userListFile,
  });
  return {
    image: { name: 'edoburu/pgbouncer:v1.24.1-p1' },
    command: { program: { from: 'distribution', name: 'pgbouncer', package: 'pgbouncer' }, arguments: [file] },
    environment: {},
    secretEnvironment: {},
    files: [
      { path: file, content: configuration, secret: false },
      { path: userListFile, content: pgbouncerUserList(credentials), secret: true },
    ],
    prepare: [],
    steps: [],
    health: { protocol: 'postgres', port: 'main', database: 'pgbouncer' },
    version: { name: 'PgBouncer', arguments: ['--version'] },
    stop: { signal: 'SIGKILL', graceS: 0 },
    secrets: [credentials.password],
    lacks: tooOld || (service.settings.pool_mode === 'transaction' && kept === 0) ? ['prepared-statements'] : [],
    notes: tooOld && Number(kept ?? 0) > 0 ? [{ code: 'prepared-statements-off', service: service.name, version }] : [],
  };
}

/** All have one user and one database, so that each instance holds one pool. */
function opens({ instances, settings }: Described): Opened | undefined {
  const size = whole(settings.default_pool_size, defaults.default_pool_size);
  const reserve = whole(settings.reserve_pool_size, defaults.reserve_pool_size);
  const most = whole(settings.max_db_connections, defaults.max_db_connections);
  if (size === undefined || reserve === undefined || most === undefined) return undefined;
  // 0 is no limit.
  return { copies: instances, each: most > 0 && most < size + reserve ? [most] : [size, reserve] };
}

function preparedStatementsWithoutUse({ name, settings }: Described): ServiceProblem[] {
  const setting = 'max_prepared_statements';
  const kept = settings[setting];
  const mode = settings.pool_mode ?? defaults.pool_mode;
  if (kept === undefined || Number(kept) === 0 || mode !== 'session') return [];
  return [
    {
      at: ['settings', setting],
      part: 'key',
      what: `${setting} of ${name} has no effect with pool_mode session`,
      nextStep: 'Write pool_mode: transaction, or remove it.',
    },
  ];
}

const counts = /^(?:default|min|reserve)_pool_size$|^max_(?:client_conn|.*_connections|prepared_statements)$/u;
const times = /_(?:timeout|lifetime|delay|retry|period|ttl)$/u;

function problem(name: string, value: SettingValue) {
  if (name === 'pool_mode') return poolModeProblem(value);
  if (counts.test(name) && !isWhole(value)) {
    return wrongValue(`is ${shown(value)}, but must be a whole number`, 'Write the number alone.');
  }
  if (times.test(name) && !/^\d+(?:\.\d+)?$/u.test(String(value))) {
    const parsed = parseIn(String(value), 's');
    return wrongValue(
      `is ${shown(value)}, but PgBouncer takes a number of seconds without a unit`,
      'value' in parsed ? `Write ${parsed.value}.` : 'Write the number of seconds alone.',
    );
  }
  return undefined;
}

function poolModeProblem(value: SettingValue) {
  const modes = ['transaction', 'session'];
  if (value === 'statement') {
    return wrongValue('is statement, in which the transactions of the API fail', "Write 'transaction'.");
  }
  return modes.includes(String(value))
    ? undefined
    : wrongValue(`is ${shown(value)}, which is unknown`, suggestion(String(value), modes));
}

interface PgbouncerContext {
  readonly listen: Address;
  /** The primary, or the replica, that it pools connections to. */
  readonly database: Address;
  readonly credentials: Credentials;
  /** Path of the file with `pgbouncerUserList`. */
  readonly userListFile: string;
}

/** The version that keeps named prepared statements alive in transaction mode (`max_prepared_statements`). */
const PREPARED_STATEMENTS_SINCE = [1, 21] as const;

/** `1.18.0` does not. */
export function keepsPreparedStatements(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (
    major > PREPARED_STATEMENTS_SINCE[0] ||
    (major === PREPARED_STATEMENTS_SINCE[0] && minor >= PREPARED_STATEMENTS_SINCE[1])
  );
}

/** pgbouncer.ini: the settings of the service, and what every deployment of it has in common. */
function pgbouncerConfiguration(service: Service, context: PgbouncerContext): string {
  const { listen, database, credentials } = context;
  const settings: Readonly<Record<string, SettingValue>> = {
    // Drivers send it with each connection; it changes nothing that matters here.
    ignore_startup_parameters: 'extra_float_digits',
    // Under load a line for each connection is work that nobody reads.
    log_connections: 0,
    log_disconnections: 0,
    // By default it waits 15 s after a failed sign-in before it tries the database again, however soon that is back.
    server_login_retry: 1,
    ...service.settings,
    listen_addr: listen.host,
    listen_port: listen.port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: context.userListFile,
    admin_users: credentials.user,
  };
  return `[databases]
${credentials.database} = host=${database.host} port=${database.port} dbname=${credentials.database}

[pgbouncer]
${Object.entries(settings)
  .map(([name, value]) => `${name} = ${value === true ? 1 : value === false ? 0 : value}`)
  .join('\n')}
`;
}

/** In plain text, since a pooler has to sign in at the database with it: keep the file to its account. */
function pgbouncerUserList({ user, password }: Credentials): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return `${quoted(user)} ${quoted(password)}\n`;
}
