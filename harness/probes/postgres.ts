import type pg from 'pg';
import { postgresConnection } from './postgres-connection.ts';
import type { Probe, Reading } from './probe.ts';

const STATEMENTS_SHOWN = 5;
const LONGEST_STATEMENT = 80;

/** Always shown, so that a line in a chart goes to zero instead of ending. */
const usualWaits = ['lock', 'lwlock', 'io'];

interface Counters {
  readonly atMs: number;
  readonly commits: number;
  readonly rollbacks: number;
  readonly blocksRead: number;
  readonly blocksHit: number;
  readonly tempBytes: number;
  readonly deadlocks: number;
  /** Query id -> seconds spent and calls; undefined without pg_stat_statements. */
  readonly statements: ReadonlyMap<string, { readonly spentS: number; readonly calls: number }> | undefined;
}

/**
 * A PostgreSQL server from inside, on a connection of its own that is not counted.
 *
 * Counts of connections by state (`connections-active`, ...), of what active ones wait for (`waiting-for-lock`, ...),
 * `connections` and `connections-limit`; per second `commits`, `rollbacks`, `blocks-read`, `blocks-hit`, `temp-bytes`,
 * `deadlocks`; and, where the server loads pg_stat_statements, the statements that took most time since the last reading
 * (`statement: select ...`, seconds spent in it per second). The texts of statements hold placeholders, not values.
 */
export function postgresProbe(options: { readonly databaseUrl: string; readonly source: string }): Probe {
  const texts = new Map<string, string>();
  let before: Counters | undefined;
  let hasStatements: boolean | undefined;
  const connection = postgresConnection({
    url: options.databaseUrl,
    onLost() {
      before = undefined;
      hasStatements = undefined;
    },
    limitsStatements: true,
  });

  return {
    name: 'postgres',
    read() {
      return connection.use(async (client) => {
        hasStatements ??= await prepareStatements(client);
        const sessions = await readSessions(client);
        const counters = await readCounters(client, hasStatements === true);
        const last = before;
        before = counters;
        const readings = last === undefined ? sessions : [...sessions, ...rates(last, counters)];
        const statements = last === undefined ? [] : await readStatements(client, last, counters, texts);
        return [...readings, ...statements].map((reading) => ({ source: options.source, ...reading }));
      });
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

type Value = Omit<Reading, 'source'>;

/**
 * The extension is a view on what the server collects anyway when it was started with it. A replica gets it from its
 * primary; undefined until it has.
 */
async function prepareStatements(client: pg.Client): Promise<boolean | undefined> {
  const { rows } = await client.query(`
    select 'pg_stat_statements' = any (string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ','))
             as loaded,
           exists (select from pg_extension where extname = 'pg_stat_statements') as installed,
           pg_is_in_recovery() as "isReplica"`);
  const [{ loaded, installed, isReplica }] = rows as [{ loaded: boolean; installed: boolean; isReplica: boolean }];
  if (!loaded) return false;
  if (isReplica && !installed) return undefined;
  if (!installed) await client.query('create extension if not exists pg_stat_statements');
  return true;
}

async function readSessions(client: pg.Client): Promise<Value[]> {
  const { rows } = await client.query(`
    select coalesce(state, 'unknown') as state, lower(wait_event_type) as waiting, count(*)::int as sessions
      from pg_stat_activity
     where backend_type = 'client backend' and pid <> pg_backend_pid()
     group by 1, 2`);
  const groups = rows as { state: string; waiting: string | null; sessions: number }[];
  const count = (metric: string, of: typeof groups): Value => ({
    metric,
    unit: 'count',
    value: of.reduce((sum, { sessions }) => sum + sessions, 0),
  });
  const active = groups.filter(({ state }) => state === 'active');
  const waits = new Set([...usualWaits, ...active.flatMap(({ waiting }) => waiting ?? [])]);
  const limit = await client.query("select current_setting('max_connections')::int as most");
  return [
    count('connections', groups),
    { metric: 'connections-limit', unit: 'count', value: limit.rows[0].most },
    count('connections-active', active),
    count(
      'connections-idle',
      groups.filter(({ state }) => state === 'idle'),
    ),
    count(
      'connections-idle-in-transaction',
      groups.filter(({ state }) => state.startsWith('idle in transaction')),
    ),
    ...[...waits].map((wait) =>
      count(
        `waiting-for-${wait}`,
        active.filter(({ waiting }) => waiting === wait),
      ),
    ),
  ];
}

async function readCounters(client: pg.Client, hasStatements: boolean): Promise<Counters> {
  const { rows } = await client.query(`
    select xact_commit::float8 as commits, xact_rollback::float8 as rollbacks, blks_read::float8 as "blocksRead",
           blks_hit::float8 as "blocksHit", temp_bytes::float8 as "tempBytes", deadlocks::float8 as deadlocks
      from pg_stat_database where datname = current_database()`);
  const atMs = performance.now();
  if (!hasStatements) return { ...rows[0], atMs, statements: undefined };
  const statements = await client.query(`
    select queryid::text as id, sum(total_exec_time) / 1000 as "spentS", sum(calls)::float8 as calls
      from pg_stat_statements(false)
     where dbid = (select oid from pg_database where datname = current_database())
     group by queryid`);
  const byId = statements.rows.map(({ id, ...spent }) => [id, spent] as const);
  return { ...rows[0], atMs, statements: new Map(byId) };
}

function rates(last: Counters, now: Counters): Value[] {
  const elapsedS = (now.atMs - last.atMs) / 1000;
  const names = {
    commits: 'commits',
    rollbacks: 'rollbacks',
    blocksRead: 'blocks-read',
    blocksHit: 'blocks-hit',
    tempBytes: 'temp-bytes',
    deadlocks: 'deadlocks',
  } as const;
  return Object.entries(names).map(([counter, metric]) => {
    const key = counter as keyof typeof names;
    return { metric, unit: 'per-second', value: Math.max(0, now[key] - last[key]) / elapsedS };
  });
}

async function readStatements(
  client: pg.Client,
  last: Counters,
  now: Counters,
  texts: Map<string, string>,
): Promise<Value[]> {
  if (now.statements === undefined || last.statements === undefined) return [];
  const elapsedS = (now.atMs - last.atMs) / 1000;
  const spent = [...now.statements].map(([id, { spentS }]) => {
    return { id, busy: (spentS - (last.statements?.get(id)?.spentS ?? 0)) / elapsedS };
  });
  const most = spent.filter(({ busy }) => busy > 0).toSorted((left, right) => right.busy - left.busy);
  const candidates = most.slice(0, 2 * STATEMENTS_SHOWN);
  const unknown = candidates.filter(({ id }) => !texts.has(id)).map(({ id }) => id);
  if (unknown.length > 0) {
    const { rows } = await client.query(
      'select queryid::text as id, max(query) as text from pg_stat_statements where queryid = any ($1::bigint[]) group by 1',
      [unknown],
    );
    for (const { id, text } of rows) texts.set(id, oneLine(text));
  }
  const busyBy = new Map<string, number>();
  for (const { id, busy } of candidates) {
    const text = texts.get(id);
    // Commands such as `alter role ... password` are kept with their values; and our own reading is not the system's.
    if (text === undefined || !/^(select|insert|update|delete|with|merge)\b/i.test(text)) continue;
    if (text.includes('pg_stat_')) continue;
    busyBy.set(text, (busyBy.get(text) ?? 0) + busy);
  }
  return [...busyBy]
    .slice(0, STATEMENTS_SHOWN)
    .map(([text, value]) => ({ metric: `statement: ${text}`, unit: 'seconds', value }));
}

function oneLine(statement: string): string {
  const line = statement.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_STATEMENT ? `${line.slice(0, LONGEST_STATEMENT - 3)}...` : line;
}
