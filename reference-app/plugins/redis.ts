import { Redis } from 'ioredis';
import type { Config } from '../config.ts';

export interface RedisLog {
  warn(details: object, message: string): void;
}

/**
 * A connection whose users can do without it. While Redis is away a call fails at once instead of waiting, and one
 * that hangs costs REDIS_TIMEOUT_MS once a second, not on every request.
 */
export interface RedisConnection {
  readonly client: Redis;
  /** What `use` gives, or undefined when Redis does not answer. */
  attempt<T>(use: (client: Redis) => Promise<T>): Promise<T | undefined>;
  /** Resolves when the first attempt to connect went well or not: limits and cache are there from the first request. */
  readonly tried: Promise<void>;
  /** Called each time the connection is up, now too when it is. */
  onReady(listener: () => void): void;
  close(): void;
}

const pauseAfterFailureMs = 1000;

export function connectRedis(config: Config & { REDIS_URL: string }, log: RedisLog): RedisConnection {
  const client = new Redis(config.REDIS_URL, {
    connectionName: 'reference-app',
    commandTimeout: config.REDIS_TIMEOUT_MS,
    connectTimeout: 2000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempts) => Math.min(50 * attempts, 1000),
  });
  const tried = Promise.withResolvers<void>();
  client.once('ready', () => tried.resolve());
  client.once('error', () => tried.resolve());
  let failedAtMs = Number.NEGATIVE_INFINITY;
  let told = false;
  client.on('error', (error: Error) => {
    if (!told) log.warn({ reason: error.message }, 'Redis does not answer; going on without it');
    told = true;
  });
  client.on('ready', () => {
    if (told) log.warn({}, 'Redis answers again');
    told = false;
    failedAtMs = Number.NEGATIVE_INFINITY;
  });
  return {
    client,
    tried: tried.promise,
    async attempt(use) {
      if (client.status !== 'ready' || performance.now() - failedAtMs < pauseAfterFailureMs) return undefined;
      try {
        return await use(client);
      } catch (error) {
        failedAtMs = performance.now();
        log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'a Redis command failed');
        return undefined;
      }
    },
    onReady(listener) {
      client.on('ready', listener);
      if (client.status === 'ready') listener();
    },
    close() {
      client.disconnect();
    },
  };
}
