/** What is sent and what comes back, and the rules of every HTTP client that an engine may have. k6 bundles them too. */

/** A request as it is sent. */
export interface HttpRequest {
  readonly method: string;
  /** From the base URL on. */
  readonly path: string;
  /** Names in lower case; content-type and cookie are in it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** How a request ended: a whole response, or the reason why there is none. */
export type RawResponse = ReceivedResponse | FailedRequest;

export interface FailedRequest {
  readonly kind: 'failed';
  readonly outcome: TransportFailure;
  readonly message: string;
  /** Of `generator-limit`: what this machine ran out of. */
  readonly resource?: 'ports' | 'files';
}

export type TransportFailure = 'refused' | 'reset' | 'timeout' | 'malformed' | 'generator-limit';

/** Errors of this machine and not of the server: no local port is free for another connection, or no file descriptor. */
const ownLimits: Readonly<Record<string, 'ports' | 'files'>> = {
  EADDRNOTAVAIL: 'ports',
  EADDRINUSE: 'ports',
  EMFILE: 'files',
  ENFILE: 'files',
};

/** Why there is no connection, or no longer one, by the error of its socket. */
export function socketFailure(error: NodeJS.ErrnoException, wasConnected: boolean): FailedRequest {
  // Several addresses may have been tried, each with its own reason.
  const errors: readonly NodeJS.ErrnoException[] = error instanceof AggregateError ? error.errors : [error];
  const message = errors.map((each) => each.message).find((text) => text !== '') ?? String(error.code);
  const resource = errors.map(({ code = '' }) => ownLimits[code]).find((each) => each !== undefined);
  if (resource !== undefined && !wasConnected) return { kind: 'failed', outcome: 'generator-limit', message, resource };
  const isReset = wasConnected || error.code === 'ECONNRESET' || error.code === 'EPIPE';
  return { kind: 'failed', outcome: isReset ? 'reset' : 'refused', message };
}

/** Functions, because most scenarios look at little of a response. */
export interface ReceivedResponse {
  readonly kind: 'answered';
  readonly status: number;
  /** Of the body as it was sent, also where it was not kept. */
  readonly bodyBytes: number;
  /** By the name in lower case; several values joined with `, `. */
  header(name: string): string | undefined;
  /** Each `set-cookie` header, or at least its `name=value`. */
  setCookies(): readonly string[];
  /** Why there is no text, though a body came. */
  readonly bodyLost?: string | undefined;
  text(): string;
}

/** RFC 9110, section 8.6: a request without content says so, where its method would lead to expect some. */
function expectsContent(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;

/**
 * Milliseconds to wait before a closed-loop user connects again. The first failure is no reason to wait: a server may
 * well close an idle connection.
 */
export function reconnectPauseMs(failuresInARow: number): number {
  if (failuresInARow < 2) return 0;
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failuresInARow - 2, 16));
}

/** What is written to the socket. */
export interface EncodedRequest {
  /** The head, and the body where it is text. */
  readonly text: string;
  /** latin1 where every letter is one byte: it is written without a look at the letters. */
  readonly encoding: 'latin1' | 'utf8';
  /** Follows the text. */
  readonly bytes?: Uint8Array;
}

/** These frame the message, so they follow from the body alone. */
const FRAMING = new Set(['content-length', 'transfer-encoding']);

/** Encodes requests as HTTP/1.1 (RFC 9112) for one base URL. */
export function createRequestEncoder(baseUrl: URL): (request: HttpRequest) => EncodedRequest {
  const prefix = baseUrl.pathname.replace(/\/+$/, '');
  const hostLine = `host: ${baseUrl.host}\r\n`;
  return ({ method, path, headers, body }) => {
    let head = `${method} ${prefix}${path} HTTP/1.1\r\n`;
    if (headers.host === undefined) head += hostLine;
    for (const name in headers) if (!FRAMING.has(name)) head += `${name}: ${headers[name]}\r\n`;
    if (typeof body === 'string') {
      const length = Buffer.byteLength(body);
      head += `content-length: ${length}\r\n\r\n`;
      if (length === body.length) return { text: latin1Of(head) + body, encoding: 'latin1' };
      if (isAscii(head)) return { text: head + body, encoding: 'utf8' };
      return { text: latin1Of(head), encoding: 'latin1', bytes: Buffer.from(body) };
    }
    if (body !== undefined) {
      return { text: latin1Of(`${head}content-length: ${body.length}\r\n\r\n`), encoding: 'latin1', bytes: body };
    }
    if (expectsContent(method)) head += 'content-length: 0\r\n';
    return { text: latin1Of(`${head}\r\n`), encoding: 'latin1' };
  };
}

function isAscii(text: string): boolean {
  return !/[\x80-\uffff]/.test(text);
}

/** A cookie's letters are the bytes that a server set, one each; what is no byte is sent in UTF-8. */
function latin1Of(head: string): string {
  return head.replace(/[\u0100-\uffff]+/g, (letters) => Buffer.from(letters).toString('latin1'));
}
