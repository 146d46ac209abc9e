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
  readonly limit?: string;
}

const table = {
  // The machine as a whole, source `machine`; ratios are of all its cores.
  cores: { unit: 'cores', resource: 'cpu', role: 'limit', label: 'cores' },
  'machine-utilization': { unit: 'ratio', resource: 'cpu', role: 'utilization', label: 'CPU of all cores' },
  interrupts: { unit: 'ratio', resource: 'cpu', role: 'gauge', label: 'CPU spent on interrupts' },
  steal: { unit: 'ratio', resource: 'cpu', role: 'gauge', label: 'CPU taken by the host (steal)' },
  'io-wait': { unit: 'ratio', resource: 'io', role: 'gauge', label: 'CPU idle, waiting for a disk' },
  'network-bytes': {
    unit: 'per-second',
    resource: 'network',
    role: 'utilization',
    label: 'bytes per second over its busiest network interface',
    limit: 'network-limit',
  },
  'network-limit': {
    unit: 'per-second',
    resource: 'network',
    role: 'limit',
    label: 'bytes per second of that interface',
  },
  'run-queue': { unit: 'count', resource: 'cpu', role: 'gauge', label: 'threads that run or want to run' },

  // Processes and control groups of each instance and of the generator.
  'cpu-cores': { unit: 'cores', resource: 'cpu', role: 'utilization', label: 'CPU', limit: 'cpu-limit' },
  'cpu-limit': { unit: 'cores', resource: 'cpu', role: 'limit', label: 'CPU it may use' },
  'main-thread': { unit: 'ratio', resource: 'cpu', role: 'utilization', label: 'CPU of its busiest main thread' },
  memory: { unit: 'bytes', resource: 'memory', role: 'utilization', label: 'memory', limit: 'memory-limit' },
  'memory-limit': { unit: 'bytes', resource: 'memory', role: 'limit', label: 'memory it may use' },
  throttled: { unit: 'ratio', resource: 'cpu', role: 'queue', label: 'periods in which a CPU limit stopped it' },
  'open-files': {
    unit: 'count',
    resource: 'files',
    role: 'utilization',
    label: 'open files and sockets',
    limit: 'open-files-limit',
  },
  'open-files-limit': { unit: 'count', resource: 'files', role: 'limit', label: 'files and sockets it may open' },
  'throttled-time': {
    unit: 'seconds-per-second',
    resource: 'cpu',
    role: 'gauge',
    label: 'time its threads were stopped by a CPU limit',
  },

  // What an API says of itself.
  'event-loop-lag-p99': { unit: 'seconds', resource: 'cpu', role: 'queue', label: 'event loop lag (p99)' },
  'pool-size': { unit: 'count', resource: 'connections', role: 'gauge', label: 'open database connections' },
  'pool-in-use': {
    unit: 'count',
    resource: 'connections',
    role: 'utilization',
    label: 'database connections of the API',
    limit: 'pool-limit',
  },
  'pool-limit': { unit: 'count', resource: 'connections', role: 'limit', label: 'database connections it may open' },
  'pool-waiting': { unit: 'count', resource: 'connections', role: 'queue', label: 'waiting for a database connection' },
  'password-hashes-in-use': { unit: 'count', resource: 'cpu', role: 'gauge', label: 'password hashes being made' },
  'password-hashes-waiting': { unit: 'count', resource: 'cpu', role: 'queue', label: 'waiting for a password hash' },
  'cache-hits': { unit: 'per-second', resource: 'cache', role: 'rate', label: 'cached reads found' },
  'cache-misses': { unit: 'per-second', resource: 'cache', role: 'rate', label: 'cached reads not found' },

  'rate-limited': {
    unit: 'per-second',
    resource: 'rate-limit',
    role: 'rate',
    label: 'requests refused by a rate limit',
  },

  // What the responses of a trial say; no probe reads it.
  'refused-429': { unit: 'ratio', resource: 'rate-limit', role: 'queue', label: 'requests refused by a rate limit' },

  // Connections of a server: a database, a cache, a load balancer.
  connections: {
    unit: 'count',
    resource: 'connections',
    role: 'utilization',
    label: 'connections',
    limit: 'connections-limit',
  },
  'connections-limit': { unit: 'count', resource: 'connections', role: 'limit', label: 'connections it accepts' },
  'connections-active': { unit: 'count', resource: 'connections', role: 'gauge', label: 'connections at work' },
  'connections-idle': { unit: 'count', resource: 'connections', role: 'gauge', label: 'idle connections' },
  'connections-idle-in-transaction': {
    unit: 'count',
    resource: 'connections',
    role: 'gauge',
    label: 'connections idle in a transaction',
  },
  'connections-reading': { unit: 'count', resource: 'connections', role: 'gauge', label: 'requests being read' },
  'connections-writing': { unit: 'count', resource: 'connections', role: 'gauge', label: 'requests being answered' },
  'connections-waiting': { unit: 'count', resource: 'connections', role: 'gauge', label: 'kept connections' },
  requests: { unit: 'per-second', resource: 'work', role: 'rate', label: 'requests' },

  // A database.
  'waiting-for-lock': { unit: 'count', resource: 'locks', role: 'queue', label: 'sessions waiting for a lock' },
  'waiting-for-lwlock': {
    unit: 'count',
    resource: 'locks',
    role: 'queue',
    label: 'sessions waiting for a lock inside the server',
  },
  'waiting-for-io': { unit: 'count', resource: 'io', role: 'queue', label: 'sessions waiting for a disk' },
  'waiting-for-wal': {
    unit: 'count',
    resource: 'io',
    role: 'queue',
    label: 'sessions waiting for the log (WAL) to be written',
  },
  'rows-scanned': { unit: 'per-second', resource: 'work', role: 'rate', label: 'rows read by sequential scans' },
  'rows-by-index': { unit: 'per-second', resource: 'work', role: 'rate', label: 'rows read by an index' },
  commits: { unit: 'per-second', resource: 'work', role: 'rate', label: 'commits' },
  rollbacks: { unit: 'per-second', resource: 'work', role: 'rate', label: 'rollbacks' },
  deadlocks: { unit: 'per-second', resource: 'locks', role: 'rate', label: 'deadlocks' },
  'blocks-hit': { unit: 'per-second', resource: 'cache', role: 'rate', label: 'blocks found in shared buffers' },
  'blocks-read': { unit: 'per-second', resource: 'cache', role: 'rate', label: 'blocks not found in shared buffers' },
  'temp-bytes': { unit: 'per-second', resource: 'io', role: 'rate', label: 'bytes of temporary files' },
  'rows-read': { unit: 'per-second', resource: 'work', role: 'rate', label: 'rows read' },
  'rows-written': { unit: 'per-second', resource: 'work', role: 'rate', label: 'rows written' },
  'wal-bytes': { unit: 'per-second', resource: 'io', role: 'rate', label: 'bytes of write-ahead log' },
  statements: { unit: 'per-second', resource: 'work', role: 'rate', label: 'statements' },
  'statement-time': { unit: 'seconds-per-second', resource: 'work', role: 'rate', label: 'time spent in a statement' },
  'replica-lag': { unit: 'seconds', resource: 'replication', role: 'queue', label: 'replica lag' },
  'replica-lag-bytes': { unit: 'bytes', resource: 'replication', role: 'gauge', label: 'log not replayed' },
  'replica-unsent-bytes': { unit: 'bytes', resource: 'replication', role: 'gauge', label: 'log not sent' },

  // A connection pooler.
  'clients-active': { unit: 'count', resource: 'connections', role: 'gauge', label: 'clients being served' },
  'clients-waiting': {
    unit: 'count',
    resource: 'connections',
    role: 'queue',
    label: 'waiting for a connection of the pooler',
  },
  'servers-active': {
    unit: 'count',
    resource: 'connections',
    role: 'utilization',
    label: 'server connections of the pooler',
    limit: 'servers-limit',
  },
  'servers-idle': { unit: 'count', resource: 'connections', role: 'gauge', label: 'idle server connections' },
  'servers-used': { unit: 'count', resource: 'connections', role: 'gauge', label: 'server connections to be checked' },
  'servers-limit': { unit: 'count', resource: 'connections', role: 'limit', label: 'server connections it may open' },
  'longest-wait': { unit: 'seconds', resource: 'connections', role: 'gauge', label: 'longest wait of a client' },
  'wait-mean': { unit: 'seconds', resource: 'connections', role: 'gauge', label: 'mean wait of a transaction' },
  queries: { unit: 'per-second', resource: 'work', role: 'rate', label: 'queries' },
  transactions: { unit: 'per-second', resource: 'work', role: 'rate', label: 'transactions' },

  // A key-value store.
  'data-memory': {
    unit: 'bytes',
    resource: 'memory',
    role: 'utilization',
    label: 'memory for data',
    limit: 'data-memory-limit',
  },
  'data-memory-limit': { unit: 'bytes', resource: 'memory', role: 'limit', label: 'memory for data it may use' },
  'key-hits': { unit: 'per-second', resource: 'cache', role: 'rate', label: 'keys found' },
  'key-misses': { unit: 'per-second', resource: 'cache', role: 'rate', label: 'keys not found' },
  evictions: { unit: 'per-second', resource: 'memory', role: 'rate', label: 'keys evicted' },
  commands: { unit: 'per-second', resource: 'work', role: 'rate', label: 'commands' },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricId = keyof typeof table;

/** The registry: a limit in it is one of its metrics. */
export const metrics: Readonly<Record<MetricId, Omit<Metric, 'limit'> & { readonly limit?: MetricId }>> = table;

export function isMetricId(name: string): name is MetricId {
  return Object.hasOwn(table, name);
}
