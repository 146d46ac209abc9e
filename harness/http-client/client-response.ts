import type { ReceivedResponse } from './message.ts';
import type { ParsedResponse } from './response-parser.ts';

/** What a scenario may look at: headers and text are read when it first does. */
export class ClientResponse implements ReceivedResponse {
  readonly kind = 'answered';
  readonly status: number;
  readonly #response: ParsedResponse;
  #headers: ReceivedResponse | undefined;

  constructor(response: ParsedResponse) {
    this.status = response.status;
    this.#response = response;
  }

  header(name: string): string | undefined {
    return this.#readHeaders().header(name);
  }

  setCookies(): readonly string[] {
    return this.#readHeaders().setCookies();
  }

  text(): string {
    const { bodyBytes, bodyFrom } = this.#response;
    return bodyBytes.toString('utf8', bodyFrom);
  }

  #readHeaders(): ReceivedResponse {
    this.#headers ??= responseFromRawHeaders(this.status, rawHeaders(this.#response), () => this.text());
    return this.#headers;
  }
}

/** For clients that have headers as a flat list: name, value, name, value ... */
export function responseFromRawHeaders(status: number, raw: readonly string[], text: () => string): ReceivedResponse {
  const values = (wanted: string): string[] => {
    const found: string[] = [];
    for (let index = 0; index + 1 < raw.length; index += 2) {
      if (raw[index]?.toLowerCase() === wanted) found.push(raw[index + 1] ?? '');
    }
    return found;
  };
  return {
    kind: 'answered',
    status,
    header(name) {
      const found = values(name);
      return found.length === 0 ? undefined : found.join(', ');
    },
    setCookies: () => values('set-cookie'),
    text,
  };
}

/** Name, value, name, value ... of a head that has been found well-formed. */
function rawHeaders({ headBytes, headLength }: ParsedResponse): string[] {
  const raw: string[] = [];
  const lines = headBytes.toString('latin1', 0, headLength).split('\r\n');
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) raw.push(line.slice(0, colon), line.slice(colon + 1).trim());
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
