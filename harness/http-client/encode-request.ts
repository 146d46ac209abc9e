import { expectsContent, type HttpRequest } from './message.ts';

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
      const text = `${head}content-length: ${length}\r\n\r\n${body}`;
      return { text, encoding: length === body.length ? 'latin1' : 'utf8' };
    }
    if (body !== undefined) {
      return { text: `${head}content-length: ${body.length}\r\n\r\n`, encoding: 'latin1', bytes: body };
    }
    if (expectsContent(method)) head += 'content-length: 0\r\n';
    return { text: `${head}\r\n`, encoding: 'latin1' };
  };
}
