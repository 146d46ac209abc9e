import { join } from 'node:path';
import type { Service } from '../../core/tier.ts';
import { type Address, type Credentials, postgresUrl } from '../../services/address.ts';
import { keepsPreparedStatements, pgbouncerConfiguration, pgbouncerUserList } from '../../services/pooler.ts';
import { askPostgres } from '../answers.ts';
import { startChild } from './child-process.ts';
import { programOf, versionOf, writePrivateFile } from './distribution-server.ts';
import type { LocalServer, LocalServerOptions } from './local-server.ts';
import { accountFor, startServer, surroundingsOf, untilAnswered } from './local-server-process.ts';

export interface LocalPgbouncer extends LocalServer {
  /** Of the database behind it, with the password: a secret. */
  readonly url: string;
  /** Of its console: a secret. */
  readonly consoleUrl: string;
  /** Whether it keeps named prepared statements alive in transaction mode. */
  readonly preparedStatements: boolean;
}

export interface PgbouncerOptions extends LocalServerOptions {
  readonly service: Service;
  /** The primary or the replica that it pools connections to. */
  readonly database: Address;
  /** Those of the database; a client of the pooler needs the same. */
  readonly credentials: Credentials;
}

export const pgbouncerServer = { program: 'pgbouncer', packageName: 'pgbouncer' } as const;

/**
 * The distribution's PgBouncer. One too old for named prepared statements is run without that setting.
 * @throws TierbenchError SERVER_NOT_INSTALLED, SERVER_DID_NOT_START, PORT_BUSY, FOLDER_NOT_REACHABLE
 */
export async function startPgbouncer(options: PgbouncerOptions): Promise<LocalPgbouncer> {
  const { database, credentials, folder } = options;
  const program = programOf(pgbouncerServer);
  const [account, version] = await Promise.all([
    accountFor('PgBouncer', folder),
    versionOf(program, '--version', folder),
  ]);
  const preparedStatements = version !== undefined && keepsPreparedStatements(version);
  const service = preparedStatements ? options.service : withoutPreparedStatements(options.service);
  const configuration = join(folder, 'pgbouncer.ini');
  const userListFile = join(folder, 'userlist.txt');
  const urlAt = (port: number, name: string) =>
    postgresUrl({ host: '127.0.0.1', port }, { ...credentials, database: name });
  const server = await startServer(
    {
      name: 'PgBouncer',
      failureCode: 'SERVER_DID_NOT_START',
      async prepare(port) {
        const listen = { host: '127.0.0.1', port };
        const text = pgbouncerConfiguration(service, { listen, database, credentials, userListFile });
        await writePrivateFile(configuration, text, account);
        await writePrivateFile(userListFile, pgbouncerUserList(credentials), account);
      },
      launch(port) {
        const child = startChild({
          command: program,
          arguments: [configuration],
          secrets: [credentials.password],
          ...surroundingsOf(options, account),
        });
        const ask = async () => String((await askPostgres(urlAt(port, 'pgbouncer'), 'show version')).version);
        return { child, answers: (signal) => untilAnswered(ask, signal) };
      },
      stop: (child) => child.stop('SIGKILL', 0),
    },
    options,
  );
  return {
    ...server,
    url: urlAt(server.port, credentials.database),
    consoleUrl: urlAt(server.port, 'pgbouncer'),
    preparedStatements,
  };
}

function withoutPreparedStatements(service: Service): Service {
  const { max_prepared_statements: _, ...settings } = service.settings;
  return { ...service, settings };
}
