import type { Database } from '../dependencies.ts';
import { newToken, tokenHash } from '../plugins/access-tokens.ts';
import type { Mail } from '../plugins/mailer.ts';

export function createMailedTokensRepository({ writer }: Database) {
  return {
    async create(userId: number, purpose: Mail['purpose'], ttlS: number): Promise<{ token: string; expiresAt: Date }> {
      const token = newToken();
      const expiresAt = new Date(Date.now() + ttlS * 1000);
      await writer.query({
        name: 'mailed-token-create',
        text: 'insert into mailed_tokens (token_hash, user_id, purpose, expires_at) values ($1, $2, $3, $4)',
        values: [tokenHash(token), userId, purpose, expiresAt],
      });
      return { token, expiresAt };
    },

    /** Whether a reset would succeed, before a password is hashed for it. */
    async canReset(token: string): Promise<boolean> {
      const result = await writer.query({
        name: 'mailed-token-good',
        text: `select 1 from mailed_tokens
          where token_hash = $1 and purpose = 'reset-password' and used_at is null and expires_at > now()`,
        values: [tokenHash(token)],
      });
      return result.rowCount === 1;
    },

    /** The id of the user whose address is verified now, or undefined when the token is not good. */
    async verifyEmail(token: string): Promise<number | undefined> {
      const result = await writer.query<{ id: number }>({
        name: 'email-verify',
        text: `with spent as (
            update mailed_tokens set used_at = now()
            where token_hash = $1 and purpose = 'verify-email' and used_at is null and expires_at > now()
            returning user_id
          ) update users set email_verified_at = coalesce(email_verified_at, now()), updated_at = now()
            from spent where users.id = spent.user_id returning users.id`,
        values: [tokenHash(token)],
      });
      return result.rows[0]?.id;
    },
  };
}

/** Removes what has expired, a bounded number of rows at a time. */
export async function removeExpired({ writer }: Pick<Database, 'writer'>): Promise<void> {
  const batch = 5000;
  for (const [table, key, expired] of [
    ['revoked_tokens', 'token_id', 'expires_at < now()'],
    ['mailed_tokens', 'token_hash', 'expires_at < now()'],
    ['sessions', 'id', 'expires_at < now()'],
  ] as const) {
    let removed: number;
    do {
      const result = await writer.query({
        text: `delete from ${table} where ${key} in (select ${key} from ${table} where ${expired} limit ${batch})`,
      });
      removed = result.rowCount ?? 0;
    } while (removed === batch);
  }
}
