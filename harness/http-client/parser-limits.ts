import type { Malformed } from './response-head.ts';

export interface ParserLimits {
  /** Status line and headers together; also the trailers, and one line of a chunk's size. */
  readonly mostHeadBytes: number;
  /** The body as it is, without what frames its chunks. */
  readonly mostBodyBytes: number;
}

export function tooLong(what: string, most: number): Malformed {
  return { malformed: `${what}: more than ${most} bytes` };
}
