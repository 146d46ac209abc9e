import type pg from 'pg';
import { postgresConnection } from './postgres-connection.ts';
import { type Probe, type Reading, readingsOf, rememberCounters, type Values } from './probe.ts';

const STATEMENTS_SHOWN = 5;
const LONGEST_STATEMENT = 80;

const counterMetrics = {
  commits: 'xact_commit',
  rollbacks: 'xact_rollback',
  'blocks-read': 'blks_read',
  'blocks-hit': 'blks_hit',
  'temp-bytes': 'temp_bytes',
  deadlocks: 'deadlocks',
  'rows-read': 'tup_fetched',
  'rows-written': 'tup_inserted + tup_updated + tup_deleted',
} as const;
type Counter = keyof typeof counterMetrics | 'rows-scanned' | 'rows-by-index' | 'wal-bytes' | 'statements';

/** Query id -> seconds spent in it since the server's statistics began. */
type Statements = ReadonlyMap<string, number>;

/**
 * A PostgreSQL server by its statistics views, on a connection of its own that is not counted. Where the server loads
 * pg_stat_statements, also the statements that took most time since the last reading; their texts hold placeholders, not
 * values.
 */
export function postgresProbe(options: { readonly databaseUrl: string; readonly source: string }): Probe {
  const texts = new Map<string, string>();
  const counters = rememberCounters<Counter>();
  let statementsBefore: Statements | undefined;
  let hasStatements: boolean | undefined;
  const connection = postgresConnection({
    url: options.databaseUrl,
    onLost() {
      counters.forget();
      statementsBefore = undefined;
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
        const read = hasStatements === true ? await readStatements(client) : undefined;
        const since = counters.next({ ...(await readCounters(client)), statements: read?.calls ?? 0 });
        const statements = read?.spentS;
        const last = statementsBefore;
        statementsBefore = statements;
        const { statements: calls, ...perS } = since?.perS ?? {};
        const readings = readingsOf(options.source, sessions, perS, read === undefined ? {} : { statements: calls });
        if (since === undefined || last === undefined || statements === undefined) return readings;
        const spentS = [...statements].map(([id, nowS]) => ({ id, spentS: nowS - (last.get(id) ?? 0) }));
        const longest = await longestStatements(client, spentS, texts);
        return [
          ...readings,
          ...longest.map(([detail, inItS]): Reading => {
            return { source: options.source, metric: 'statement-time', detail, value: inItS / since.elapsedS };
          }),
        ];
      });
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

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

async function readSessions(client: pg.Client): Promise<Values> {
  const { rows } = await client.query(`
    select count(*)::int as "connections",
           -- For the account of the app, which is ours; one of them is our own.
           (select current_setting('max_connections')::int - 1
                   - case when rolsuper then 0 else current_setting('superuser_reserved_connections')::int end
              from pg_roles where rolname = current_user) as "connections-limit",
           count(*) filter (where state = 'active')::int as "connections-active",
           count(*) filter (where state = 'idle')::int as "connections-idle",
           count(*) filter (where state like 'idle in transaction%')::int as "connections-idle-in-transaction",
           count(*) filter (where state = 'active' and wait_event_type = 'Lock')::int as "waiting-for-lock",
           count(*) filter (where state = 'active' and wait_event_type = 'LWLock' and not wal)::int as "waiting-for-lwlock",
           count(*) filter (where state = 'active' and wait_event_type = 'IO' and not wal)::int as "waiting-for-io",
           count(*) filter (where state = 'active' and wal)::int as "waiting-for-wal"
      from pg_stat_activity,
           -- Versions write it in other ways: WALSync, WalSync. A commit that is delayed holds the lock of the log.
           lateral (select coalesce(wait_event ~* '^wal|^CommitDelay$', false) as wal) as event
     where backend_type = 'client backend' and pid <> pg_backend_pid()`);
  return rows[0];
}

async function readCounters(client: pg.Client): Promise<Record<Exclude<Counter, 'statements'>, number>> {
  const columns = Object.entries(counterMetrics).map(([metric, column]) => `(${column})::float8 as "${metric}"`);
  const { rows } = await client.query(
    `select ${columns.join(', ')}, scanned as "rows-scanned", fetched as "rows-by-index",
            (select wal_bytes::float8 from pg_stat_wal) as "wal-bytes"
       from pg_stat_database,
            (select coalesce(sum(seq_tup_read), 0)::float8 as scanned, coalesce(sum(idx_tup_fetch), 0)::float8 as fetched
               from pg_stat_user_tables) as tables
      where datname = current_database()`,
  );
  return rows[0];
}

async function readStatements(client: pg.Client): Promise<{ readonly spentS: Statements; readonly calls: number }> {
  const { rows } = await client.query(`
    select queryid::text as id, sum(total_exec_time) / 1000 as "spentS", sum(calls)::float8 as calls
      from pg_stat_statements(false)
     where dbid = (select oid from pg_database where datname = current_database())
     group by queryid`);
  return {
    spentS: new Map(rows.map(({ id, spentS }) => [id, spentS])),
    calls: rows.reduce((sum, { calls }) => sum + calls, 0),
  };
}

/** Text and seconds of the statements in which most time was spent. Texts are asked for once. */
async function longestStatements(
  client: pg.Client,
  statements: readonly { readonly id: string; readonly spentS: number }[],
  texts: Map<string, string>,
): Promise<readonly (readonly [text: string, spentS: number])[]> {
  const candidates = statements
    .filter(({ spentS }) => spentS > 0)
    .toSorted((left, right) => right.spentS - left.spentS)
    .slice(0, 2 * STATEMENTS_SHOWN);
  const unknown = candidates.filter(({ id }) => !texts.has(id)).map(({ id }) => id);
  if (unknown.length > 0) {
    const { rows } = await client.query(
      'select queryid::text as id, max(query) as text from pg_stat_statements where queryid = any ($1::bigint[]) group by 1',
      [unknown],
    );
    for (const { id, text } of rows) texts.set(id, oneLine(text));
  }
  const spentIn = new Map<string, number>();
  for (const { id, spentS } of candidates) {
    const text = texts.get(id);
    // Commands such as `alter role ... password` are kept with their values; and our own reading is not the system's.
    if (text === undefined || !/^(select|insert|update|delete|with|merge)\b/i.test(text)) continue;
    if (text.includes('pg_stat_')) continue;
    spentIn.set(text, (spentIn.get(text) ?? 0) + spentS);
  }
  return [...spentIn].slice(0, STATEMENTS_SHOWN);
}

function oneLine(statement: string): string {
  const line = statement.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_STATEMENT ? `${line.slice(0, LONGEST_STATEMENT - 3)}...` : line;
}
