import pg from 'pg';
import { Gauge } from 'prom-client';
import type { Config } from '../config.ts';
import type { Database } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import type { Metrics } from './metrics.ts';

export interface DatabaseLog {
  warn(details: object, message: string): void;
}

/** Opens no connection yet: the app starts without its database, and /ready says so until it is there. */
export function createDatabase(config: Config, metrics: Metrics, log: DatabaseLog): Database {
  const writer = createPool(config, config.DATABASE_URL, 'writer', log);
  const reader =
    config.DATABASE_READER_URL === undefined ? writer : createPool(config, config.DATABASE_READER_URL, 'reader', log);
  const pools = reader === writer ? { writer } : { writer, reader };
  exportPools(pools, metrics);
  return { writer, reader };
}

export async function closeDatabase({ writer, reader }: Database): Promise<void> {
  await Promise.all([...new Set([writer, reader])].map((pool) => pool.end()));
}

/** How much later than the server itself a statement is given up. */
const silenceMs = 1000;

function createPool(config: Config, connectionString: string, name: string, log: DatabaseLog): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    application_name: `reference-app ${name}`,
    max: config.DATABASE_POOL_MAX,
    min: config.DATABASE_POOL_MIN,
    idleTimeoutMillis: config.DATABASE_IDLE_TIMEOUT_MS,
    connectionTimeoutMillis: config.DATABASE_CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser },
    ...(config.DATABASE_STATEMENT_TIMEOUT_MS > 0 && {
      statement_timeout: config.DATABASE_STATEMENT_TIMEOUT_MS,
      // The server ends the statement; one that has fallen silent cannot, and its connection would be lost for good.
      query_timeout: config.DATABASE_STATEMENT_TIMEOUT_MS + silenceMs,
    }),
  });
  // An idle connection that breaks is an event of the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ pool: name, reason: error.message }, 'a database connection broke'));
  return pool;
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
