import pg from 'pg';
import { Gauge } from 'prom-client';
import type { Config } from '../config.ts';
import type { Database, Queries } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import type { Metrics } from './metrics.ts';
import { createReads } from './reads.ts';

export interface DatabaseLog {
  warn(details: object, message: string): void;
}

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

export interface DatabasePool {
  readonly pool: pg.Pool;
  readonly queries: Queries;
  readonly transaction: Database['transaction'];
}

function createPool(
  config: Config,
  name: 'writer' | 'reader',
  connectionString: string,
  log: DatabaseLog,
): DatabasePool {
  const { DATABASE_READER_TIMEOUT_MS: readerTimeoutMs, DATABASE_STATEMENT_TIMEOUT_MS: statementTimeoutMs } = config;
  const limit = (timeoutMs: number) => (name === 'reader' ? Math.min(timeoutMs, readerTimeoutMs) : timeoutMs);
  const pool = new pg.Pool({
    connectionString,
    application_name: `reference-app ${name}`,
    max: config.DATABASE_POOL_MAX,
    min: config.DATABASE_POOL_MIN,
    idleTimeoutMillis: config.DATABASE_IDLE_TIMEOUT_MS,
    connectionTimeoutMillis: limit(config.DATABASE_CONNECT_TIMEOUT_MS),
    keepAlive: true,
    types: { getTypeParser },
    // The server ends a slow statement; one that has fallen silent cannot, and its connection would be lost for good.
    query_timeout: limit(config.DATABASE_QUERY_TIMEOUT_MS),
    ...(statementTimeoutMs > 0 && { statement_timeout: statementTimeoutMs }),
  });
  // An idle connection that breaks is an event of the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ pool: name, reason: error.message }, 'a database connection broke'));

  /** PgBouncer refuses to pass the option on. The pool reads its options anew for each connection. */
  async function withoutRefusedOption<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      if (!/unsupported startup parameter: statement_timeout/.test((error as Error).message)) throw error;
      if ('statement_timeout' in pool.options) {
        log.warn({ pool: name }, 'the pooler does not pass DATABASE_STATEMENT_TIMEOUT_MS on; set it on the role');
        delete pool.options.statement_timeout;
      }
      return use();
    }
  }

  const named = config.DATABASE_PREPARED_STATEMENTS === 'on';
  const queriesOf = (connection: Pick<pg.Pool, 'query'>): Queries => ({
    query: (statement) =>
      connection.query(named ? statement : { text: statement.text, values: statement.values ?? [] }),
  });
  const queries = queriesOf(pool);
  return {
    pool,
    queries: { query: (statement) => withoutRefusedOption(() => queries.query(statement)) },
    async transaction(work) {
      const client = await withoutRefusedOption(() => pool.connect());
      let broken = false;
      try {
        await client.query('begin');
        const result = await work(queriesOf(client));
        await client.query('commit');
        return result;
      } catch (error) {
        // A connection that was lost, or fell silent, would let us wait for the rollback as well; ending it is one.
        broken = databaseUnavailable(error as Error) !== undefined;
        if (!broken) {
          await client.query('rollback').catch(() => {
            broken = true;
          });
        }
        throw error;
      } finally {
        client.release(broken);
      }
    },
  };
}

/** int8 as a number: ids and counts stay far below 2^53. */
const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text') =>
  oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;

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

const lostConnection =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection/;
const unavailableCodes =
  /^(08...|53...|57...|25006|ECONN[A-Z]+|EPIPE|ENOENT|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH)$/;

/** A 503 when the error says that the database cannot answer now; nothing for any other error. */
export function databaseUnavailable(error: Error & { code?: string }): ApiError | undefined {
  const unavailable = unavailableCodes.test(error.code ?? '') || lostConnection.test(error.message);
  if (!unavailable) return undefined;
  return new ApiError(503, 'DATABASE_UNAVAILABLE', 'The database does not answer. Try again in a moment.', 1);
}
