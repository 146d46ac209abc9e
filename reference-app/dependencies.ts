import type { FastifyReply, FastifyRequest } from 'fastify';
import type pg from 'pg';
import type { Config } from './config.ts';
import type { Metrics } from './plugins/metrics.ts';

/** `reader` is the writer's pool when no DATABASE_READER_URL is set. int8 columns arrive as numbers, timestamptz as Date. */
export interface Database {
  readonly writer: pg.Pool;
  readonly reader: pg.Pool;
}

export type CachedRoute = 'tasks-list' | 'me' | 'task-stats' | 'user-by-id';

/**
 * A cache in Redis, or none. Keys are `owner` or `owner:variant` (the owner is all before the first colon, a user's id),
 * and all entries of one owner on one route are invalidated together.
 */
export interface Cache {
  /**
   * The cached value, else what `load` gives (then stored for the route's time to live). Fails open: without Redis
   * `load` runs each time. A hit is what JSON makes of the value: a Date comes back as an ISO string.
   */
  readThrough<T>(route: CachedRoute, key: string, load: () => Promise<T>): Promise<T>;
  /** Call after the write is committed. A load that started before cannot store its stale value afterwards. */
  invalidate(route: CachedRoute, owner: string): Promise<void>;
}

export type Role = 'user' | 'admin';

/** Who sent the request, as the verified access token says. */
export interface SignedInUser {
  readonly id: number;
  readonly role: Role;
  readonly sessionId: string;
  readonly tokenId: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `authenticate`; null on routes without it. Handlers use `signedInUser(request)`. */
    user: SignedInUser | null;
  }
}

/** What routes are given. A route file exports `xRoutes(app, dependencies)` and is registered with its prefix in app.ts. */
export interface AppDependencies {
  readonly config: Config;
  readonly database: Database;
  readonly cache: Cache;
  readonly metrics: Metrics;
  /** An onRequest hook, so that nothing of a stranger's body is read: sets `request.user`, or answers 401. */
  readonly authenticate: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
}

/** The user of a request that passed `authenticate`. */
export function signedInUser(request: FastifyRequest): SignedInUser {
  if (request.user === null)
    throw new Error(`${request.method} ${request.routeOptions.url} lacks the authenticate hook`);
  return request.user;
}
