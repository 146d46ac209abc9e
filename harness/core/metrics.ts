/**
 * Every value a probe may read, in one table. What a resource is and how it shows that it is used up follows B. Gregg's
 * USE method (utilization, saturation, errors: https://www.brendangregg.com/usemethod.html).
 */

export type MetricUnit = 'ratio' | 'cores' | 'bytes' | 'seconds' | 'count' | 'per-second' | 'seconds-per-second';

/** What a metric is about. */
export type Resource =
  | 'cpu'
  | 'memory'
  | 'connections'
  | 'files'
  | 'locks'
  | 'io'
  | 'network'
  | 'replication'
  | 'cache'
  | 'rate-limit'
  | 'work';

/**
 * `utilization`: how much of a resource is in use, of `limit`; of 1 where the unit is a ratio.
 * `queue`: work that waits for the resource: how much of it, for how long, or in which share of the time.
 * `limit`: how much of a resource there is. `rate`: events or amounts per second.
 * `gauge`: a state that says nothing of a limit by itself.
 */
type MetricRole = 'utilization' | 'queue' | 'limit' | 'rate' | 'gauge';

interface Metric {
  readonly unit: MetricUnit;
  readonly resource: Resource;
  readonly role: MetricRole;
  /** What it is, after the name of its source: `api/1: database connections in use`. */
  readonly label: string;
  /** Of a utilization that is no ratio: the metric of the same source that says how much there is. */
  readonly limit?: MetricId;
}

/** Its unit, resource, role, label, and the limit of a utilization that is no ratio. */
type Row = readonly [MetricUnit, Resource, MetricRole, label: string, limit?: string];

const table = {
  // The machine as a whole, source `machine`; ratios are of all its cores.
  cores: ['cores', 'cpu', 'limit', 'cores'],
  'machine-utilization': ['ratio', 'cpu', 'utilization', 'CPU of all cores'],
  interrupts: ['ratio', 'cpu', 'gauge', 'CPU spent on interrupts'],
  steal: ['ratio', 'cpu', 'gauge', 'CPU taken by the host (steal)'],
  'io-wait': ['ratio', 'io', 'gauge', 'CPU idle, waiting for a disk'],
  'network-bytes': [
    'per-second',
    'network',
    'utilization',
    'bytes per second over its busiest network interface',
    'network-limit',
  ],
  'network-limit': ['per-second', 'network', 'limit', 'bytes per second of that interface'],
  'run-queue': ['count', 'cpu', 'gauge', 'threads that run or want to run'],

  // Processes and control groups of each instance and of the generator.
  'cpu-cores': ['cores', 'cpu', 'utilization', 'CPU', 'cpu-limit'],
  'cpu-limit': ['cores', 'cpu', 'limit', 'CPU it may use'],
  'main-thread': ['ratio', 'cpu', 'utilization', 'CPU of its busiest main thread'],
  memory: ['bytes', 'memory', 'utilization', 'memory', 'memory-limit'],
  'memory-limit': ['bytes', 'memory', 'limit', 'memory it may use'],
  throttled: ['ratio', 'cpu', 'queue', 'periods in which a CPU limit stopped it'],
  'open-files': ['count', 'files', 'utilization', 'open files and sockets', 'open-files-limit'],
  'open-files-limit': ['count', 'files', 'limit', 'files and sockets it may open'],
  'throttled-time': ['seconds-per-second', 'cpu', 'gauge', 'time its threads were stopped by a CPU limit'],

  // What an API says of itself.
  'event-loop-lag-p99': ['seconds', 'cpu', 'queue', 'event loop lag (p99)'],
  'pool-size': ['count', 'connections', 'gauge', 'open database connections'],
  'pool-in-use': ['count', 'connections', 'utilization', 'database connections of the API', 'pool-limit'],
  'pool-limit': ['count', 'connections', 'limit', 'database connections it may open'],
  'pool-waiting': ['count', 'connections', 'queue', 'waiting for a database connection'],
  'password-hashes-in-use': ['count', 'cpu', 'gauge', 'password hashes being made'],
  'password-hashes-waiting': ['count', 'cpu', 'queue', 'waiting for a password hash'],
  'cache-hits': ['per-second', 'cache', 'rate', 'cached reads found'],
  'cache-misses': ['per-second', 'cache', 'rate', 'cached reads not found'],

  'rate-limited': ['per-second', 'rate-limit', 'rate', 'requests refused by a rate limit'],

  // What the responses of a trial say; no probe reads it.
  'refused-429': ['ratio', 'rate-limit', 'queue', 'requests refused by a rate limit'],

  // Connections of a server: a database, a cache, a load balancer.
  connections: ['count', 'connections', 'utilization', 'connections', 'connections-limit'],
  'connections-limit': ['count', 'connections', 'limit', 'connections it accepts'],
  'connections-active': ['count', 'connections', 'gauge', 'connections at work'],
  'connections-idle': ['count', 'connections', 'gauge', 'idle connections'],
  'connections-idle-in-transaction': ['count', 'connections', 'gauge', 'connections idle in a transaction'],
  'connections-reading': ['count', 'connections', 'gauge', 'requests being read'],
  'connections-writing': ['count', 'connections', 'gauge', 'requests being answered'],
  'connections-waiting': ['count', 'connections', 'gauge', 'kept connections'],
  requests: ['per-second', 'work', 'rate', 'requests'],

  // A database.
  'waiting-for-lock': ['count', 'locks', 'queue', 'sessions waiting for a lock'],
  'waiting-for-lwlock': ['count', 'locks', 'queue', 'sessions waiting for a lock inside the server'],
  'waiting-for-io': ['count', 'io', 'queue', 'sessions waiting for a disk'],
  'waiting-for-wal': ['count', 'io', 'queue', 'sessions waiting for the log (WAL) to be written'],
  'rows-scanned': ['per-second', 'work', 'rate', 'rows read by sequential scans'],
  'rows-by-index': ['per-second', 'work', 'rate', 'rows read by an index'],
  commits: ['per-second', 'work', 'rate', 'commits'],
  rollbacks: ['per-second', 'work', 'rate', 'rollbacks'],
  deadlocks: ['per-second', 'locks', 'rate', 'deadlocks'],
  'blocks-hit': ['per-second', 'cache', 'rate', 'blocks found in shared buffers'],
  'blocks-read': ['per-second', 'cache', 'rate', 'blocks not found in shared buffers'],
  'temp-bytes': ['per-second', 'io', 'rate', 'bytes of temporary files'],
  'rows-read': ['per-second', 'work', 'rate', 'rows read'],
  'rows-written': ['per-second', 'work', 'rate', 'rows written'],
  'wal-bytes': ['per-second', 'io', 'rate', 'bytes of write-ahead log'],
  statements: ['per-second', 'work', 'rate', 'statements'],
  'statement-time': ['seconds-per-second', 'work', 'rate', 'time spent in a statement'],
  'replica-lag': ['seconds', 'replication', 'queue', 'replica lag'],
  'replica-lag-bytes': ['bytes', 'replication', 'gauge', 'log not replayed'],
  'replica-unsent-bytes': ['bytes', 'replication', 'gauge', 'log not sent'],

  // A connection pooler.
  'clients-active': ['count', 'connections', 'gauge', 'clients being served'],
  'clients-waiting': ['count', 'connections', 'queue', 'waiting for a connection of the pooler'],
  'servers-active': ['count', 'connections', 'utilization', 'server connections of the pooler', 'servers-limit'],
  'servers-idle': ['count', 'connections', 'gauge', 'idle server connections'],
  'servers-used': ['count', 'connections', 'gauge', 'server connections to be checked'],
  'servers-limit': ['count', 'connections', 'limit', 'server connections it may open'],
  'longest-wait': ['seconds', 'connections', 'gauge', 'longest wait of a client'],
  'wait-mean': ['seconds', 'connections', 'gauge', 'mean wait of a transaction'],
  queries: ['per-second', 'work', 'rate', 'queries'],
  transactions: ['per-second', 'work', 'rate', 'transactions'],

  // A key-value store.
  'data-memory': ['bytes', 'memory', 'utilization', 'memory for data', 'data-memory-limit'],
  'data-memory-limit': ['bytes', 'memory', 'limit', 'memory for data it may use'],
  keys: ['count', 'memory', 'gauge', 'keys'],
  'key-hits': ['per-second', 'cache', 'rate', 'keys found'],
  'key-misses': ['per-second', 'cache', 'rate', 'keys not found'],
  evictions: ['per-second', 'memory', 'rate', 'keys evicted'],
  commands: ['per-second', 'work', 'rate', 'commands'],
} as const satisfies Readonly<Record<string, Row>>;

export type MetricId = keyof typeof table;

export const metrics = Object.fromEntries(
  Object.entries<Row>(table).map(([id, [unit, resource, role, label, limit]]) => [
    id,
    { unit, resource, role, label, ...(limit !== undefined && { limit }) },
  ]),
) as Readonly<Record<MetricId, Metric>>;

export function isMetricId(name: string): name is MetricId {
  return Object.hasOwn(table, name);
}
