import { randomUUID } from 'node:crypto';
import type { Database, Queries, Read, Role } from '../dependencies.ts';
import { newToken, tokenHash } from '../plugins/access-tokens.ts';
import { type RevokedEntry, sessionEntry } from '../plugins/blacklist.ts';
import type { WalPosition } from '../plugins/write-positions.ts';

export interface Session {
  readonly id: string;
  readonly userAgent: string;
  readonly ip: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

export interface StartedSession {
  readonly sessionId: string;
  readonly refreshToken: string;
}

export interface RefreshedSession extends StartedSession {
  readonly userId: number;
  readonly role: Role;
}

/** What revoking sessions, all of one user, came to. */
export interface Revoked {
  /** Undefined when there is nothing to tell anybody. */
  readonly userId: number | undefined;
  /** Of those revoked a moment ago as well: whoever did that may have died before it wrote that anywhere else. */
  readonly entries: readonly RevokedEntry[];
  /** False when all of them were revoked before. */
  readonly anyNow: boolean;
}

/** A clock of the database may be behind ours by this much, and no revoked token may outlive its entry. */
const clockMarginS = 60;

export function createSessionsRepository(database: Database, accessTokenTtlS: number, sessionTtlS: number) {
  const { writer } = database;
  const entriesExpire = () => new Date(Date.now() + (accessTokenTtlS + clockMarginS) * 1000);

  /**
   * Revokes what `condition` selects and lists it as revoked, in one statement. Its first parameter is $2. Revoked a
   * moment ago is what an access token may still be good for.
   */
  async function revokeWhere(name: string, condition: string, values: unknown[], queries = writer): Promise<Revoked> {
    const expiresAt = entriesExpire();
    const { rows } = await queries.query<{ id: string; userId: number; isNow: boolean }>({
      name,
      text: `with revoked as (
          update sessions set revoked_at = now() where revoked_at is null and ${condition} returning id as revoked_id
        ), listed as (
          insert into revoked_tokens (token_id, expires_at) select 'session:' || revoked_id, $1 from revoked
          on conflict (token_id) do nothing
        ) select id, user_id as "userId", revoked_id is not null as "isNow"
          from sessions left join revoked on revoked_id = id
          where ${condition} and (revoked_at is null or revoked_at > now() - ($1::timestamptz - now()))`,
      values: [expiresAt, ...values],
    });
    return {
      userId: rows[0]?.userId,
      entries: rows.map(({ id }) => ({ tokenId: sessionEntry(id), expiresAt })),
      anyNow: rows.some(({ isNow }) => isNow),
    };
  }

  return {
    /**
     * Undefined when the password was changed since it was verified: the lock on the user makes a reset and a login
     * wait for each other, so that no session of the old password survives the reset.
     */
    async start(
      user: { id: number; passwordHash: string },
      client: { userAgent: string; ip: string },
    ): Promise<StartedSession | undefined> {
      const sessionId = randomUUID();
      const refreshToken = newToken();
      const result = await writer.query({
        name: 'session-start',
        text: `with verified as (
            select id from users where id = $2 and password_hash = $3 for share
          ), session as (
            insert into sessions (id, user_id, user_agent, ip, expires_at)
            select $1, id, $4, $5, now() + make_interval(secs => $6) from verified returning id
          ) insert into refresh_tokens (token_hash, session_id) select $7, id from session`,
        values: [
          sessionId,
          user.id,
          user.passwordHash,
          client.userAgent,
          client.ip,
          sessionTtlS,
          tokenHash(refreshToken),
        ],
      });
      return result.rowCount === 1 ? { sessionId, refreshToken } : undefined;
    },

    /**
     * Spends the refresh token for a new one. Of two uses at once the row lock lets one be first; the other finds it
     * spent and revokes the family, as does any later use.
     */
    async refresh(refreshToken: string): Promise<RefreshedSession | { revoked: Revoked }> {
      const next = newToken();
      const result = await writer.query<{ sessionId: string; userId: number; role: Role }>({
        name: 'session-refresh',
        text: `with spent as (
            update refresh_tokens set used_at = now() where token_hash = $1 and used_at is null returning session_id
          ), session as (
            update sessions set last_used_at = now(), expires_at = now() + make_interval(secs => $3)
            from spent where sessions.id = spent.session_id and revoked_at is null and expires_at > now()
            returning sessions.id, user_id
          ), successor as (
            insert into refresh_tokens (token_hash, session_id) select $2, id from session
          ) select session.id as "sessionId", users.id as "userId", users.role
            from session join users on users.id = session.user_id`,
        values: [tokenHash(refreshToken), tokenHash(next), sessionTtlS],
      });
      const refreshed = result.rows[0];
      if (refreshed !== undefined) return { ...refreshed, refreshToken: next };
      const revoked = await revokeWhere(
        'session-revoke-reused',
        'id = (select session_id from refresh_tokens where token_hash = $2 and used_at is not null)',
        [tokenHash(refreshToken)],
      );
      return { revoked };
    },

    /** From the primary: a session that was ended must not be shown as one that goes on. */
    list(userId: number, after: WalPosition): Promise<Read<Session[]>> {
      return database.readWriter(after, async (from) => {
        const result = await from.query<Session>({
          name: 'sessions-list',
          text: `select id, user_agent as "userAgent", ip, created_at as "createdAt", last_used_at as "lastUsedAt",
              expires_at as "expiresAt"
            from sessions where user_id = $1 and revoked_at is null and expires_at > now()
            order by last_used_at desc, id limit 100`,
          values: [userId],
        });
        return result.rows;
      });
    },

    revokeOne: (userId: number, sessionId: string) =>
      revokeWhere('session-revoke', 'user_id = $2 and id = $3', [userId, sessionId]),

    revokeAll: (userId: number) => revokeWhere('sessions-revoke-all', 'user_id = $2', [userId]),

    revokeByRefreshToken: (refreshToken: string) =>
      revokeWhere('session-revoke-by-token', 'id = (select session_id from refresh_tokens where token_hash = $2)', [
        tokenHash(refreshToken),
      ]),

    async revokeAccessToken(tokenId: string, expiresAt: Date): Promise<RevokedEntry> {
      await writer.query({
        name: 'access-token-revoke',
        text: 'insert into revoked_tokens (token_id, expires_at) values ($1, $2) on conflict (token_id) do nothing',
        values: [tokenId, expiresAt],
      });
      return { tokenId, expiresAt };
    },

    /** Sets the password and ends every session of the user, or gives undefined when the token is not good. */
    resetPassword(token: string, passwordHash: string): Promise<{ userId: number; revoked: Revoked } | undefined> {
      return database.transaction(async (queries: Queries) => {
        const spent = await queries.query<{ userId: number }>({
          text: `update mailed_tokens set used_at = now()
            where token_hash = $1 and purpose = 'reset-password' and used_at is null and expires_at > now()
            returning user_id as "userId"`,
          values: [tokenHash(token)],
        });
        const userId = spent.rows[0]?.userId;
        if (userId === undefined) return undefined;
        await queries.query({
          text: 'update users set password_hash = $2, updated_at = now() where id = $1',
          values: [userId, passwordHash],
        });
        await queries.query({
          text: `update mailed_tokens set used_at = now() where user_id = $1 and purpose = 'reset-password' and used_at is null`,
          values: [userId],
        });
        const revoked = await revokeWhere('sessions-revoke-all', 'user_id = $2', [userId], queries);
        return { userId, revoked };
      });
    },
  };
}

export type SessionsRepository = ReturnType<typeof createSessionsRepository>;
