import { Redis } from 'ioredis';
import { type Probe, readingsOf, rememberCounters } from './probe.ts';

const TIMEOUT_MS = 3000;

/** A Redis by INFO, on a connection of its own that is not counted. */
export function redisProbe({ url, source }: { readonly url: string; readonly source: string }): Probe {
  const counters = rememberCounters<'hits' | 'misses' | 'evictions' | 'commands'>();
  let client: Redis | undefined;
  let disposed = false;

  function forget(lost: Redis): void {
    lost.disconnect();
    if (client !== lost) return;
    client = undefined;
    counters.forget();
  }

  async function connected(): Promise<Redis> {
    if (disposed) throw new Error('the probe was disposed of');
    if (client !== undefined) return client;
    const opened = new Redis(url, {
      lazyConnect: true,
      connectionName: 'tierbench-probe',
      connectTimeout: TIMEOUT_MS,
      commandTimeout: TIMEOUT_MS,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    let problem: Error | undefined;
    opened.on('error', (error) => {
      problem = error;
    });
    opened.once('close', () => forget(opened));
    client = opened;
    await opened.connect().catch((error) => {
      // What it rejects with does not say why.
      throw problem ?? error;
    });
    return opened;
  }

  async function readInfo(): Promise<ReadonlyMap<string, string>> {
    try {
      return parseInfo(await (await connected()).info());
    } catch (error) {
      if (client !== undefined) forget(client);
      throw error;
    }
  }

  return {
    name: 'redis',
    async read() {
      const info = await readInfo();
      const since = counters.next({
        hits: field(info, 'keyspace_hits'),
        misses: field(info, 'keyspace_misses'),
        evictions: field(info, 'evicted_keys'),
        commands: field(info, 'total_commands_processed'),
      });
      // Older servers do not say how many connections they accept; a limit of 0 is none.
      const clients = Number(info.get('maxclients') ?? 0);
      const memoryBytes = field(info, 'maxmemory');
      return readingsOf(source, {
        connections: Math.max(0, field(info, 'connected_clients') - 1),
        'connections-limit': clients > 0 ? clients : undefined,
        'data-memory': field(info, 'used_memory'),
        'data-memory-limit': memoryBytes > 0 ? memoryBytes : undefined,
        keys: keysIn(info),
        'key-hits': since?.perS.hits,
        'key-misses': since?.perS.misses,
        evictions: since?.perS.evictions,
        // One of them is our own INFO.
        commands: since && Math.max(0, since.by.commands - 1) / since.elapsedS,
      });
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      client?.disconnect();
      client = undefined;
    },
  };
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(/\r?\n/).map((line) => line.split(':') as [string, string]));
}

/** Of all databases: `db0:keys=12,expires=12`. One without keys is not named. */
function keysIn(info: ReadonlyMap<string, string>): number {
  return [...info]
    .filter(([name]) => /^db\d+$/u.test(name))
    .reduce((total, [, text]) => total + Number(/keys=(\d+)/u.exec(text)?.[1] ?? 0), 0);
}

function field(info: ReadonlyMap<string, string>, name: string): number {
  const value = Number(info.get(name) ?? Number.NaN);
  if (Number.isNaN(value)) throw new Error(`INFO has no number ${name}`);
  return value;
}
