import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Database } from '../dependencies.ts';
import { noticedWithinMs, type RedisConnection } from './redis.ts';

/**
 * Access tokens refused before they expire. The table revoked_tokens is the truth; memory and Redis are copies that
 * answer faster, and are asked only while they are known to hold all of it.
 */
export interface Blacklist {
  /** Whether the token, or the session it belongs to, is revoked. Throws when no store can tell. */
  isRevoked(tokenId: string, sessionId: string): Promise<boolean>;
  /**
   * Call when the rows are in revoked_tokens, and answer the request only then: no process accepts them any more. While
   * Redis is being lost that takes up to a second.
   */
  added(entries: readonly RevokedEntry[]): Promise<void>;
}

export interface RevokedEntry {
  /** A token id, or `session:` and a session id. */
  readonly tokenId: string;
  readonly expiresAt: Date;
}

export function sessionEntry(sessionId: string): string {
  return `session:${sessionId}`;
}

export function createBlacklist(config: Config, database: Database, redis: RedisConnection | undefined): Blacklist {
  if (config.BLACKLIST_STORE === 'redis' && redis !== undefined) return redisBlacklist(database, redis);
  if (config.BLACKLIST_STORE === 'memory') return memoryBlacklist(database);
  return databaseBlacklist(database);
}

function databaseBlacklist(database: Database): Blacklist {
  return {
    async isRevoked(tokenId, sessionId) {
      const result = await database.writer.query({
        name: 'revoked-token',
        text: 'select 1 from revoked_tokens where token_id = $1 or token_id = $2 limit 1',
        values: [tokenId, sessionEntry(sessionId)],
      });
      return result.rowCount !== 0;
    },
    async added() {},
  };
}

async function unexpiredEntries(database: Database): Promise<RevokedEntry[]> {
  const result = await database.writer.query<{ tokenId: string; expiresAt: Date }>({
    text: 'select token_id as "tokenId", expires_at as "expiresAt" from revoked_tokens where expires_at > now()',
  });
  return result.rows;
}

/** For one process. It reads the table before it first answers, so a restart forgets nothing. */
function memoryBlacklist(database: Database): Blacklist {
  const expiryMsByEntry = new Map<string, number>();
  const remember = (entries: readonly RevokedEntry[]) => {
    for (const { tokenId, expiresAt } of entries) expiryMsByEntry.set(tokenId, expiresAt.getTime());
  };
  let loaded = false;
  let loading: Promise<void> | undefined;
  let sweptAtMs = Date.now();

  async function load(): Promise<void> {
    try {
      remember(await unexpiredEntries(database));
      loaded = true;
    } finally {
      loading = undefined;
    }
  }

  function sweep(): void {
    const nowMs = Date.now();
    if (nowMs - sweptAtMs < 60_000) return;
    sweptAtMs = nowMs;
    for (const [entry, expiryMs] of expiryMsByEntry) if (expiryMs <= nowMs) expiryMsByEntry.delete(entry);
  }

  return {
    async isRevoked(tokenId, sessionId) {
      if (!loaded) {
        loading ??= load();
        await loading;
      }
      return expiryMsByEntry.has(tokenId) || expiryMsByEntry.has(sessionEntry(sessionId));
    },
    async added(entries) {
      sweep();
      remember(entries);
    },
  };
}

/**
 * For many processes. Redis may lose what it holds, and what is revoked while it is away never reaches it. So each time
 * it is back the table answers until Redis was given all of the table again; and a key that is missing when it does not
 * hold all sends every process to the table.
 *
 * Processes do not notice at the same moment that it went and came back, but within `noticedWithinMs`. Without waiting,
 * one that still (or again) believes Redis would accept what another revoked without it. Therefore a process that
 * cannot tell Redis of a revocation lets that time pass since Redis was lost before it says that the token is revoked,
 * and one to which Redis is back lets it pass before it reads the table.
 */
function redisBlacklist(database: Database, redis: RedisConnection): Blacklist {
  const table = databaseBlacklist(database);
  let complete = false;
  let fillings = 0;

  async function write(entries: readonly RevokedEntry[], isAll = false): Promise<boolean> {
    if (entries.length === 0 && !isAll) return true;
    const answers = await redis.attempt(async (client) => {
      const pipeline = client.pipeline();
      for (const { tokenId, expiresAt } of entries) {
        pipeline.set(redisKey(tokenId), '1', 'PXAT', expiresAt.getTime());
      }
      if (isAll) pipeline.set(completeKey, '1');
      const results = await pipeline.exec();
      for (const [error] of results ?? []) if (error !== null) throw error;
      return true;
    });
    return answers === true;
  }

  async function fillAfter(delayMs: number): Promise<void> {
    complete = false;
    fillings += 1;
    const mine = fillings;
    await delay(delayMs, undefined, { ref: false });
    try {
      const filled = mine === fillings && (await write(await unexpiredEntries(database), true));
      if (filled && mine === fillings) complete = true;
    } catch {
      // The database is away too.
    }
    if (mine === fillings && !complete) void fillAfter(1000);
  }

  redis.onAvailable(() => void fillAfter(noticedWithinMs));
  redis.onLost(() => {
    complete = false;
    fillings += 1;
  });

  return {
    async isRevoked(tokenId, sessionId) {
      if (complete) {
        const [all, ...revoked] =
          (await redis.attempt((client) =>
            client.mget(completeKey, redisKey(tokenId), redisKey(sessionEntry(sessionId))),
          )) ?? [];
        if (typeof all === 'string') return revoked.some((entry) => entry !== null);
        if (all === null && complete) void fillAfter(0);
      }
      return table.isRevoked(tokenId, sessionId);
    },
    async added(entries) {
      while (!(await write(entries)) && redis.lostForMs() < noticedWithinMs) {
        // A Redis that is full takes nothing, but gives away.
        const toTheTable = await redis.attempt((client) => client.unlink(completeKey));
        if (toTheTable !== undefined) return void fillAfter(0);
        await delay(50);
      }
    },
  };
}

const completeKey = 'revoked:complete';

function redisKey(tokenId: string): string {
  return `revoked:${tokenId}`;
}
