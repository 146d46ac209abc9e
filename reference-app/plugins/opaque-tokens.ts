import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits: what is stored of it is a plain hash, as there is nothing to guess. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
