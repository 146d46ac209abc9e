import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { BODY_LOST, joined } from './body-memory.ts';
import type { ReceivedResponse } from './message.ts';
import type { ParsedResponse } from './response-parser.ts';

/** What a scenario may look at: headers and text are read when it first does. */
export class ClientResponse implements ReceivedResponse {
  readonly kind = 'answered';
  readonly status: number;
  readonly bodyBytes: number;
  readonly bodyLost: string | undefined;
  readonly #response: ParsedResponse;
  readonly #onBodyRead: () => void;
  #headers: ReceivedResponse | undefined;

  constructor(response: ParsedResponse, onBodyRead: () => void = () => {}) {
    this.status = response.status;
    this.bodyBytes = response.bodyBytes;
    this.bodyLost = response.isBodyLost ? BODY_LOST : undefined;
    this.#response = response;
    this.#onBodyRead = onBodyRead;
  }

  header(name: string): string | undefined {
    return this.#readHeaders().header(name);
  }

  setCookies(): readonly string[] {
    return this.#readHeaders().setCookies();
  }

  text(): string {
    const { body, headBytes, headLength } = this.#response;
    if (body !== null) this.#onBodyRead();
    return bodyText(body === null ? headBytes.subarray(headLength) : joined(body), this.header('content-encoding'));
  }

  #readHeaders(): ReceivedResponse {
    this.#headers ??= responseFromRawHeaders(this.status, rawHeaders(this.#response), this.bodyBytes, () =>
      this.text(),
    );
    return this.#headers;
  }
}

/** For clients that have headers as a flat list: name, value, name, value ... */
export function responseFromRawHeaders(
  status: number,
  raw: readonly string[],
  bodyBytes: number,
  text: (contentEncoding: string | undefined) => string,
  bodyLost?: string,
): ReceivedResponse {
  const values = (wanted: string): string[] => {
    const found: string[] = [];
    for (let index = 0; index + 1 < raw.length; index += 2) {
      if (raw[index]?.toLowerCase() === wanted) found.push(raw[index + 1] ?? '');
    }
    return found;
  };
  const header = (name: string): string | undefined => {
    const found = values(name);
    return found.length === 0 ? undefined : found.join(', ');
  };
  return {
    kind: 'answered',
    status,
    bodyBytes,
    bodyLost,
    header,
    setCookies: () => values('set-cookie'),
    text: () => text(header('content-encoding')),
  };
}

/** A small body may stand for gigabytes. */
const DECODED = { maxOutputLength: 64 * 1024 * 1024 };
const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => gunzipSync(bytes, DECODED),
  'x-gzip': (bytes) => gunzipSync(bytes, DECODED),
  br: (bytes) => brotliDecompressSync(bytes, DECODED),
  // RFC 9110, section 8.4.1.2: zlib, which some servers leave out. Its first byte names method 8.
  deflate: (bytes) => (((bytes[0] ?? 8) & 15) === 8 ? inflateSync(bytes, DECODED) : inflateRawSync(bytes, DECODED)),
};

/** A body that is not what its encoding says is shown as it came. */
export function bodyText(bytes: Buffer, contentEncoding = ''): string {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '');
  try {
    return codings.reduceRight((decoded, coding) => decoders[coding]?.(decoded) ?? decoded, bytes).toString('utf8');
  } catch {
    return bytes.toString('utf8');
  }
}

/** Name, value, name, value ... of a head that has been found well-formed. */
function rawHeaders({ headBytes, headLength }: ParsedResponse): string[] {
  const raw: string[] = [];
  const lines = headBytes.toString('latin1', 0, headLength).split('\r\n');
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) raw.push(line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, ''));
  }
  return raw;
}

/** How long the server says it keeps an idle connection, in seconds; undefined when it says nothing. */
export function keepAliveS({
  headBytes,
  headLength,
}: Pick<ParsedResponse, 'headBytes' | 'headLength'>): number | undefined {
  const found = /\r\nkeep-alive:[^\r]*\btimeout=(\d+)/i.exec(headBytes.toString('latin1', 0, headLength))?.[1];
  return found === undefined ? undefined : Number(found);
}
