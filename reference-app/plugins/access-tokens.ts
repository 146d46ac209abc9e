import { randomUUID } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import type { Config } from '../config.ts';
import type { Role, SignedInUser } from '../dependencies.ts';

export interface AccessClaims extends SignedInUser {
  readonly expiresAt: Date;
}

export interface AccessTokens {
  sign(user: { id: number; role: Role }, sessionId: string): string;
  /** What the token claims; 'expired' or 'invalid' when it may not be believed. */
  verify(token: string): AccessClaims | 'expired' | 'invalid';
}

const issuer = 'reference-app';

interface Payload {
  sub: string;
  role: Role;
  sid: string;
  jti: string;
  exp: number;
}

export function createAccessTokens(config: Config): AccessTokens {
  const signer = createSigner({
    key: config.JWT_SECRET,
    algorithm: 'HS256',
    expiresIn: config.ACCESS_TOKEN_TTL_S * 1000,
    iss: issuer,
  });
  // The algorithm is ours, never the token's: `none` and any other are refused whatever the header says.
  const verifier = createVerifier({
    key: config.JWT_SECRET,
    algorithms: ['HS256'],
    allowedIss: issuer,
    requiredClaims: ['sub', 'role', 'sid', 'jti', 'exp', 'iss'],
  });
  return {
    sign: ({ id, role }, sessionId) => signer({ sub: String(id), role, sid: sessionId, jti: randomUUID() }),
    verify(token) {
      try {
        const { sub, role, sid, jti, exp } = verifier(token) as Payload;
        return { id: Number(sub), role, sessionId: sid, tokenId: jti, expiresAt: new Date(exp * 1000) };
      } catch (error) {
        return (error as { code?: string }).code === 'FAST_JWT_EXPIRED' ? 'expired' : 'invalid';
      }
    },
  };
}
