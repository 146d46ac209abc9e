import { type Malformed, type ParserLimits, tooLong } from './response-head.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SEMICOLON = 59;
/** A chunk beyond 2^48 bytes would be beyond any limit. */
const MOST_DIGITS = 12;

/** What frames the chunks of a body (RFC 9112, section 7.1), byte by byte: it is short. The data itself is not for it. */
export class ChunkFraming {
  /** Bytes of the chunk whose data comes next. */
  length = 0;
  readonly #limits: ParserLimits;
  #stage: 'size' | 'extension' | 'end' | 'trailer' = 'size';
  #digits = 0;
  #lineLength = 0;
  #trailerLength = 0;
  #previous = 0;

  constructor(limits: ParserLimits) {
    this.#limits = limits;
  }

  /** Expects the size of a chunk from here on. */
  start(): void {
    this.#stage = 'size';
    this.#digits = 0;
    this.#lineLength = 0;
    this.length = 0;
  }

  /** The data of a chunk has been read. */
  endData(): void {
    this.#stage = 'end';
    this.#previous = 0;
  }

  /** `bodyLength` bytes of data have been read. Gives `data` before the data of a chunk, and `end` at the very end. */
  read(byte: number, bodyLength: number): 'more' | 'data' | 'end' | Malformed {
    if (this.#stage === 'size') return this.#readSize(byte);
    if (this.#stage === 'extension') return this.#readExtension(byte, bodyLength);
    if (this.#stage === 'end') return this.#readEnd(byte);
    return this.#readTrailer(byte);
  }

  #readSize(byte: number): 'more' | Malformed {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.length = this.length * 16 + digit;
      this.#digits += 1;
      return this.#digits > MOST_DIGITS ? { malformed: 'chunk size: too many digits' } : 'more';
    }
    const mayFollow = byte === SEMICOLON || byte === CARRIAGE_RETURN || byte === 32 || byte === 9;
    if (this.#digits === 0 || !mayFollow) return { malformed: `chunk size: byte ${byte}` };
    this.#stage = 'extension';
    this.#previous = byte;
    return 'more';
  }

  #readExtension(byte: number, bodyLength: number): 'more' | 'data' | Malformed {
    const { mostHeadBytes, mostBodyBytes } = this.#limits;
    this.#lineLength += 1;
    if (this.#lineLength > mostHeadBytes) return tooLong('chunk extension', mostHeadBytes);
    if (this.#previous !== CARRIAGE_RETURN) {
      if (byte === LINE_FEED) return { malformed: 'chunk size: LF without CR' };
      this.#previous = byte;
      return 'more';
    }
    if (byte !== LINE_FEED) return { malformed: `chunk size: byte ${byte} after CR` };
    if (this.length > 0) return bodyLength + this.length > mostBodyBytes ? tooLong('body size', mostBodyBytes) : 'data';
    this.#stage = 'trailer';
    this.#trailerLength = 0;
    this.#lineLength = 0;
    this.#previous = 0;
    return 'more';
  }

  #readEnd(byte: number): 'more' | Malformed {
    const isExpected = this.#previous === CARRIAGE_RETURN ? byte === LINE_FEED : byte === CARRIAGE_RETURN;
    if (!isExpected) return { malformed: `chunk end: byte ${byte} where the chunk should have ended` };
    if (byte === LINE_FEED) this.start();
    this.#previous = byte;
    return 'more';
  }

  /** Trailers are passed over up to the empty line. */
  #readTrailer(byte: number): 'more' | 'end' | Malformed {
    const { mostHeadBytes } = this.#limits;
    this.#trailerLength += 1;
    if (this.#trailerLength > mostHeadBytes) return tooLong('trailer', mostHeadBytes);
    if (this.#previous === CARRIAGE_RETURN) {
      if (byte !== LINE_FEED) return { malformed: `trailer: byte ${byte} after CR` };
      if (this.#lineLength === 0) return 'end';
      this.#lineLength = 0;
    } else if (byte === LINE_FEED) return { malformed: 'trailer: LF without CR' };
    else if (byte !== CARRIAGE_RETURN) this.#lineLength += 1;
    this.#previous = byte;
    return 'more';
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
