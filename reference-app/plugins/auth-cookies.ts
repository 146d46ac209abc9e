import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply } from 'fastify';
import type { Config } from '../config.ts';
import { accessCookie } from './authentication.ts';

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
