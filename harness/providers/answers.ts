import { Redis } from 'ioredis';
import pg from 'pg';

/** How long one question may take, in milliseconds. */
const ANSWER_MS = 1000;

/** Asks a PostgreSQL, or what speaks like one, one thing. */
export async function askPostgres(
  url: string,
  question: string,
  limitMs = ANSWER_MS,
): Promise<Readonly<Record<string, unknown>>> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: limitMs,
    query_timeout: limitMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(question)).rows[0] ?? {};
  } finally {
    // One that is paused would not say goodbye.
    void client.end().catch(() => {});
  }
}

/** The version of the Redis at `url`. */
export async function askRedis(url: string): Promise<string> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
    return /^redis_version:(\S+)/m.exec(await client.info('server'))?.[1] ?? '';
  } finally {
    client.disconnect();
  }
}
