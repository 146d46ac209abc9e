import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Cache, CachedRoute, Database } from '../dependencies.ts';
import type { Metrics } from './metrics.ts';
import type { RedisConnection } from './redis.ts';
import { laterOf, type WalPosition, walStart } from './write-positions.ts';

/**
 * One Redis hash per route and owner: a field for each variant, and a `generation` that a load must still find when it
 * stores its value. Invalidating deletes the hash and with it the generation, so a value read before a write cannot
 * come back after it. The hash lives as long as the route's time to live from its first entry on. Beside it, for as
 * long as a replica may lag, the position of the last write, so that no later load takes what is older from a replica.
 */
const readScript = `
local found = redis.call('HMGET', KEYS[1], 'generation', 'value:' .. ARGV[1])
local generation = found[1]
if not generation then
  generation = ARGV[2]
  redis.call('HSET', KEYS[1], 'generation', generation)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return {found[2], generation, redis.call('GET', KEYS[2]) or ''}`;

const storeScript = `
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return 0 end
return redis.call('HSET', KEYS[1], 'value:' .. ARGV[1], ARGV[3])`;

const invalidateScript = `
redis.call('UNLINK', KEYS[1])
if ARGV[1] > (redis.call('GET', KEYS[2]) or '') then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return 1`;

interface Scripts {
  cacheRead(
    hash: string,
    written: string,
    variant: string,
    generation: string,
    ttlMs: number,
  ): Promise<[value: string | null, generation: string, written: WalPosition]>;
  cacheStore(hash: string, variant: string, generation: string, value: string): Promise<number>;
  cacheInvalidate(hash: string, written: string, position: WalPosition, ttlMs: number): Promise<number>;
}

export function createCache(
  config: Config,
  database: Pick<Database, 'position'>,
  redis: RedisConnection | undefined,
  metrics: Metrics,
): Cache {
  if (redis === undefined) {
    return {
      readThrough: async (_route, _key, after, load) => (await load(after)).value,
      invalidate: async () => {},
    };
  }
  const { client, attempt } = redis;
  const ttlS: Record<CachedRoute, number> = {
    'tasks-list': config.CACHE_TTL_TASKS_LIST_S,
    me: config.CACHE_TTL_ME_S,
    'task-stats': config.CACHE_TTL_TASK_STATS_S,
    'user-by-id': config.CACHE_TTL_USER_BY_ID_S,
    sessions: config.CACHE_TTL_SESSIONS_S,
  };
  client.defineCommand('cacheRead', { numberOfKeys: 2, lua: readScript });
  client.defineCommand('cacheStore', { numberOfKeys: 1, lua: storeScript });
  client.defineCommand('cacheInvalidate', { numberOfKeys: 2, lua: invalidateScript });
  const scripts = client as unknown as Scripts;

  /**
   * A Redis that comes back may have forgotten positions of writes. All of them are before the position the primary
   * has then; until that is known nothing is stored.
   */
  let floor: WalPosition | undefined;
  let floors = 0;
  async function learnFloor(): Promise<void> {
    floors += 1;
    const mine = floors;
    floor = undefined;
    try {
      const position = await database.position();
      if (mine === floors) floor = position;
    } catch {
      if (mine === floors) floorRetry = setTimeout(learnFloor, 1000).unref();
    }
  }
  let floorRetry: NodeJS.Timeout | undefined;

  /** A failed invalidation must not be forgotten: until Redis took it, its values would be stale for their whole life. */
  const unfinished = new Map<string, WalPosition>();
  async function forget(name: string, written: WalPosition): Promise<void> {
    const done = await attempt(() =>
      written === walStart
        ? client.unlink(hashName(name))
        : scripts.cacheInvalidate(hashName(name), writtenName(name), written, config.WRITE_POSITION_TTL_S * 1000),
    );
    if (done === undefined) unfinished.set(name, laterOf(written, unfinished.get(name) ?? walStart));
  }
  function finish(): void {
    const names = [...unfinished];
    unfinished.clear();
    for (const [name, written] of names) void forget(name, written);
  }
  const retry = setInterval(finish, 500).unref();

  redis.onAvailable(() => {
    finish();
    void learnFloor();
  });
  client.once('end', () => {
    clearInterval(retry);
    clearTimeout(floorRetry);
    floors += 1;
  });

  return {
    async readThrough(route, key, after, load) {
      if (ttlS[route] === 0) return (await load(after)).value;
      const [owner, variant] = splitKey(key);
      const name = `${route}:${owner}`;
      const newGeneration = randomBytes(9).toString('base64url');
      const found = await attempt(() =>
        scripts.cacheRead(hashName(name), writtenName(name), variant, newGeneration, ttlS[route] * 1000),
      );
      const [text, generation, written] = found ?? [null, undefined, walStart];
      const hit = text !== null && text.slice(0, walStart.length) >= after;
      metrics.cacheReads.inc({ route, result: found === undefined ? 'error' : hit ? 'hit' : 'miss' });
      if (hit) return JSON.parse(text.slice(walStart.length));
      const knownFloor = floor;
      const { value, asOf } = await load(laterOf(after, written, knownFloor ?? walStart));
      if (generation !== undefined && knownFloor !== undefined && value !== undefined) {
        await attempt(() => scripts.cacheStore(hashName(name), variant, generation, asOf + JSON.stringify(value)));
      }
      return value;
    },
    invalidate: (route, owner, written) => forget(`${route}:${owner}`, written),
  };
}

function hashName(name: string): string {
  return `cache:${name}`;
}

function writtenName(name: string): string {
  return `written:${name}`;
}

function splitKey(key: string): [owner: string, variant: string] {
  const colon = key.indexOf(':');
  return colon < 0 ? [key, ''] : [key.slice(0, colon), key.slice(colon + 1)];
}
