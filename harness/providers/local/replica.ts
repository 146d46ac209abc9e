import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { TierbenchError } from '../../core/errors.ts';
import type { SettingValue } from '../../core/tier.ts';
import { cut, hangUp } from '../hang-up.ts';
import type { Account } from './account.ts';
import { writePrivateFile } from './distribution-server.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { findEmbeddedPostgres, usableBinaries } from './embedded-postgres-binaries.ts';
import { startPostgresServer } from './embedded-postgres-server.ts';
import type { LocalServerOptions } from './local-server.ts';
import { accountFor, emptied, onAbort, untilAnswered } from './local-server-process.ts';
import { copyDataFolder } from './replica-copy.ts';

export interface ReplicaOptions extends LocalServerOptions {
  /** Of an embedded primary that runs on this machine, with all rights: a secret. */
  readonly primaryUrl: string;
  /** Server settings: `{ max_connections: 100 }`, at least what the primary has. Without `port` a free one is taken. */
  readonly settings?: Readonly<Record<string, SettingValue>>;
}

const STREAMING_LIMIT_S = 60;

/**
 * A streaming replica of an embedded primary, made from a copy of its data folder while it runs. Its replication slot keeps
 * what it needs on the primary, up to a bound (harness/servers/postgres.ts), and goes when it is disposed of.
 * @throws TierbenchError POSTGRES_NOT_INSTALLED, POSTGRES_DID_NOT_START, REPLICA_NOT_STREAMING, PORT_BUSY, FOLDER_NOT_REACHABLE
 */
export async function startReplica(options: ReplicaOptions): Promise<EmbeddedPostgres> {
  const { folder, primaryUrl, signal } = options;
  signal?.throwIfAborted();
  const account = await accountFor('PostgreSQL', folder);
  const dataFolder = join(folder, 'data');
  const passwordFile = join(folder, 'passwords');
  const slot = `tierbench_${randomBytes(6).toString('hex')}`;
  const primary = new URL(primaryUrl);
  const [user, password] = [decodeURIComponent(primary.username), decodeURIComponent(primary.password)];
  const connection = {
    host: primary.hostname,
    port: primary.port,
    user,
    passfile: passwordFile,
    application_name: slot,
  };
  try {
    const binaries = await usableBinaries(await findEmbeddedPostgres(), account, join(folder, 'server'));
    await backUp({ primaryUrl, slot, dataFolder, account, signal });
    await writePrivateFile(join(dataFolder, 'standby.signal'), '', account);
    const fields = [primary.hostname, primary.port, '*', user, password];
    await writePrivateFile(
      passwordFile,
      `${fields.map((field) => field.replaceAll(/[\\:]/g, '\\$&')).join(':')}\n`,
      account,
    );
    const server = await startPostgresServer({
      ...options,
      settings: options.settings ?? {},
      own: { primary_conninfo: keywordsAndValues(connection), primary_slot_name: slot, hot_standby: 'on' },
      binaries,
      dataFolder,
      account,
      secrets: [password],
    });
    const url = new URL(primaryUrl);
    url.port = String(server.port);
    await streaming(url.href, server.ended(), signal).catch(async (error) => {
      await server[Symbol.asyncDispose]();
      throw error;
    });
    return {
      ...server,
      url: url.href,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await dropSlot(primaryUrl, slot);
      },
    };
  } catch (error) {
    await dropSlot(primaryUrl, slot);
    await emptied(folder);
    throw error;
  }
}

/** Does without when the primary is gone or does not answer: its slots go with it, and keep little until then. */
async function dropSlot(primaryUrl: string, slot: string): Promise<void> {
  const limitMs = 1000;
  const client = new pg.Client({
    connectionString: primaryUrl,
    connectionTimeoutMillis: limitMs,
    query_timeout: limitMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await untilAnswered(async () => {
      // In use until the primary noticed that the replica is gone.
      const unused = 'from pg_replication_slots where slot_name = $1 and not active';
      await client.query(`select pg_drop_replication_slot(slot_name) ${unused}`, [slot]);
      const { rows } = await client.query('select from pg_replication_slots where slot_name = $1', [slot]);
      if (rows.length > 0) throw new Error('still in use');
    }, AbortSignal.timeout(limitMs));
  } catch {
    // See above.
  } finally {
    await hangUp(client);
  }
}

interface Backup {
  readonly primaryUrl: string;
  readonly slot: string;
  readonly dataFolder: string;
  readonly account: Account | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Between its two steps the connection must stay open: the primary ends a backup whose connection is gone. */
async function backUp({ primaryUrl, slot, dataFolder, account, signal }: Backup): Promise<void> {
  const client = new pg.Client({ connectionString: primaryUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  using _abort = onAbort(signal, () => cut(client));
  try {
    signal?.throwIfAborted();
    await client.connect();
    // From now on the primary keeps the log the copy will ask for.
    await client.query('select pg_create_physical_replication_slot($1, true)', [slot]);
    await client.query("select pg_backup_start('tierbench', fast => true)");
    const { rows } = await client.query("select current_setting('data_directory') as folder");
    await copyDataFolder(rows[0].folder, dataFolder, account, signal);
    const stopped = await client.query('select labelfile from pg_backup_stop(wait_for_archive => false)');
    await writePrivateFile(join(dataFolder, 'backup_label'), stopped.rows[0].labelfile, account);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    await hangUp(client);
  }
}

/** Resolves once the primary sends its log. */
async function streaming(url: string, ended: Promise<string>, signal: AbortSignal | undefined): Promise<void> {
  const limit = AbortSignal.timeout(STREAMING_LIMIT_S * 1000);
  const over = new AbortController();
  void ended.then((what) => over.abort(notStreaming(`it ${what}`)));
  const given = AbortSignal.any([limit, over.signal, ...(signal ? [signal] : [])]);
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, query_timeout: 5000 });
  client.on('error', () => {});
  using _abort = onAbort(given, () => cut(client));
  try {
    given.throwIfAborted();
    await client.connect();
    await untilAnswered(async () => {
      const { rows } = await client.query("select from pg_stat_wal_receiver where status = 'streaming'");
      if (rows.length === 0) throw new Error('not streaming');
    }, given);
  } catch (error) {
    if (given.aborted)
      throw given.reason === limit.reason ? notStreaming(`not within ${STREAMING_LIMIT_S} s`) : given.reason;
    throw error;
  } finally {
    await hangUp(client);
  }
}

function notStreaming(what: string): TierbenchError {
  return new TierbenchError(
    'REPLICA_NOT_STREAMING',
    `the replica does not receive the log of its primary: ${what}`,
    'Compare the settings of the replica with those of the primary: `wal_level` and `max_wal_senders` must allow it.',
  );
}

/** See "Keyword/Value Connection Strings" in PostgreSQL's manual. */
function keywordsAndValues(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}='${value.replaceAll(/['\\]/g, '\\$&')}'`)
    .join(' ');
}
