import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';

/**
 * How far the log of the primary had come: 16 digits of hexadecimal, so that comparing the texts compares the
 * positions, here and in Redis. PostgreSQL writes the same as `16/B374D848`.
 */
export type WalPosition = string;

/** Before everything: what asks for nothing, and what is known of nothing. */
export const walStart: WalPosition = '0'.repeat(16);

/** After everything: a write whose position is not known. Whoever asks for this is answered by the primary. */
export const walEnd: WalPosition = 'F'.repeat(16);

const asPostgresWrites = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

/** Undefined when the text is no position. */
export function parseWalPosition(text: string): WalPosition | undefined {
  const [, high, low] = asPostgresWrites.exec(text) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return (high.padStart(8, '0') + low.padStart(8, '0')).toUpperCase();
}

/** As PostgreSQL writes it. */
export function printWalPosition(position: WalPosition): string {
  const digits = (from: number) => position.slice(from, from + 8).replace(/^0{1,7}/, '');
  return `${digits(0)}/${digits(8)}`;
}

export function laterOf(first: WalPosition, ...others: readonly WalPosition[]): WalPosition {
  return [first, ...others].toSorted().at(-1) ?? first;
}

/** What a client has written, which the client itself sends with its reads. */
export interface WritePositions {
  /** What the request's client must not see the state before. */
  of(request: FastifyRequest): WalPosition;
  /** Call after the commit and before the answer: gives the client the position, and returns it. */
  tell(reply: FastifyReply): Promise<WalPosition>;
}

export const writePositionHeader = 'x-write-position';
const writePositionCookie = 'writePosition';

/**
 * A replica is a moment behind, and only the client knows across all instances what it has written: so it gets the
 * position of its write, as a cookie and as a header for clients without cookies, and shows it with its reads.
 * Nothing is signed: whoever makes up a position is answered by the primary, as if there were no replica.
 */
export function createWritePositions(config: Config, database: { position(): Promise<WalPosition> }): WritePositions {
  if (config.DATABASE_READER_URL === undefined) return { of: () => walStart, tell: async () => walStart };
  const cookie: CookieSerializeOptions = {
    httpOnly: true,
    sameSite: 'strict',
    secure: config.NODE_ENV === 'production',
    path: '/api',
    maxAge: config.WRITE_POSITION_TTL_S,
  };

  /** What is committed is answered as done, whatever happens to the database now. */
  async function position(): Promise<WalPosition> {
    try {
      return await database.position();
    } catch {
      return walEnd;
    }
  }

  return {
    of(request: FastifyRequest) {
      const given = [request.headers[writePositionHeader], request.cookies[writePositionCookie]];
      return laterOf(walStart, ...given.map((text) => parseWalPosition(String(text ?? '')) ?? walStart));
    },
    async tell(reply) {
      const written = await position();
      reply.header(writePositionHeader, printWalPosition(written));
      reply.setCookie(writePositionCookie, printWalPosition(written), cookie);
      return written;
    },
  };
}
