import type pg from 'pg';
import { Gauge } from 'prom-client';
import type { Config } from '../config.ts';
import type { Database } from '../dependencies.ts';
import { createPool, type DatabaseLog } from './database-pool.ts';
import type { Metrics } from './metrics.ts';
import { createReads } from './reads.ts';

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
