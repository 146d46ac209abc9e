import { answerFromRawHeaders, type ServerAnswer } from '../engines/scenario-response.ts';
import type { ParsedResponse } from './response-parser.ts';

/** What a scenario may look at: headers and text are read when it first does. */
export class ParsedAnswer implements ServerAnswer {
  readonly kind = 'answered';
  readonly status: number;
  readonly #response: ParsedResponse;
  #headers: ServerAnswer | undefined;

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

  #readHeaders(): ServerAnswer {
    this.#headers ??= answerFromRawHeaders(this.status, rawHeaders(this.#response), () => this.text());
    return this.#headers;
  }
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
