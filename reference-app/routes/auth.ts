import type { FastifyInstance, FastifyReply } from 'fastify';
import { type AppDependencies, type Role, signedInUser } from '../dependencies.ts';
import type { AccessTokens } from '../plugins/access-tokens.ts';
import { type AuthCookies, type Authentication, refreshCookie } from '../plugins/authentication.ts';
import type { InBackground } from '../plugins/background.ts';
import { ApiError } from '../plugins/failures.ts';
import type { Mailer } from '../plugins/mailer.ts';
import { type Passwords, refuseUnusablePassword } from '../plugins/passwords.ts';
import { walStart } from '../plugins/write-positions.ts';
import type { createMailedTokensRepository } from '../repositories/mailed-tokens.ts';
import type { Revoked, SessionsRepository } from '../repositories/sessions.ts';
import type { User, UsersRepository } from '../repositories/users.ts';
import {
  type Credentials,
  credentials,
  loginAnswer,
  type Registration,
  refreshAnswer,
  registration,
  sessionParams,
  sessionsAnswer,
  userAnswer,
} from '../schemas/auth.ts';
import { answers, done, jsonSchema, refreshing, signedIn } from '../schemas/envelope.ts';

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

const tags = ['auth'];

/** Register, log in, refresh, log out, me. */
export function authRoutes(app: FastifyInstance, dependencies: AuthDependencies): void {
  const { config, cache, users, sessions, mailedTokens, passwords, accessTokens, cookies } = dependencies;
  const { authentication, mailer, inBackground, writePositions, endedSessions } = dependencies;

  async function signIn(
    reply: FastifyReply,
    user: { id: number; role: Role },
    sessionId: string,
    refreshToken: string,
  ) {
    await cache.invalidate('sessions', String(user.id), walStart);
    const accessToken = accessTokens.sign(user, sessionId);
    cookies.set(reply, accessToken, refreshToken);
    reply.header('cache-control', 'no-store');
    return { success: true, accessToken, expiresInS: config.ACCESS_TOKEN_TTL_S } as const;
  }

  function refreshTokenInvalid(reply: FastifyReply): ApiError {
    cookies.clear(reply);
    return new ApiError(401, 'REFRESH_TOKEN_INVALID', 'The refresh token is not valid any more. Sign in again.');
  }

  app.post<{ Body: Registration }>(
    '/register',
    {
      config: { countedByEmail: 'failures' },
      schema: { tags, body: jsonSchema(registration), response: answers({ 201: userAnswer }) },
    },
    async (request, reply) => {
      const { email, password, name } = request.body;
      refuseUnusablePassword(password);
      const passwordHash = await passwords.hash(password);
      const user = await users.create({ email: email.toLowerCase(), name, passwordHash });
      if (user === undefined) {
        throw new ApiError(
          409,
          'EMAIL_TAKEN',
          'There is an account with this e-mail address already. Sign in instead.',
        );
      }
      inBackground('verification mail', async () => {
        const created = await mailedTokens.create(user.id, 'verify-email', config.VERIFY_EMAIL_TTL_S);
        await mailer.send({ to: user.email, userId: user.id, purpose: 'verify-email', ...created });
      });
      await writePositions.tell(reply);
      reply.code(201);
      return { success: true, user };
    },
  );

  app.post<{ Body: Credentials }>(
    '/login',
    {
      config: { countedByEmail: 'failures' },
      schema: { tags, body: jsonSchema(credentials), response: answers({ 200: loginAnswer }) },
    },
    async (request, reply) => {
      const { email, password } = request.body;
      const found = await users.findByEmail(email.toLowerCase());
      const matches = await passwords.matches(password, found?.passwordHash);
      const client = { userAgent: printable(request.headers['user-agent'] ?? ''), ip: request.ip };
      const session = matches && found ? await sessions.start(found, client) : undefined;
      if (found === undefined || session === undefined) {
        throw new ApiError(401, 'INVALID_CREDENTIALS', 'The e-mail address or the password is wrong.');
      }
      const { passwordHash: _, ...user } = found;
      return { ...(await signIn(reply, user, session.sessionId, session.refreshToken)), user };
    },
  );

  app.post(
    '/refresh',
    { schema: { tags, security: refreshing, response: answers({ 200: refreshAnswer }) } },
    async (request, reply) => {
      authentication.requireKnownOrigin(request);
      const presented = request.cookies[refreshCookie];
      if (presented === undefined)
        throw new ApiError(401, 'NOT_SIGNED_IN', 'There is no refresh token. Sign in first.');
      const refreshed = await sessions.refresh(presented);
      if ('revoked' in refreshed) {
        await endedSessions(refreshed.revoked);
        throw refreshTokenInvalid(reply);
      }
      return signIn(reply, { id: refreshed.userId, role: refreshed.role }, refreshed.sessionId, refreshed.refreshToken);
    },
  );

  const logoutSchema = { tags, security: [...signedIn, ...refreshing], response: answers({ 200: done }) };
  app.post('/logout', { schema: logoutSchema }, async (request, reply) => {
    const refreshToken = request.cookies[refreshCookie];
    const { claims } = authentication.presentedToken(request);
    if (typeof claims === 'object') {
      const { id, sessionId, tokenId, expiresAt } = await authentication.requireUser(request);
      const revokedToken = await sessions.revokeAccessToken(tokenId, expiresAt);
      const { userId, entries } = await sessions.revokeOne(id, sessionId);
      await endedSessions({ userId, entries: [revokedToken, ...entries] });
    } else if (refreshToken !== undefined) {
      // The access token may have expired meanwhile: the refresh token ends the session as well.
      authentication.requireKnownOrigin(request);
      const revoked = await sessions.revokeByRefreshToken(refreshToken);
      if (revoked.userId === undefined) throw refreshTokenInvalid(reply);
      await endedSessions(revoked);
    } else {
      await authentication.requireUser(request);
    }
    cookies.clear(reply);
    return { success: true, message: 'You are logged out.' };
  });

  app.get(
    '/me',
    {
      onRequest: dependencies.authenticate,
      schema: { tags, security: signedIn, response: answers({ 200: userAnswer }) },
    },
    async (request) => {
      const { id } = signedInUser(request);
      const user = await cache.readThrough<User | undefined>('me', String(id), writePositions.of(request), (after) =>
        users.findById(id, after),
      );
      if (user === undefined) throw new ApiError(404, 'NOT_FOUND', 'This account does not exist any more.');
      return { success: true, user };
    },
  );
}

function printable(text: string): string {
  return text.replace(/[^\u0020-\u007e]/g, '?').slice(0, 200);
}

const describedSessions = { tags: ['sessions'], security: signedIn };

/** Where a user is signed in, and ending it. */
export function sessionRoutes(app: FastifyInstance, dependencies: AuthDependencies): void {
  const { authenticate, cache, sessions, endedSessions, cookies, writePositions } = dependencies;
  app.addHook('onRequest', authenticate);

  app.get('', { schema: { ...describedSessions, response: answers({ 200: sessionsAnswer }) } }, async (request) => {
    const user = signedInUser(request);
    const list = await cache.readThrough('sessions', String(user.id), writePositions.of(request), (after) =>
      sessions.list(user.id, after),
    );
    // One that was cached may have expired since.
    const good = list.filter(({ expiresAt }) => new Date(expiresAt).getTime() > Date.now());
    return { success: true, sessions: good.map((each) => ({ ...each, current: each.id === user.sessionId })) };
  });

  app.delete('', { schema: { ...describedSessions, response: answers({ 200: done }) } }, async (request, reply) => {
    await endedSessions(await sessions.revokeAll(signedInUser(request).id), reply);
    cookies.clear(reply);
    return { success: true, message: 'All sessions are ended.' };
  });

  app.delete<{ Params: { id: string } }>(
    '/:id',
    { schema: { ...describedSessions, params: jsonSchema(sessionParams), response: answers({ 200: done }) } },
    async (request, reply) => {
      const user = signedInUser(request);
      const revoked = await sessions.revokeOne(user.id, request.params.id);
      await endedSessions(revoked, reply);
      if (!revoked.anyNow) throw new ApiError(404, 'NOT_FOUND', 'You have no such session.');
      if (request.params.id === user.sessionId) cookies.clear(reply);
      return { success: true, message: 'The session is ended.' };
    },
  );
}
