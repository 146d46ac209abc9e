import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import type { Database, WritePositions } from '../dependencies.ts';
import { laterOf, parseWalPosition, printWalPosition, type WalPosition, walEnd, walStart } from './wal-position.ts';

export const writePositionHeader = 'x-write-position';
const writePositionCookie = 'writePosition';

/**
 * A replica is a moment behind, and only the client knows across all instances what it has written: so it gets the
 * position of its write, as a cookie and as a header for clients without cookies, and shows it with its reads.
 * Nothing is signed: whoever makes up a position is answered by the primary, as if there were no replica.
 */
export function createWritePositions(config: Config, database: Pick<Database, 'position'>): WritePositions {
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
