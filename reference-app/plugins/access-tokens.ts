import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import { z } from 'zod';
import type { Config } from '../config.ts';
import type { Role, SignedInUser } from '../dependencies.ts';
import { role } from '../schemas/auth.ts';

export interface AccessClaims extends SignedInUser {
  readonly expiresAt: Date;
}

export interface AccessTokens {
  sign(user: { id: number; role: Role }, sessionId: string): string;
  /** What the token claims; 'expired' or 'invalid' when it may not be believed. */
  verify(token: string): AccessClaims | 'expired' | 'invalid';
}

const issuer = 'reference-app';

/** What follows from a token goes into statements and keys as it is: a good signature does not make it the right type. */
const payload = z.object({
  sub: z
    .string()
    .regex(/^[1-9]\d*$/)
    .transform(Number)
    .pipe(z.int()),
  role,
  sid: z.uuid(),
  jti: z.uuid(),
  exp: z
    .int()
    .positive()
    .max(Date.UTC(9999, 11) / 1000),
});

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
    requiredClaims: ['iss'],
  });
  return {
    sign: ({ id, role }, sessionId) => signer({ sub: String(id), role, sid: sessionId, jti: randomUUID() }),
    verify(token) {
      try {
        const { success, data } = payload.safeParse(verifier(token));
        if (!success) return 'invalid';
        const { sub: id, role, sid: sessionId, jti: tokenId, exp } = data;
        return { id, role, sessionId, tokenId, expiresAt: new Date(exp * 1000) };
      } catch (error) {
        return (error as { code?: string }).code === 'FAST_JWT_EXPIRED' ? 'expired' : 'invalid';
      }
    },
  };
}

/** 256 random bits: what is stored of it is a plain hash, as there is nothing to guess. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
