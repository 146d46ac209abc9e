import type pg from 'pg';
import { Gauge } from 'prom-client';
import type { Config } from '../config.ts';
import type { Database, Queries, Read } from '../dependencies.ts';
import { createPool, type DatabaseLog, type DatabasePool } from './database-pool.ts';
import { databaseUnavailable } from './failures.ts';
import type { Metrics } from './metrics.ts';
import { laterOf, parseWalPosition, type WalPosition, walEnd, walStart } from './write-positions.ts';

/** Opens no connection yet: the app starts without its database, and /ready says so until it is there. */
export function createDatabase(config: Config, metrics: Metrics, log: DatabaseLog): Database {
  const writer = createPool(config, 'writer', config.DATABASE_URL, log);
  const readerUrl = config.DATABASE_READER_URL;
  const reader = readerUrl === undefined ? undefined : createPool(config, 'reader', readerUrl, log);
  exportPools({ writer: writer.pool, ...(reader && { reader: reader.pool }) }, metrics);
  const reads = createReads(config, writer, reader, metrics, log);
  return {
    writer: writer.queries,
    transaction: writer.transaction,
    ...reads,
    async close() {
      reads.close();
      await Promise.all([writer.pool.end(), reader?.pool.end()]);
    },
  };
}

function exportPools(pools: Readonly<Record<string, pg.Pool>>, { registry }: Metrics): void {
  const read = {
    db_pool_size: ['Open connections', (pool: pg.Pool) => pool.totalCount],
    db_pool_idle: ['Open connections without work', (pool: pg.Pool) => pool.idleCount],
    db_pool_in_use: ['Open connections with work', (pool: pg.Pool) => pool.totalCount - pool.idleCount],
    db_pool_waiting: ['Requests that wait for a connection', (pool: pg.Pool) => pool.waitingCount],
    db_pool_max: ['Most connections the pool may open', (pool: pg.Pool) => pool.options.max],
  } as const;
  for (const [name, [help, value]] of Object.entries(read)) {
    new Gauge({
      name,
      help,
      labelNames: ['pool'],
      registers: [registry],
      collect() {
        for (const [poolName, pool] of Object.entries(pools)) this.set({ pool: poolName }, value(pool));
      },
    });
  }
}

/** A server that is no replica, such as a reader address that leads to the primary, has all it ever wrote. */
const replayedStatement = {
  name: 'replayed-position',
  text: `select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end
    as position`,
};
const writtenStatement = { name: 'written-position', text: 'select pg_current_wal_insert_lsn() as position' };

/** A replica that restarts may be further back than it was, which a pooler between would hide from us. */
const rememberedForMs = 1000;

async function askPosition(queries: Queries, statement: typeof writtenStatement): Promise<WalPosition> {
  const { rows } = await queries.query<{ position: string | null }>(statement);
  return parseWalPosition(rows[0]?.position ?? '') ?? walStart;
}

/** Decides where each read goes, and knows whether the replica can be used and how far it is. */
function createReads(
  config: Config,
  writer: DatabasePool,
  reader: DatabasePool | undefined,
  metrics: Metrics,
  log: DatabaseLog,
): Pick<Database, 'read' | 'readWriter' | 'position'> & { close(): void } {
  if (reader === undefined) {
    const readWriter: Database['readWriter'] = async (_after, run) => ({
      value: await run(writer.queries),
      asOf: walStart,
    });
    return { read: readWriter, readWriter, position: async () => walStart, close() {} };
  }
  const replica = watchReplica(config, reader, log);

  /** As late as seen here: a read from the primary has all of that. */
  let written = walStart;
  writer.pool.on('error', () => {
    // After a failover the log may go on from an earlier position.
    written = walStart;
  });

  async function position(): Promise<WalPosition> {
    const now = await askPosition(writer.queries, writtenStatement);
    written = laterOf(written, now);
    return now;
  }

  async function readWriter<T>(after: WalPosition, run: (from: Queries) => Promise<T>): Promise<Read<T>> {
    // Only a cache wants to know, and what a client asks for is no evidence.
    const asOf = config.REDIS_URL === undefined || written >= after ? written : await position();
    return { value: await run(writer.queries), asOf };
  }

  return {
    readWriter,
    position,
    async read(after, run) {
      const answer = await replica.read(after, run);
      metrics.databaseReads.inc({ from: typeof answer === 'string' ? answer : 'reader' });
      return typeof answer === 'string' ? readWriter(after, run) : answer;
    },
    close: replica.close,
  };
}

type WhyNot = 'writer-reader-behind' | 'writer-reader-down' | 'writer-reader-failed';

function watchReplica(config: Config, { pool, queries }: DatabasePool, log: DatabaseLog) {
  let up = true;
  let closed = false;
  let probe: NodeJS.Timeout | undefined;
  /** How far it was when it last said so. */
  let replayed: { readonly position: WalPosition; readonly atMs: number } | undefined;
  let asking: Promise<WalPosition> | undefined;

  pool.on('error', () => {
    replayed = undefined;
  });

  /** Callers at the same moment share one question: of clients that ask for the impossible, one is asked for at a time. */
  function askReplayed(): Promise<WalPosition> {
    asking ??= askPosition(queries, replayedStatement)
      .then((position) => {
        replayed = { position, atMs: performance.now() };
        return position;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  function knownPosition(): WalPosition {
    if (replayed === undefined || performance.now() - replayed.atMs > rememberedForMs) return walStart;
    return replayed.position;
  }

  /** From now on nobody waits for it; it is looked after apart from any request. */
  function leaveAlone(reason: string): void {
    replayed = undefined;
    if (!up) return;
    up = false;
    log.warn({ reason }, 'the database reader does not answer; the writer answers its reads');
    lookAgainLater();
  }

  function lookAgainLater(): void {
    if (closed) return;
    probe = setTimeout(async () => {
      try {
        await withinMs(config.DATABASE_READER_TIMEOUT_MS, askReplayed());
        up = true;
        log.warn({}, 'the database reader answers again');
      } catch {
        lookAgainLater();
      }
    }, config.DATABASE_READER_RETRY_MS).unref();
  }

  async function readHere<T>(after: WalPosition, run: (from: Queries) => Promise<T>): Promise<Read<T> | WhyNot> {
    let asOf = knownPosition();
    if (after > asOf && after !== walEnd) asOf = await askReplayed();
    if (after > asOf) return 'writer-reader-behind';
    return { value: await run(queries), asOf };
  }

  return {
    async read<T>(after: WalPosition, run: (from: Queries) => Promise<T>): Promise<Read<T> | WhyNot> {
      if (!up) return 'writer-reader-down';
      try {
        return await withinMs(config.DATABASE_READER_TIMEOUT_MS, readHere(after, run));
      } catch (error) {
        // Anything else, such as a row that a replica removes while it is read, concerns this one read.
        if (error instanceof TooSlow || databaseUnavailable(error as Error)) leaveAlone((error as Error).message);
        return 'writer-reader-failed';
      }
    },
    close() {
      closed = true;
      clearTimeout(probe);
    },
  };
}

class TooSlow extends Error {}

/** @throws TooSlow after `limitMs`; the work goes on, its outcome is no longer looked at. */
export async function withinMs<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(() => tooLate.reject(new TooSlow(`no answer in ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([work, tooLate.promise]);
  } finally {
    clearTimeout(timer);
  }
}
