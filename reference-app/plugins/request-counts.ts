import type { RedisConnection } from './redis.ts';

interface Count {
  /** Requests in the window so far, this one included. */
  readonly requests: number;
  readonly resetsInMs: number;
}

/** Counts requests in fixed windows that begin with the first request of a key. */
export interface RequestCounts {
  /** Undefined when the store does not answer. */
  add(key: string, windowS: number): Promise<Count | undefined>;
  takeBack(key: string): void;
}

export function memoryCounts(): RequestCounts {
  const windows = new Map<string, { requests: number; endsAtMs: number }>();
  let sweptAtMs = 0;

  function sweep(nowMs: number): void {
    if (nowMs - sweptAtMs < 60_000) return;
    sweptAtMs = nowMs;
    for (const [key, window] of windows) if (window.endsAtMs <= nowMs) windows.delete(key);
  }

  return {
    async add(key, windowS) {
      const nowMs = performance.now();
      sweep(nowMs);
      let window = windows.get(key);
      if (window === undefined || window.endsAtMs <= nowMs) {
        window = { requests: 0, endsAtMs: nowMs + windowS * 1000 };
        windows.set(key, window);
      }
      window.requests += 1;
      return { requests: window.requests, resetsInMs: window.endsAtMs - nowMs };
    },
    takeBack(key) {
      const window = windows.get(key);
      if (window !== undefined && window.requests > 0) window.requests -= 1;
    },
  };
}

const addScript = `
local requests = redis.call('INCR', KEYS[1])
if requests == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {requests, redis.call('PTTL', KEYS[1])}`;

/** Not below zero, and not into a window that has ended since. */
const takeBackScript = `
if tonumber(redis.call('GET', KEYS[1]) or 0) > 0 then return redis.call('DECR', KEYS[1]) end
return 0`;

export function redisCounts(redis: RedisConnection): RequestCounts {
  redis.client.defineCommand('countAdd', { numberOfKeys: 1, lua: addScript });
  redis.client.defineCommand('countTakeBack', { numberOfKeys: 1, lua: takeBackScript });
  const scripts = redis.client as unknown as {
    countAdd(key: string, windowMs: number): Promise<[number, number]>;
    countTakeBack(key: string): Promise<number>;
  };
  return {
    async add(key, windowS) {
      const counted = await redis.attempt(() => scripts.countAdd(`limit:${key}`, windowS * 1000));
      return counted && { requests: counted[0], resetsInMs: counted[1] };
    },
    takeBack(key) {
      void redis.attempt(() => scripts.countTakeBack(`limit:${key}`));
    },
  };
}
