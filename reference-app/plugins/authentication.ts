import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import type { SignedInUser } from '../dependencies.ts';
import type { AccessClaims, AccessTokens } from './access-tokens.ts';
import type { Blacklist } from './blacklist.ts';
import { ApiError } from './failures.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What `presentedToken` found, so that a token is verified once per request. */
    presented: PresentedToken | undefined;
  }
}

interface PresentedToken {
  readonly source: 'bearer' | 'cookie' | 'none';
  readonly claims: AccessClaims | 'expired' | 'invalid' | 'absent';
}

export const accessCookie = 'accessToken';
const bearer = /^Bearer +([\w.-]+) *$/i;
const absent: PresentedToken = { source: 'none', claims: 'absent' };
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface Authentication {
  /** Verifies the signature and the expiry only: who it is, not whether the token was revoked since. */
  presentedToken(request: FastifyRequest): PresentedToken;
  /** Verified and not revoked. Throws ApiError 401 or 403. */
  requireUser(request: FastifyRequest): Promise<AccessClaims>;
  /** An onRequest hook: sets `request.user`. */
  authenticate(request: FastifyRequest): Promise<void>;
  /** Throws ApiError 403 when a browser sends the request for a page of a foreign origin. */
  requireKnownOrigin(request: FastifyRequest): void;
}

export function createAuthentication(
  app: FastifyInstance,
  config: Config,
  accessTokens: AccessTokens,
  blacklist: Blacklist,
): Authentication {
  app.decorateRequest('user', null);
  app.decorateRequest('presented', undefined);
  const origins = new Set(config.CORS_ORIGINS);

  function readToken(request: FastifyRequest): PresentedToken {
    const header = request.headers.authorization;
    if (header !== undefined) {
      const token = bearer.exec(header)?.[1];
      return { source: 'bearer', claims: token === undefined ? 'invalid' : accessTokens.verify(token) };
    }
    const cookie = request.cookies[accessCookie];
    return cookie === undefined ? absent : { source: 'cookie', claims: accessTokens.verify(cookie) };
  }

  function presentedToken(request: FastifyRequest): PresentedToken {
    request.presented ??= readToken(request);
    return request.presented;
  }

  function requireKnownOrigin(request: FastifyRequest): void {
    const { origin } = request.headers;
    if (origin === undefined || origins.has(origin)) return;
    if (URL.canParse(origin) && new URL(origin).host === request.host) return;
    throw new ApiError(403, 'ORIGIN_NOT_ALLOWED', 'Requests with cookies are not accepted from this origin.');
  }

  async function requireUser(request: FastifyRequest): Promise<AccessClaims> {
    const { source, claims } = presentedToken(request);
    if (claims === 'absent') throw new ApiError(401, 'NOT_SIGNED_IN', 'Sign in first.');
    if (claims === 'expired') throw new ApiError(401, 'TOKEN_EXPIRED', 'The access token has expired. Refresh it.');
    if (claims === 'invalid') throw new ApiError(401, 'TOKEN_INVALID', 'The access token is not valid. Sign in again.');
    if (source === 'cookie' && !safeMethods.has(request.method)) requireKnownOrigin(request);
    if (await blacklist.isRevoked(claims.tokenId, claims.sessionId)) {
      throw new ApiError(401, 'TOKEN_REVOKED', 'The access token was revoked. Sign in again.');
    }
    return claims;
  }

  return {
    presentedToken,
    requireUser,
    requireKnownOrigin,
    async authenticate(request) {
      request.user = (await requireUser(request)) satisfies SignedInUser;
    },
  };
}

/** An onRequest hook after `authenticate`. */
export async function requireAdmin(request: FastifyRequest): Promise<void> {
  if (request.user?.role !== 'admin') throw new ApiError(403, 'FORBIDDEN', 'Only administrators may do this.');
}

export const refreshCookie = 'refreshToken';

export interface AuthCookies {
  set(reply: FastifyReply, accessToken: string, refreshToken: string): void;
  clear(reply: FastifyReply): void;
}

/**
 * No script can read them, and SameSite=Strict keeps browsers from sending them with a request that another site
 * started. The refresh token goes to /api/auth only.
 */
export function createAuthCookies(config: Config): AuthCookies {
  const shared: CookieSerializeOptions = {
    httpOnly: true,
    sameSite: 'strict',
    secure: config.NODE_ENV === 'production',
  };
  const access = { ...shared, path: '/', maxAge: config.ACCESS_TOKEN_TTL_S };
  const refresh = { ...shared, path: '/api/auth', maxAge: config.REFRESH_TOKEN_TTL_S };
  return {
    set(reply, accessToken, refreshToken) {
      reply.setCookie(accessCookie, accessToken, access);
      reply.setCookie(refreshCookie, refreshToken, refresh);
    },
    clear(reply) {
      reply.clearCookie(accessCookie, { ...shared, path: '/' });
      reply.clearCookie(refreshCookie, { ...shared, path: '/api/auth' });
    },
  };
}
