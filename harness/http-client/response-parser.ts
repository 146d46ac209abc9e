import { type BodyMemory, MOST_BODY_BYTES, ReceivedBody } from './body-memory.ts';
import { ChunkFraming } from './chunk-framing.ts';
import { excerpt, type Malformed, type ParserLimits, type ResponseHead, readHead, tooLong } from './response-head.ts';

/** A whole answer. Its bytes are its own. */
export interface ParsedResponse {
  readonly status: number;
  readonly keepsConnection: boolean;
  /** From the status line up to the empty line: the first bytes of these. */
  readonly headBytes: Buffer;
  readonly headLength: number;
  /** The body, kept as it came; null where it follows the head in the same bytes. */
  readonly body: readonly Buffer[] | null;
  /** Of the whole body, kept or not. */
  readonly bodyBytes: number;
  /** A body came and was not kept. */
  readonly isBodyLost: boolean;
}

/** `idle`: nothing is expected. `waiting`: nothing came yet. `reading`: a part of it is there. */
export type ParserState = 'idle' | 'waiting' | 'reading' | 'complete' | 'malformed';

type Stage = 'head' | 'length' | 'until-close' | 'chunk-framing' | 'chunk-data';

const FIRST_BYTES = 1024;
/** Beyond these a response is malformed. How much of a body is kept is up to `BodyMemory`. */
const DEFAULT_LIMITS: ParserLimits = { mostHeadBytes: 64 * 1024, mostBodyBytes: MOST_BODY_BYTES };
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const EMPTY = Buffer.alloc(0);
const NO_BODY: readonly Buffer[] = [];
const END_OF_HEAD = Buffer.from('\r\n\r\n');

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
    body: NO_BODY,
    bodyBytes: 0,
    isBodyLost: false,
  };
  readonly #limits: ParserLimits;
  #isHead = false;
  #stage: Stage = 'head';
  /** The part of a head that came before the piece at hand. */
  readonly #held = new GrowingBuffer();
  #head: Buffer = EMPTY;
  #parsed: ResponseHead | undefined;
  /** What has come of a body that comes in pieces. */
  readonly #body: ReceivedBody;
  /** Bytes left of the body or the chunk. */
  #left = 0;
  readonly #chunks: ChunkFraming;

  constructor(memory: BodyMemory, limits: ParserLimits = DEFAULT_LIMITS) {
    this.#body = new ReceivedBody(memory);
    this.#limits = limits;
    this.#chunks = new ChunkFraming(limits);
  }

  /** Of the body that is being read. */
  get bodyLength(): number {
    return this.#body.length;
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
      const early = faultBeforeEnd(held, before);
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
        body: null,
        bodyBytes: length,
        isBodyLost: false,
      };
      this.state = 'complete';
      return headTo + length;
    }
    this.#head = Buffer.from(bytes.subarray(from, headTo));
    if (length === 0) this.#complete();
    else if (length !== null) {
      this.#left = length;
      this.#body.expect(length);
      this.#stage = 'length';
    } else this.#stage = isChunked ? 'chunk-framing' : 'until-close';
    this.#chunks.start();
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
      else {
        this.#stage = 'chunk-framing';
        this.#chunks.endData();
      }
    }
    return until;
  }

  #readUntilClose(bytes: Buffer, from: number, to: number): number {
    if (this.#body.length + to - from > this.#limits.mostBodyBytes) return this.#tooLong('body size', from);
    this.#body.add(bytes, from, to);
    return to;
  }

  #readFraming(byte: number): void {
    const found = this.#chunks.read(byte, this.#body.length);
    if (found === 'data') {
      this.#left = this.#chunks.length;
      this.#stage = 'chunk-data';
    } else if (found === 'end') this.#complete();
    else if (found !== 'more') this.#fail(found, 0);
  }

  #complete(): void {
    const head = this.#parsed as ResponseHead;
    this.response = {
      status: head.status,
      keepsConnection: head.keepsConnection && this.#stage !== 'until-close',
      headBytes: this.#head,
      headLength: this.#head.length,
      isBodyLost: this.#body.isLost,
      bodyBytes: this.#body.length,
      body: this.#body.take(),
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

  #tooLong(what: 'header size' | 'body size', at: number): number {
    const { mostBodyBytes, mostHeadBytes } = this.#limits;
    return this.#fail(tooLong(what, what === 'body size' ? mostBodyBytes : mostHeadBytes), at);
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
function faultBeforeEnd(held: Buffer, seen: number): Malformed | undefined {
  if (!'HTTP/1.'.startsWith(held.toString('latin1', 0, Math.min(held.length, 7)))) {
    return { malformed: `status line: ${excerpt(held.toString('latin1'))}` };
  }
  for (let at = held.indexOf(LINE_FEED, seen); at >= 0; at = held.indexOf(LINE_FEED, at + 1)) {
    if (held[at - 1] !== CARRIAGE_RETURN) return { malformed: 'line end: LF without CR in the head' };
  }
  return undefined;
}

/** Collects bytes that arrive in pieces. Doubles when it is full, so that single bytes cost little too. */
class GrowingBuffer {
  length = 0;
  #room: Buffer = EMPTY;

  add(bytes: Buffer, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, length, 2 * this.#room.length));
      this.#room.copy(larger, 0, 0, this.length);
      this.#room = larger;
    }
    bytes.copy(this.#room, this.length, from, to);
    this.length = length;
  }

  bytes(): Buffer {
    return this.length === 0 ? EMPTY : this.#room.subarray(0, this.length);
  }

  /** Starts anew; what `bytes` gave before stays as it is. */
  clear(): void {
    if (this.length === 0) return;
    this.length = 0;
    this.#room = EMPTY;
  }
}
