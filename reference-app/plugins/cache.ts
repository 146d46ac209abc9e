import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Cache, CachedRoute } from '../dependencies.ts';
import type { Metrics } from './metrics.ts';
import type { RedisConnection } from './redis.ts';

/**
 * One Redis hash per route and owner: a field for each variant, and a `generation` that a load must still find when it
 * stores its value. Invalidating deletes the hash and with it the generation, so a value read before a write cannot
 * come back after it. The hash lives as long as the route's time to live from its first entry on.
 */
const readScript = `
local found = redis.call('HMGET', KEYS[1], 'generation', 'value:' .. ARGV[1])
if found[2] then return {found[2], ''} end
if found[1] then return {false, found[1]} end
redis.call('HSET', KEYS[1], 'generation', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {false, ARGV[2]}`;

const storeScript = `
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return 0 end
return redis.call('HSET', KEYS[1], 'value:' .. ARGV[1], ARGV[3])`;

/** With a replica: for a while nothing is stored, as what it answers may be older than the write. */
const holdScript = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'generation', 'hold')
return redis.call('PEXPIRE', KEYS[1], ARGV[1])`;

const held = 'hold';

export function createCache(config: Config, redis: RedisConnection | undefined, metrics: Metrics): Cache {
  if (redis === undefined) return { readThrough: (_route, _key, load) => load(), invalidate: async () => {} };
  const ttlS: Record<CachedRoute, number> = {
    'tasks-list': config.CACHE_TTL_TASKS_LIST_S,
    me: config.CACHE_TTL_ME_S,
    'task-stats': config.CACHE_TTL_TASK_STATS_S,
    'user-by-id': config.CACHE_TTL_USER_BY_ID_S,
  };
  const holdMs = config.DATABASE_READER_URL === undefined ? 0 : config.CACHE_HOLD_AFTER_WRITE_MS;
  redis.client.defineCommand('cacheRead', { numberOfKeys: 1, lua: readScript });
  redis.client.defineCommand('cacheStore', { numberOfKeys: 1, lua: storeScript });
  redis.client.defineCommand('cacheHold', { numberOfKeys: 1, lua: holdScript });
  const scripts = redis.client as unknown as {
    cacheRead(hash: string, variant: string, generation: string, ttlMs: number): Promise<[string | null, string]>;
    cacheStore(hash: string, variant: string, generation: string, value: string): Promise<number>;
    cacheHold(hash: string, holdMs: number): Promise<number>;
  };

  async function readThrough<T>(route: CachedRoute, key: string, load: () => Promise<T>): Promise<T> {
    if (ttlS[route] === 0) return load();
    const [owner, variant] = splitKey(key);
    const hash = hashName(route, owner);
    const newGeneration = randomBytes(9).toString('base64url');
    const found = await redis?.attempt(() => scripts.cacheRead(hash, variant, newGeneration, ttlS[route] * 1000));
    const text = found?.[0] ?? undefined;
    metrics.cacheReads.inc({ route, result: found === undefined ? 'error' : text === undefined ? 'miss' : 'hit' });
    if (text !== undefined) return JSON.parse(text) as T;
    const value = await load();
    const generation = found?.[1] ?? held;
    if (generation !== held && value !== undefined) {
      await redis?.attempt(() => scripts.cacheStore(hash, variant, generation, JSON.stringify(value)));
    }
    return value;
  }

  /** A failed invalidation must not be forgotten: until Redis took it, its values would be stale for their whole life. */
  const unfinished = new Set<string>();
  async function forget(hash: string): Promise<void> {
    const done = await redis?.attempt((client) => (holdMs > 0 ? scripts.cacheHold(hash, holdMs) : client.unlink(hash)));
    if (done === undefined) unfinished.add(hash);
  }
  const retry = setInterval(() => {
    const hashes = [...unfinished];
    unfinished.clear();
    for (const hash of hashes) void forget(hash);
  }, 500).unref();
  redis.client.once('end', () => clearInterval(retry));

  return { readThrough, invalidate: (route, owner) => forget(hashName(route, owner)) };
}

function hashName(route: CachedRoute, owner: string): string {
  return `cache:${route}:${owner}`;
}

function splitKey(key: string): [owner: string, variant: string] {
  const colon = key.indexOf(':');
  return colon < 0 ? [key, ''] : [key.slice(0, colon), key.slice(colon + 1)];
}
