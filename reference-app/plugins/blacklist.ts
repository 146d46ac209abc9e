import type { Config } from '../config.ts';
import type { Database } from '../dependencies.ts';
import type { RedisConnection } from './redis.ts';

/**
 * Access tokens refused before they expire. The table revoked_tokens is the truth; memory and Redis are copies that
 * answer faster, and are asked only while they are known to hold all of it.
 */
export interface Blacklist {
  /** Whether the token, or the session it belongs to, is revoked. Throws when no store can tell. */
  isRevoked(tokenId: string, sessionId: string): Promise<boolean>;
  /** Call when the rows are in revoked_tokens, to bring the copy up to date. */
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
  const result = await database.writer.query<RevokedEntry>(
    'select token_id as "tokenId", expires_at as "expiresAt" from revoked_tokens where expires_at > now()',
  );
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
 * For many processes. Redis may lose what it holds when it restarts, so after each connection, and after a write that
 * failed, the table answers until Redis has been given all of it again.
 */
function redisBlacklist(database: Database, redis: RedisConnection): Blacklist {
  const table = databaseBlacklist(database);
  let complete = false;
  let connections = 0;

  async function write(entries: readonly RevokedEntry[]): Promise<boolean> {
    if (entries.length === 0) return true;
    const answers = await redis.attempt(async (client) => {
      const pipeline = client.pipeline();
      for (const { tokenId, expiresAt } of entries) {
        pipeline.set(redisKey(tokenId), '1', 'PXAT', expiresAt.getTime());
      }
      const results = await pipeline.exec();
      for (const [error] of results ?? []) if (error !== null) throw error;
      return true;
    });
    return answers === true;
  }

  async function fill(): Promise<void> {
    complete = false;
    connections += 1;
    const connection = connections;
    try {
      if ((await write(await unexpiredEntries(database))) && connection === connections) {
        complete = true;
        return;
      }
    } catch {
      // The database is away too; the next try is below.
    }
    if (connection === connections && redis.client.status !== 'end') setTimeout(fill, 1000).unref();
  }

  redis.onReady(() => void fill());
  redis.client.on('close', () => {
    complete = false;
  });

  return {
    async isRevoked(tokenId, sessionId) {
      if (complete) {
        const known = await redis.attempt((client) =>
          client.exists(redisKey(tokenId), redisKey(sessionEntry(sessionId))),
        );
        if (known !== undefined) return known > 0;
      }
      return table.isRevoked(tokenId, sessionId);
    },
    async added(entries) {
      if (!(await write(entries))) void fill();
    },
  };
}

function redisKey(tokenId: string): string {
  return `revoked:${tokenId}`;
}
