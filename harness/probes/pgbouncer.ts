import type pg from 'pg';
import { postgresConnection } from './postgres-connection.ts';
import { type Probe, readingsOf, rememberCounters } from './probe.ts';

/** A row of the console: numbers come as text, and each version has some columns more. */
type Row = Readonly<Record<string, string | number | null>>;

/** A PgBouncer by its console (`url` with the database `pgbouncer`), whose own pool is not counted. */
export function pgbouncerProbe({ url, source }: { readonly url: string; readonly source: string }): Probe {
  const counters = rememberCounters<'queries' | 'transactions' | 'waitS'>();
  const connection = postgresConnection({ url, onLost: counters.forget, limitsStatements: false });
  return {
    name: 'pgbouncer',
    read() {
      return connection.use(async (client) => {
        const pools = await show(client, 'pools', 'database');
        const databases = await show(client, 'databases', 'name');
        const stats = await show(client, 'stats', 'database');
        const since = counters.next({
          queries: sum(stats, 'total_query_count'),
          transactions: sum(stats, 'total_xact_count'),
          waitS: sum(stats, 'total_wait_time') / 1e6,
        });
        const waitsS = pools.map((pool) => Number(pool.maxwait ?? 0) + Number(pool.maxwait_us ?? 0) / 1e6);
        return readingsOf(source, {
          'clients-active': sum(pools, 'cl_active'),
          'clients-waiting': sum(pools, 'cl_waiting'),
          'servers-active': sum(pools, 'sv_active'),
          'servers-idle': sum(pools, 'sv_idle'),
          'servers-used': sum(pools, 'sv_used'),
          // Of each user; the harness connects as one.
          'servers-limit': sum(databases, 'pool_size'),
          'longest-wait': Math.max(0, ...waitsS),
          queries: since?.perS.queries,
          transactions: since?.perS.transactions,
          'wait-mean': since && since.by.transactions > 0 ? since.by.waitS / since.by.transactions : undefined,
        });
      });
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

async function show(client: pg.Client, what: string, databaseColumn: string): Promise<readonly Row[]> {
  const { rows } = await client.query<Row>(`show ${what}`);
  return rows.filter((row) => row[databaseColumn] !== 'pgbouncer');
}

function sum(rows: readonly Row[], column: string): number {
  return rows.reduce((total, row) => total + Number(row[column] ?? 0), 0);
}
