/** Why a response is not HTTP/1.1, for a person: `chunk size: ...`. What comes before the colon is the kind. */
export type Malformed = { readonly malformed: string };

export interface ParserLimits {
  /** Status line and headers together; also the trailers, and one line of a chunk's size. */
  readonly mostHeadBytes: number;
  /** The body as it is, without what frames its chunks. */
  readonly mostBodyBytes: number;
}

export interface ResponseHead {
  readonly status: number;
  /** Null: no length was given. */
  readonly contentLength: number | null;
  readonly isChunked: boolean;
  readonly keepsConnection: boolean;
}

const TAB = 9;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BLANK = 32;
const COLON = 58;
const ZERO = 48;
/** Longer lengths would not be whole numbers any more. */
const MOST_LENGTH_DIGITS = 15;

/** RFC 9110, section 5.6.2: what a header name is made of. */
const isToken = new Uint8Array(256);
for (const letter of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  isToken[letter.charCodeAt(0)] = 1;
}
/** RFC 9110, section 5.5: a header's value holds no control characters but tabs. */
const isFieldText = new Uint8Array(256).fill(1, BLANK);
isFieldText[TAB] = 1;
isFieldText[127] = 0;

/**
 * Reads the bytes from..to of a whole head, from the status line up to the empty line (which is in it). RFC 9112,
 * strictly: what a lenient reader would let pass is a fault of the server that a load test ought to tell.
 */
export function readHead(bytes: Uint8Array, from: number, to: number): ResponseHead | Malformed {
  const status = statusIn(bytes, from);
  if (typeof status !== 'number') return status;
  const isHttp10 = bytes[from + 7] === ZERO;
  let contentLength: number | null = null;
  let isChunked = false;
  let closes = isHttp10;

  let at = from + 12;
  while (isFieldText[bytes[at] as number] === 1) at += 1;
  for (;;) {
    if (bytes[at] !== CARRIAGE_RETURN || bytes[at + 1] !== LINE_FEED) {
      return fault('line end', `byte ${bytes[at]} in a line of the head`);
    }
    at += 2;
    if (at + 2 >= to) break;
    const nameFrom = at;
    while (isToken[bytes[at] as number] === 1) at += 1;
    if (at === nameFrom || bytes[at] !== COLON) return fault('header name', `byte ${bytes[at]} in a header's name`);
    const nameLength = at - nameFrom;
    at += 1;
    const valueFrom = at;
    while (isFieldText[bytes[at] as number] === 1) at += 1;

    // 10: connection. 14: content-length. 17: transfer-encoding.
    if (nameLength === 14 && isName(bytes, nameFrom, 'content-length')) {
      const length = plainLength(bytes, valueFrom, at) ?? lengthIn(valueIn(bytes, valueFrom, at));
      if (length === undefined || (contentLength !== null && contentLength !== length)) {
        return fault('content-length', excerpt(valueIn(bytes, valueFrom, at)));
      }
      contentLength = length;
    } else if (nameLength === 17 && isName(bytes, nameFrom, 'transfer-encoding')) {
      const coding = valueIn(bytes, valueFrom, at);
      if (isChunked || isHttp10 || coding !== 'chunked') return fault('transfer-encoding', excerpt(coding));
      isChunked = true;
    } else if (nameLength === 10 && isName(bytes, nameFrom, 'connection')) {
      if (!isHttp10 && at - valueFrom === 11 && isName(bytes, valueFrom + 1, 'keep-alive')) continue;
      const options = valueIn(bytes, valueFrom, at).split(',');
      if (options.some((option) => option.trim() === 'close')) closes = true;
      else if (isHttp10 && options.some((option) => option.trim() === 'keep-alive')) closes = false;
    }
  }
  // RFC 9112, section 6.3: two lengths may be an attempt to smuggle an answer in.
  if (isChunked && contentLength !== null) return fault('content-length', 'beside transfer-encoding');
  return { status, contentLength, isChunked, keepsConnection: !closes };
}

/** `HTTP/1.1 200`, then the line's end or a blank. */
function statusIn(bytes: Uint8Array, at: number): number | Malformed {
  const minor = (bytes[at + 7] ?? 0) - ZERO;
  // H T T P / 1 . 0 or 1
  const isHttp1 =
    bytes[at] === 72 &&
    bytes[at + 1] === 84 &&
    bytes[at + 2] === 84 &&
    bytes[at + 3] === 80 &&
    bytes[at + 4] === 47 &&
    bytes[at + 5] === 49 &&
    bytes[at + 6] === 46 &&
    (minor === 0 || minor === 1) &&
    bytes[at + 8] === BLANK;
  if (!isHttp1) return fault('status line', excerpt(valueIn(bytes, at, Math.min(at + 40, bytes.length))));
  const hundreds = (bytes[at + 9] ?? 0) - ZERO;
  const tens = (bytes[at + 10] ?? 0) - ZERO;
  const ones = (bytes[at + 11] ?? 0) - ZERO;
  const isStatus = hundreds >= 1 && hundreds <= 5 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
  const after = bytes[at + 12];
  if (!isStatus || (after !== BLANK && after !== CARRIAGE_RETURN)) {
    return fault('status', excerpt(valueIn(bytes, at + 9, at + 13)));
  }
  return hundreds * 100 + tens * 10 + ones;
}

/** Names are compared in lower case: bit 32 is what a capital letter lacks, and `-` has it. */
function isName(bytes: Uint8Array, from: number, name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    if (((bytes[from + index] as number) | 32) !== name.charCodeAt(index)) return false;
  }
  return true;
}

/** In lower case: only what is case-insensitive is read here. */
function valueIn(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to))
    .trim()
    .toLowerCase();
}

/** A blank and some digits, as nearly every server writes it; undefined for anything else. */
function plainLength(bytes: Uint8Array, from: number, to: number): number | undefined {
  if (bytes[from] !== BLANK || to - from - 1 > MOST_LENGTH_DIGITS || to - from < 2) return undefined;
  let length = 0;
  for (let at = from + 1; at < to; at += 1) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
  }
  return length;
}

/** RFC 9110, section 8.6: the same length again is no fault. */
function lengthIn(text: string): number | undefined {
  const lengths = text.split(',').map((one) => one.trim());
  const [first = ''] = lengths;
  const isLength = /^\d+$/.test(first) && first.replace(/^0+/, '').length <= MOST_LENGTH_DIGITS;
  return isLength && lengths.every((one) => one === first) ? Number(first) : undefined;
}

export function tooLong(what: string, most: number): Malformed {
  return fault(what, `more than ${most} bytes`);
}

function fault(kind: string, what: string): Malformed {
  return { malformed: `${kind}: ${what}` };
}

/** What a server sent is shown to people, so nothing of it may control their terminal. */
export function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 40)).replace(/[^\x20-\x7e]/g, '?');
}
