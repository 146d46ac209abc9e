import { GrowingBuffer } from './growing-buffer.ts';
import { excerpt, type Malformed, type ResponseHead, readHead } from './response-head.ts';

export interface ParserLimits {
  /** Status line and headers together; also the trailers, and one line of a chunk's size. */
  readonly mostHeadBytes: number;
  /** The body as it is, without what frames its chunks. */
  readonly mostBodyBytes: number;
}

/** A whole answer. Its bytes are its own. */
export interface ParsedResponse {
  readonly status: number;
  readonly keepsConnection: boolean;
  /** From the status line up to the empty line: the first bytes of these. */
  readonly headBytes: Buffer;
  readonly headLength: number;
  /** From here to the end. */
  readonly bodyBytes: Buffer;
  readonly bodyFrom: number;
}

/** `idle`: nothing is expected. `waiting`: nothing came yet. `reading`: a part of it is there. */
export type ParserState = 'idle' | 'waiting' | 'reading' | 'complete' | 'malformed';

type Stage =
  | 'head'
  | 'length'
  | 'until-close'
  | 'chunk-size'
  | 'chunk-extension'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailer';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SEMICOLON = 59;
const EMPTY = Buffer.alloc(0);
const END_OF_HEAD = Buffer.from('\r\n\r\n');
/** A chunk beyond 2^48 bytes would be beyond any limit. */
const MOST_CHUNK_DIGITS = 12;

/**
 * Reads the answers of one connection, HTTP/1.1 or 1.0 (RFC 9112), however they are cut into pieces. Free of sockets and
 * clocks; holds no more than the limits allow. Interim answers (1xx) are passed over.
 */
export class ResponseParser {
  state: ParserState = 'idle';
  /** When `malformed`: why. */
  malformed = '';
  /** When `complete`. */
  response: ParsedResponse = {
    status: 0,
    keepsConnection: false,
    headBytes: EMPTY,
    headLength: 0,
    bodyBytes: EMPTY,
    bodyFrom: 0,
  };
  readonly #limits: ParserLimits;
  #isHead = false;
  #stage: Stage = 'head';
  /** The part of a head that came before the piece at hand. */
  readonly #held = new GrowingBuffer();
  #head: Buffer = EMPTY;
  #parsed: ResponseHead | undefined;
  /** What has come of a body that comes in pieces. */
  readonly #body = new GrowingBuffer();
  /** Bytes left of the body or the chunk. */
  #left = 0;
  #digits = 0;
  #lineLength = 0;
  #trailerLength = 0;
  #previous = 0;

  constructor(limits: ParserLimits) {
    this.#limits = limits;
  }

  /** Expects the answer to one request from here on. */
  expect(method: string): void {
    this.state = 'waiting';
    this.#isHead = method === 'HEAD';
    this.#stage = 'head';
  }

  /** Forgets what was half read, and expects nothing. */
  reset(): void {
    this.state = 'idle';
    this.#forget();
  }

  /**
   * Takes bytes from..to as far as they belong to the answer; gives the place of the first one that does not. The bytes
   * may be overwritten afterwards.
   */
  read(bytes: Buffer, from: number, to: number): number {
    if (from < to && this.state === 'waiting') this.state = 'reading';
    let at = from;
    while (at < to && this.state === 'reading') {
      if (this.#stage === 'head') at = this.#readHead(bytes, at, to);
      else if (this.#stage === 'length' || this.#stage === 'chunk-data') at = this.#readData(bytes, at, to);
      else if (this.#stage === 'until-close') at = this.#readUntilClose(bytes, at, to);
      else {
        this.#readFraming(bytes[at] as number);
        at += 1;
      }
    }
    return at;
  }

  /** The connection has ended: completes an answer whose end that is. */
  end(): void {
    if (this.state === 'reading' && this.#stage === 'until-close') this.#complete();
  }

  #readHead(bytes: Buffer, from: number, to: number): number {
    if (this.#held.length === 0) {
      const end = bytes.indexOf(END_OF_HEAD, from);
      if (end >= 0 && end + 4 <= to) {
        const headTo = end + 4;
        if (headTo - from > this.#limits.mostHeadBytes) return this.#tooLong('header size', from);
        return this.#takeHead(bytes, from, headTo, bytes, to);
      }
    }
    // Held back until its end is there. Up to 3 bytes of the end may have come before.
    const before = this.#held.length;
    const takes = Math.min(to - from, this.#limits.mostHeadBytes - before);
    this.#held.add(bytes, from, from + takes);
    const held = this.#held.bytes();
    const end = held.indexOf(END_OF_HEAD, Math.max(0, before - 3));
    if (end < 0) {
      const early = faultBeforeEnd(held);
      if (early !== undefined) return this.#fail(early, from);
      return held.length >= this.#limits.mostHeadBytes ? this.#tooLong('header size', from) : to;
    }
    this.#held.clear();
    this.#takeHead(held, 0, end + 4, EMPTY, 0);
    return from + (end + 4 - before);
  }

  /** `bytes` from..headTo is a head; what follows it in `rest` up to `to` may be its whole body. */
  #takeHead(bytes: Buffer, from: number, headTo: number, rest: Buffer, to: number): number {
    const head = readHead(bytes, from, headTo);
    if ('malformed' in head) return this.#fail(head, headTo);
    const { status, contentLength, isChunked } = head;
    if (status === 101) return this.#fail({ malformed: 'status: 101, but no other protocol was asked for' }, headTo);
    if (status < 200) return headTo; // An interim answer: the real one is still to come.
    if (contentLength !== null && contentLength > this.#limits.mostBodyBytes && this.#hasBody(status)) {
      return this.#tooLong('body size', headTo);
    }
    this.#parsed = head;
    const length = this.#hasBody(status) ? (isChunked ? null : contentLength) : 0;
    if (length !== null && rest === bytes && to - headTo >= length) {
      // The usual case: the whole answer in one piece, copied at once.
      const copy = Buffer.allocUnsafe(headTo - from + length);
      bytes.copy(copy, 0, from, headTo + length);
      const headLength = headTo - from;
      this.response = {
        status,
        keepsConnection: head.keepsConnection,
        headBytes: copy,
        headLength,
        bodyBytes: copy,
        bodyFrom: headLength,
      };
      this.state = 'complete';
      return headTo + length;
    }
    this.#head = Buffer.from(bytes.subarray(from, headTo));
    if (length === 0) this.#complete();
    else if (length !== null) {
      this.#left = length;
      this.#stage = 'length';
    } else this.#stage = isChunked ? 'chunk-size' : 'until-close';
    this.#digits = 0;
    this.#lineLength = 0;
    return headTo;
  }

  #hasBody(status: number): boolean {
    return !this.#isHead && status !== 204 && status !== 304;
  }

  #readData(bytes: Buffer, from: number, to: number): number {
    const until = Math.min(to, from + this.#left);
    this.#body.add(bytes, from, until);
    this.#left -= until - from;
    if (this.#left === 0) {
      if (this.#stage === 'length') this.#complete();
      else this.#stage = 'chunk-end';
    }
    this.#previous = 0;
    return until;
  }

  #readUntilClose(bytes: Buffer, from: number, to: number): number {
    if (this.#body.length + to - from > this.#limits.mostBodyBytes) return this.#tooLong('body size', from);
    this.#body.add(bytes, from, to);
    return to;
  }

  /** RFC 9112, section 7.1, byte by byte: what frames the chunks is short. */
  #readFraming(byte: number): void {
    if (this.#stage === 'chunk-size') {
      const digit = hexDigit(byte);
      if (digit >= 0) {
        this.#left = this.#left * 16 + digit;
        this.#digits += 1;
        if (this.#digits > MOST_CHUNK_DIGITS) this.#fail({ malformed: 'chunk size: too many digits' }, 0);
        return;
      }
      const mayFollow = byte === SEMICOLON || byte === CARRIAGE_RETURN || byte === 32 || byte === 9;
      if (this.#digits === 0 || !mayFollow) {
        this.#fail({ malformed: `chunk size: byte ${byte}` }, 0);
        return;
      }
      this.#stage = 'chunk-extension';
      this.#previous = byte;
    } else if (this.#stage === 'chunk-extension') this.#readExtension(byte);
    else if (this.#stage === 'chunk-end') this.#readChunkEnd(byte);
    else this.#readTrailer(byte);
  }

  #readExtension(byte: number): void {
    this.#lineLength += 1;
    if (this.#lineLength > this.#limits.mostHeadBytes) this.#tooLong('chunk extension', 0);
    else if (this.#previous === CARRIAGE_RETURN) {
      if (byte !== LINE_FEED) this.#fail({ malformed: `chunk size: byte ${byte} after CR` }, 0);
      else if (this.#left === 0) {
        this.#stage = 'trailer';
        this.#trailerLength = 0;
        this.#lineLength = 0;
        this.#previous = 0;
      } else if (this.#body.length + this.#left > this.#limits.mostBodyBytes) this.#tooLong('body size', 0);
      else this.#stage = 'chunk-data';
    } else if (byte === LINE_FEED) this.#fail({ malformed: 'chunk size: LF without CR' }, 0);
    else this.#previous = byte;
  }

  #readChunkEnd(byte: number): void {
    const isExpected = this.#previous === CARRIAGE_RETURN ? byte === LINE_FEED : byte === CARRIAGE_RETURN;
    if (!isExpected) this.#fail({ malformed: `chunk end: byte ${byte} where the chunk should have ended` }, 0);
    else if (byte === LINE_FEED) {
      this.#stage = 'chunk-size';
      this.#digits = 0;
      this.#lineLength = 0;
    }
    this.#previous = byte;
  }

  /** Trailers are passed over up to the empty line. */
  #readTrailer(byte: number): void {
    this.#trailerLength += 1;
    if (this.#trailerLength > this.#limits.mostHeadBytes) this.#tooLong('trailer', 0);
    else if (this.#previous === CARRIAGE_RETURN) {
      if (byte !== LINE_FEED) this.#fail({ malformed: `trailer: byte ${byte} after CR` }, 0);
      else if (this.#lineLength === 0) this.#complete();
      else this.#lineLength = 0;
    } else if (byte === LINE_FEED) this.#fail({ malformed: 'trailer: LF without CR' }, 0);
    else if (byte !== CARRIAGE_RETURN) this.#lineLength += 1;
    this.#previous = byte;
  }

  #complete(): void {
    const head = this.#parsed as ResponseHead;
    this.response = {
      status: head.status,
      keepsConnection: head.keepsConnection && this.#stage !== 'until-close',
      headBytes: this.#head,
      headLength: this.#head.length,
      bodyBytes: this.#body.bytes(),
      bodyFrom: 0,
    };
    this.#forget();
    this.state = 'complete';
  }

  #fail({ malformed }: Malformed, at: number): number {
    this.malformed = malformed;
    this.#forget();
    this.state = 'malformed';
    return at;
  }

  #tooLong(what: string, at: number): number {
    const most = what === 'body size' ? this.#limits.mostBodyBytes : this.#limits.mostHeadBytes;
    return this.#fail({ malformed: `${what}: more than ${most} bytes` }, at);
  }

  #forget(): void {
    this.#stage = 'head';
    this.#held.clear();
    this.#head = EMPTY;
    this.#parsed = undefined;
    this.#body.clear();
    this.#left = 0;
  }
}

/** What cannot become an answer any more is not waited for. */
function faultBeforeEnd(held: Buffer): Malformed | undefined {
  if ('HTTP/1.'.startsWith(held.toString('latin1', 0, Math.min(held.length, 7)))) return undefined;
  return { malformed: `status line: ${excerpt(held.toString('latin1'))}` };
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
