import { Redis } from 'ioredis';
import pg from 'pg';
import type { InstanceAccess } from '../harness/providers/provider.ts';

/** What an instance says of itself through its access URL; rejects when it does not answer within `timeoutS`. */
export async function askInstance({ kind, url }: InstanceAccess, timeoutS: number): Promise<string> {
  if (url.startsWith('redis:')) return await overRedis(url, timeoutS, (redis) => redis.ping());
  if (url.startsWith('http:')) {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutS * 1000) });
    return await response.text();
  }
  const [question, answer] =
    kind === 'pooler'
      ? ['show version', (row: object) => Object.values(row).join(' ')]
      : ['select pg_is_in_recovery() as copy', (row: { copy?: boolean }) => (row.copy ? 'copy' : 'original')];
  return await overPostgres(url, timeoutS, async (client) => answer((await client.query(question)).rows[0] ?? {}));
}

/** Whether it answers at all within half a second. */
export function answers(access: InstanceAccess, timeoutS = 0.5): Promise<boolean> {
  return askInstance(access, timeoutS).then(
    () => true,
    () => false,
  );
}

export async function overPostgres<T>(
  url: string,
  timeoutS: number,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const timeoutMs = timeoutS * 1000;
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    // A server that is paused does not close its side.
    const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
    const destroyLater = setTimeout(() => stream.destroy(), timeoutMs);
    await client.end().catch(() => {});
    clearTimeout(destroyLater);
  }
}

export async function overRedis<T>(url: string, timeoutS: number, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutS * 1000,
    commandTimeout: timeoutS * 1000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
