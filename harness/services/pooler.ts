import type { Service, SettingValue } from '../core/tier.ts';
import type { Address, Credentials } from './address.ts';

export interface PgbouncerSurroundings {
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
export function pgbouncerConfiguration(service: Service, surroundings: PgbouncerSurroundings): string {
  const { listen, database, credentials } = surroundings;
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
    auth_file: surroundings.userListFile,
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
export function pgbouncerUserList({ user, password }: Credentials): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return `${quoted(user)} ${quoted(password)}\n`;
}
