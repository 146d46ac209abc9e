import type pg from 'pg';
import { postgresConnection } from './postgres-connection.ts';
import type { Probe, Reading } from './probe.ts';

interface Counters {
  readonly atMs: number;
  readonly queries: number;
  readonly transactions: number;
  readonly waitS: number;
}

/** A row of the console: numbers come as text, and each version has some columns more. */
type Row = Readonly<Record<string, string | number | null>>;

/**
 * A PgBouncer from inside, by its console (`url` with the database `pgbouncer`), whose own pool is not counted.
 *
 * Connections of clients (`clients-active`, and `clients-waiting` for one of the server's), those to the server
 * (`servers-active`, `servers-idle`, `servers-used`: idle and to be checked before the next use), `longest-wait` of a
 * client that waits now; per second `queries` and `transactions`; and `wait-mean` of the transactions since the last
 * reading, left out when there was none.
 */
export function pgbouncerProbe({ url, source }: { readonly url: string; readonly source: string }): Probe {
  let before: Counters | undefined;
  const connection = postgresConnection({
    url,
    onLost() {
      before = undefined;
    },
    limitsStatements: false,
  });
  return {
    name: 'pgbouncer',
    read() {
      return connection.use(async (client) => {
        const pools = poolReadings(await show(client, 'pools'));
        const counters = countersOf(await show(client, 'stats'));
        const last = before;
        before = counters;
        const readings = last === undefined ? pools : [...pools, ...rates(last, counters)];
        return readings.map((reading) => ({ source, ...reading }));
      });
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

async function show(client: pg.Client, what: 'pools' | 'stats'): Promise<readonly Row[]> {
  const { rows } = await client.query<Row>(`show ${what}`);
  return rows.filter(({ database }) => database !== 'pgbouncer');
}

function poolReadings(pools: readonly Row[]): Omit<Reading, 'source'>[] {
  const waits = pools.map((pool) => Number(pool.maxwait ?? 0) + Number(pool.maxwait_us ?? 0) / 1e6);
  return [
    { metric: 'clients-active', unit: 'count', value: sum(pools, 'cl_active') },
    { metric: 'clients-waiting', unit: 'count', value: sum(pools, 'cl_waiting') },
    { metric: 'servers-active', unit: 'count', value: sum(pools, 'sv_active') },
    { metric: 'servers-idle', unit: 'count', value: sum(pools, 'sv_idle') },
    { metric: 'servers-used', unit: 'count', value: sum(pools, 'sv_used') },
    { metric: 'longest-wait', unit: 'seconds', value: Math.max(0, ...waits) },
  ];
}

function countersOf(databases: readonly Row[]): Counters {
  return {
    atMs: performance.now(),
    queries: sum(databases, 'total_query_count'),
    transactions: sum(databases, 'total_xact_count'),
    waitS: sum(databases, 'total_wait_time') / 1e6,
  };
}

function rates(last: Counters, now: Counters): Omit<Reading, 'source'>[] {
  const elapsedS = (now.atMs - last.atMs) / 1000;
  const queries = Math.max(0, now.queries - last.queries);
  const transactions = Math.max(0, now.transactions - last.transactions);
  const waitMeanS = Math.max(0, now.waitS - last.waitS) / transactions;
  return [
    { metric: 'queries', unit: 'per-second', value: queries / elapsedS },
    { metric: 'transactions', unit: 'per-second', value: transactions / elapsedS },
    ...(transactions > 0 ? [{ metric: 'wait-mean', unit: 'seconds', value: waitMeanS } as const] : []),
  ];
}

function sum(rows: readonly Row[], column: string): number {
  return rows.reduce((total, row) => total + Number(row[column] ?? 0), 0);
}
