import { Redis, ReplyError } from 'ioredis';
import type { Config } from '../config.ts';

export interface RedisLog {
  warn(details: object, message: string): void;
}

/**
 * A connection whose users can do without it. While Redis is away, or hangs, a call fails at once instead of waiting:
 * only those in progress when it fell silent wait REDIS_TIMEOUT_MS. A ping finds out when it is back.
 */
export interface RedisConnection {
  readonly client: Redis;
  /** What `use` gives, or undefined when Redis does not answer. */
  attempt<T>(use: (client: Redis) => Promise<T>): Promise<T | undefined>;
  /** Resolves when the first attempt to connect went well or not: limits and cache are there from the first request. */
  readonly tried: Promise<void>;
  /** Called each time Redis begins to answer, now too when it does. It may have lost all it held. */
  onAvailable(listener: () => void): void;
  /** Called each time it ceases to. */
  onLost(listener: () => void): void;
  /** For how long it has not answered; 0 while it does. */
  lostForMs(): number;
  close(): void;
}

const pingEveryMs = 250;

/** Every process that uses Redis finds out within this time when it falls silent, or is back. */
export const noticedWithinMs = 1000;

export function connectRedis(config: Config & { REDIS_URL: string }, log: RedisLog): RedisConnection {
  const client = new Redis(config.REDIS_URL, {
    connectionName: 'reference-app',
    commandTimeout: config.REDIS_TIMEOUT_MS,
    connectTimeout: 2000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempts) => Math.min(50 * attempts, pingEveryMs),
  });
  const tried = Promise.withResolvers<void>();
  client.once('ready', () => tried.resolve());
  client.once('error', () => tried.resolve());

  const whenAvailable: (() => void)[] = [];
  const whenLost: (() => void)[] = [];
  let available = false;
  let lostAtMs = performance.now();
  /** When it was last seen to answer: the moment the ping was sent. */
  let answeredAtMs = Number.NEGATIVE_INFINITY;
  let isDown = false;

  let closing = false;
  function lose(reason: string): void {
    if (closing) return;
    if (!isDown) log.warn({ reason }, 'Redis does not answer; going on without it');
    isDown = true;
    if (!available) return;
    available = false;
    lostAtMs = performance.now();
    for (const listener of whenLost) listener();
  }

  function answered(sentAtMs: number): void {
    answeredAtMs = sentAtMs;
    if (available) return;
    if (isDown) log.warn({}, 'Redis answers again');
    isDown = false;
    available = true;
    for (const listener of whenAvailable) listener();
  }

  /** Pings may have stopped with this whole process. What Redis held before counts only while it was watched. */
  function isAvailable(): boolean {
    if (available && performance.now() - answeredAtMs > noticedWithinMs) lose('no answer for too long');
    return available;
  }

  let pinging: Promise<void> | undefined;
  function ping(): Promise<void> {
    if (client.status === 'ready') pinging ??= askForPong();
    return pinging ?? Promise.resolve();
  }
  async function askForPong(): Promise<void> {
    const sentAtMs = performance.now();
    try {
      await client.ping();
      isAvailable();
      answered(sentAtMs);
    } catch (error) {
      lose((error as Error).message);
    } finally {
      pinging = undefined;
    }
  }

  const pings = setInterval(ping, pingEveryMs).unref();
  client.on('ready', ping);
  client.on('error', (error: Error) => lose(error.message));
  client.on('close', () => lose('the connection ended'));
  client.once('end', () => clearInterval(pings));

  return {
    client,
    tried: tried.promise.then(ping),
    async attempt(use) {
      if (!isAvailable()) return undefined;
      try {
        return await use(client);
      } catch (error) {
        // An answer, if a bad one: it is there.
        if (!(error instanceof ReplyError)) lose((error as Error).message);
        else log.warn({ reason: (error as Error).message }, 'Redis refused a command');
        return undefined;
      }
    },
    onAvailable(listener) {
      whenAvailable.push(listener);
      if (available) listener();
    },
    onLost(listener) {
      whenLost.push(listener);
    },
    lostForMs: () => (available ? 0 : performance.now() - lostAtMs),
    close() {
      closing = true;
      clearInterval(pings);
      client.disconnect();
    },
  };
}
