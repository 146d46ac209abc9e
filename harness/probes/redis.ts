import { Redis } from 'ioredis';
import type { Probe, Reading } from './probe.ts';

const TIMEOUT_MS = 3000;

interface Counters {
  readonly atMs: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly operations: number;
}

/**
 * A Redis from inside, on a connection of its own that is not counted.
 *
 * `connections`, `memory-used`, and `memory-limit` where there is one; per second `hits`, `misses`, `evictions` and
 * `operations`; and `hit-ratio` of the reads since the last reading, left out when there was none.
 */
export function redisProbe({ url, source }: { readonly url: string; readonly source: string }): Probe {
  let client: Redis | undefined;
  let before: Counters | undefined;
  let disposed = false;

  function forget(lost: Redis): void {
    lost.disconnect();
    if (client !== lost) return;
    client = undefined;
    before = undefined;
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

  return {
    name: 'redis',
    async read() {
      const used = connected();
      try {
        const info = parseInfo(await (await used).info());
        const last = before;
        const counters = countersOf(info);
        before = counters;
        const readings = [...gauges(info), ...(last === undefined ? [] : rates(last, counters))];
        return readings.map((reading) => ({ source, ...reading }));
      } catch (error) {
        if (client !== undefined) forget(client);
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      client?.disconnect();
      client = undefined;
    },
  };
}

function parseInfo(text: string): ReadonlyMap<string, number> {
  const lines = text.split(/\r?\n/).map((line) => line.split(':'));
  return new Map(lines.map(([name = '', value = '']) => [name, value === '' ? Number.NaN : Number(value)]));
}

function field(info: ReadonlyMap<string, number>, name: string): number {
  const value = info.get(name);
  if (value === undefined || Number.isNaN(value)) throw new Error(`INFO does not tell ${name}`);
  return value;
}

function gauges(info: ReadonlyMap<string, number>): Omit<Reading, 'source'>[] {
  const limit = field(info, 'maxmemory');
  return [
    { metric: 'connections', unit: 'count', value: Math.max(0, field(info, 'connected_clients') - 1) },
    { metric: 'memory-used', unit: 'bytes', value: field(info, 'used_memory') },
    ...(limit > 0 ? [{ metric: 'memory-limit', unit: 'bytes', value: limit } as const] : []),
  ];
}

function countersOf(info: ReadonlyMap<string, number>): Counters {
  return {
    atMs: performance.now(),
    hits: field(info, 'keyspace_hits'),
    misses: field(info, 'keyspace_misses'),
    evictions: field(info, 'evicted_keys'),
    operations: field(info, 'total_commands_processed'),
  };
}

function rates(last: Counters, now: Counters): Omit<Reading, 'source'>[] {
  const elapsedS = (now.atMs - last.atMs) / 1000;
  // Statistics may have been reset meanwhile.
  const since = (name: Exclude<keyof Counters, 'atMs'>) => Math.max(0, now[name] - last[name]);
  const reads = since('hits') + since('misses');
  return [
    { metric: 'hits', unit: 'per-second', value: since('hits') / elapsedS },
    { metric: 'misses', unit: 'per-second', value: since('misses') / elapsedS },
    { metric: 'evictions', unit: 'per-second', value: since('evictions') / elapsedS },
    // One of them is our own question.
    { metric: 'operations', unit: 'per-second', value: Math.max(0, since('operations') - 1) / elapsedS },
    ...(reads > 0 ? [{ metric: 'hit-ratio', unit: 'ratio', value: since('hits') / reads } as const] : []),
  ];
}
