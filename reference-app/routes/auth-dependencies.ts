import type { FastifyReply } from 'fastify';
import type { AppDependencies } from '../dependencies.ts';
import type { AccessTokens } from '../plugins/access-tokens.ts';
import type { AuthCookies } from '../plugins/auth-cookies.ts';
import type { Authentication } from '../plugins/authentication.ts';
import type { InBackground } from '../plugins/background.ts';
import type { Mailer } from '../plugins/mailer.ts';
import type { Passwords } from '../plugins/passwords.ts';
import type { createMailedTokensRepository } from '../repositories/mailed-tokens.ts';
import type { Revoked, SessionsRepository } from '../repositories/sessions.ts';
import type { UsersRepository } from '../repositories/users.ts';

/** What the routes of /api/auth and /api/users need beyond what all routes are given. */
export interface AuthDependencies extends AppDependencies {
  readonly users: UsersRepository;
  readonly sessions: SessionsRepository;
  readonly mailedTokens: ReturnType<typeof createMailedTokensRepository>;
  readonly passwords: Passwords;
  readonly accessTokens: AccessTokens;
  readonly authentication: Authentication;
  /** Call when sessions are ended, and answer only then: from there on no process accepts them or shows them. */
  readonly endedSessions: (revoked: Pick<Revoked, 'userId' | 'entries'>, reply?: FastifyReply) => Promise<void>;
  readonly cookies: AuthCookies;
  readonly mailer: Mailer;
  readonly inBackground: InBackground;
}
