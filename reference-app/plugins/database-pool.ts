import pg from 'pg';
import type { Config } from '../config.ts';
import type { Database, Queries } from '../dependencies.ts';
import { databaseUnavailable } from './failures.ts';

export interface DatabaseLog {
  warn(details: object, message: string): void;
}

export interface DatabasePool {
  readonly pool: pg.Pool;
  readonly queries: Queries;
  readonly transaction: Database['transaction'];
}

export function createPool(
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
