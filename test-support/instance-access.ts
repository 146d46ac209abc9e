import { Redis } from 'ioredis';
import pg from 'pg';
import type { InstanceAccess } from '../harness/providers/provider.ts';

/** What an instance says of itself through its access URL; rejects when it does not answer within `timeoutS`. */
export async function askInstance({ kind, url }: InstanceAccess, timeoutS: number): Promise<string> {
  switch (kind) {
    case 'primary':
    case 'replica':
      return await overPostgres(url, timeoutS, async (client) => {
        const { rows } = await client.query('select pg_is_in_recovery() as is_copy');
        return rows[0].is_copy ? 'copy' : 'original';
      });
    case 'pooler':
      return await overPostgres(url, timeoutS, async (client) => {
        const { rows } = await client.query('show version');
        return Object.values(rows[0] ?? {}).join(' ');
      });
    case 'cache':
      return await overRedis(url, timeoutS, (redis) => redis.ping());
    case 'load-balancer':
    case 'api': {
      const address = kind === 'api' ? `${url}/health` : url;
      const response = await fetch(address, { signal: AbortSignal.timeout(timeoutS * 1000) });
      return await response.text();
    }
    default:
      throw new Error(`no kind of service: ${kind}`);
  }
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
