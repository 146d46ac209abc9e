import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config, Limit } from '../config.ts';
import { ApiError } from '../errors.ts';
import type { Authentication } from './authentication.ts';
import type { Metrics } from './metrics.ts';
import type { RequestCounts } from './request-counts.ts';

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
