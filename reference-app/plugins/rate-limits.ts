import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config, Limit } from '../config.ts';
import type { Authentication } from './authentication.ts';
import { ApiError } from './failures.ts';
import type { Metrics } from './metrics.ts';
import type { RedisConnection } from './redis.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body has an `email` whose requests are counted: those that failed, or all. */
    countedByEmail?: 'failures' | 'all';
  }
  interface FastifyRequest {
    /** Keys of counts that a success takes back. */
    countedFailures: string[] | undefined;
  }
}

/**
 * Several limits hold at once, and a failure-only one counts a request when it arrives and takes it back when it went
 * well: so a hundred guesses at the same moment do not slip through. Taking a request back is what @fastify/rate-limit
 * cannot do, with no store.
 */
export function limitRequests(
  app: FastifyInstance,
  config: Config,
  counts: RequestCounts,
  authentication: Authentication,
  metrics: Metrics,
): void {
  app.decorateRequest('countedFailures', undefined);

  async function count(name: string, key: string, limit: Limit | 'off', reply: FastifyReply): Promise<void> {
    if (limit === 'off') return;
    const counted = await counts.add(`${name}:${key}`, limit.windowS);
    if (counted === undefined || counted.requests <= limit.requests) return;
    metrics.rateLimited.inc({ limit: name });
    const retryAfterS = Math.max(1, Math.ceil(counted.resetsInMs / 1000));
    reply.header('x-ratelimit-limit', limit.requests);
    throw new ApiError(429, 'TOO_MANY_REQUESTS', `Too many requests. Try again in ${retryAfterS} s.`, retryAfterS);
  }

  function takeBackIfItGoesWell(request: FastifyRequest, name: string, key: string): void {
    request.countedFailures ??= [];
    request.countedFailures.push(`${name}:${key}`);
  }

  app.addHook('onRequest', async (request, reply) => {
    // The route that was found, not the address as it was written: /%61pi/auth/login is the same route.
    const route = request.routeOptions.url ?? request.url;
    if (!route.startsWith('/api/')) return;
    const address = addressGroup(request.ip);
    await count('general', address, config.RATE_LIMIT_GENERAL, reply);
    const { claims } = authentication.presentedToken(request);
    if (typeof claims === 'object') await count('signed-in', String(claims.id), config.RATE_LIMIT_SIGNED_IN, reply);
    else await count('not-signed-in', address, config.RATE_LIMIT_NOT_SIGNED_IN, reply);
    if (route.startsWith('/api/auth/')) {
      if (request.routeOptions.config.countedByEmail !== 'all') takeBackIfItGoesWell(request, 'auth', address);
      await count('auth', address, config.RATE_LIMIT_AUTH, reply);
    }
  });

  app.addHook('preHandler', async (request, reply) => {
    const counted = request.routeOptions.config.countedByEmail;
    if (counted === undefined) return;
    const { email } = request.body as { email: string };
    const key = createHash('sha256').update(email.toLowerCase()).digest('base64url');
    if (counted === 'failures') takeBackIfItGoesWell(request, 'email', key);
    await count('email', key, config.RATE_LIMIT_EMAIL, reply);
  });

  app.addHook('onSend', async (request, reply) => {
    const theirFault = reply.statusCode >= 400 && reply.statusCode < 500;
    if (request.countedFailures === undefined || theirFault) return;
    for (const key of request.countedFailures) counts.takeBack(key);
  });
}

/** One household has a whole /64 of IPv6 addresses, and would else have as many limits. */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.split('%')[0]?.toLowerCase().split('::') ?? [];
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  const groups = [...first, ...zeros, ...last].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(':')}::/64`;
}

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
