import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SettingValue } from '../../core/tier.ts';
import { postgresFlags } from '../../services/postgres.ts';
import type { Account } from './account.ts';
import { type Child, type ChildOptions, startChild } from './child-process.ts';
import type { LocalServer, LocalServerOptions } from './local-server.ts';
import { startServer, surroundingsOf, untilAnswered } from './local-server-process.ts';

export interface PostgresServerOptions extends LocalServerOptions {
  /** Of the settings, `port` alone is not passed on as it is. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Settings that must not be another's. */
  readonly own?: Readonly<Record<string, SettingValue>>;
  readonly binaries: string;
  readonly dataFolder: string;
  readonly account: Account | undefined;
  readonly secrets: readonly string[];
}

const STOP_PATIENCE_S = 10;
/** The first line of its log, in characters, and some more. */
const FIRST_LINES = 2000;

/** A PostgreSQL on a data folder that is there. Disposing removes everything in `folder`. */
export async function startPostgresServer(options: PostgresServerOptions): Promise<LocalServer> {
  const { settings, dataFolder } = options;
  const child = (flags: readonly string[], onOutput?: ChildOptions['onOutput']): Child =>
    startPostgresProgram(options, 'postgres', flags, onOutput);
  return await startServer(
    {
      name: 'PostgreSQL',
      failureCode: 'POSTGRES_DID_NOT_START',
      fixedPort: settings.port === undefined ? undefined : Number(settings.port),
      launch(port) {
        const own = { ...options.own, listen_addresses: '127.0.0.1', unix_socket_directories: '', port };
        let seen = '';
        const server = child(postgresFlags({ settings }, own), (text) => {
          seen += text;
          return seen.length < FIRST_LINES;
        });
        const ask = async () => {
          // Whatever its log tells, it writes its state to its lock file: process id in line 1, state in line 8.
          const lines = (await readFile(join(dataFolder, 'postmaster.pid'), 'utf8')).split('\n');
          if (lines[0] !== String(server.processId) || lines[7]?.trim() !== 'ready') throw new Error('not ready');
          return /starting (PostgreSQL \S+)/.exec(seen)?.[1];
        };
        return { child: server, answers: (signal) => untilAnswered(ask, signal) };
      },
      // An immediate shutdown: the data is about to be removed, so nothing needs flushing.
      stop: (server) => server.stop('SIGQUIT', STOP_PATIENCE_S),
      // A server that was killed leaves shared memory behind, which the next one on the same data gives back.
      async release() {
        const endedInOrder = await access(join(dataFolder, 'postmaster.pid')).then(
          () => false,
          () => true,
        );
        if (!endedInOrder) await child(['--check']).ended;
      },
    },
    options,
  );
}

export function startPostgresProgram(
  options: Pick<PostgresServerOptions, 'binaries' | 'dataFolder' | 'account' | 'secrets'> & LocalServerOptions,
  program: 'initdb' | 'postgres',
  flags: readonly string[],
  onOutput?: ChildOptions['onOutput'],
): Child {
  return startChild({
    command: join(options.binaries, program),
    arguments: [...flags, '-D', options.dataFolder],
    secrets: options.secrets,
    ...surroundingsOf(options, options.account),
    ...(onOutput && { onOutput }),
  });
}
