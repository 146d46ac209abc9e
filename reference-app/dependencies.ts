import type { FastifyReply, FastifyRequest } from 'fastify';
import type pg from 'pg';
import type { Config } from './config.ts';
import type { Metrics } from './plugins/metrics.ts';
import type { WalPosition, WritePositions } from './plugins/write-positions.ts';

/** int8 columns arrive as numbers, timestamptz as Date. */
export interface Queries {
  query<Row extends pg.QueryResultRow = Record<string, unknown>>(statement: Statement): Promise<pg.QueryResult<Row>>;
}

/** One with a name is parsed once per connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: unknown[];
}

export interface Read<T> {
  readonly value: T;
  /** All that was written before this position is part of it. */
  readonly asOf: WalPosition;
}

export interface Database {
  /** The primary: for writes, and for reads that must not be a moment old. */
  readonly writer: Queries;
  /** Commits what `work` did, or undoes it when that throws. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /**
   * A read that may be a moment old, yet has all that was written before `after`: from the replica when that has come
   * so far, else from the primary, as when the replica does not answer. `run` may be called twice.
   */
  read<T>(after: WalPosition, run: (from: Queries) => Promise<T>): Promise<Read<T>>;
  /** A read that must not be old, for the cache: it says what it is part of. */
  readWriter<T>(after: WalPosition, run: (from: Queries) => Promise<T>): Promise<Read<T>>;
  /** A position after all that was committed when this is called; the start where there is no replica. */
  position(): Promise<WalPosition>;
  close(): Promise<void>;
}

export type CachedRoute = 'tasks-list' | 'me' | 'task-stats' | 'user-by-id' | 'sessions';

/**
 * A cache in Redis, or none. Keys are `owner` or `owner:variant` (the owner is all before the first colon, a user's id),
 * and all entries of one owner on one route are invalidated together.
 */
export interface Cache {
  /**
   * The cached value when it has all that was written before `after`, else what `load` gives (then stored for the
   * route's time to live). `load` gets the moment from which on it must know all, which may be later than `after`. Fails open:
   * without Redis `load` runs each time. A hit is what JSON makes of the value: a Date comes back as an ISO string.
   */
  readThrough<T>(
    route: CachedRoute,
    key: string,
    after: WalPosition,
    load: (after: WalPosition) => Promise<Read<T>>,
  ): Promise<T>;
  /**
   * Call after the write is committed, with a position after it. A load that started before cannot store its stale
   * value afterwards, and a later one does not take it from a replica that lags.
   */
  invalidate(route: CachedRoute, owner: string, written: WalPosition): Promise<void>;
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
  readonly writePositions: WritePositions;
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
