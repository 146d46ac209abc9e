import type { Response } from '../../scenarios/kit.ts';
import type { RequestOutcome } from '../core/trial.ts';

/** What an engine tells of a request: what the server answered, or why there is no answer. */
export type Answer =
  | ServerAnswer
  | {
      readonly kind: 'failed';
      readonly outcome: Extract<RequestOutcome, 'refused' | 'reset' | 'timeout' | 'malformed'>;
      readonly message: string;
    };

/** Functions, because most scenarios look at little of an answer. */
export interface ServerAnswer {
  readonly kind: 'answered';
  readonly status: number;
  /** By the name in lower case; several values joined with `, `. */
  header(name: string): string | undefined;
  /** Each `set-cookie` header, or at least its `name=value`. */
  setCookies(): readonly string[];
  text(): string;
}

/** What a scenario sees of an answer: body and cookies are read when it first looks. */
export class ScenarioResponse implements Response {
  ok: boolean;
  readonly #answer: ServerAnswer;
  #cookies: Readonly<Record<string, string>> | undefined;
  #text: string | undefined;
  #json: { readonly value: unknown } | undefined;

  constructor(answer: ServerAnswer, ok: boolean) {
    this.#answer = answer;
    this.ok = ok;
  }

  get status(): number {
    return this.#answer.status;
  }

  get cookies(): Readonly<Record<string, string>> {
    this.#cookies ??= parseSetCookies(this.#answer.setCookies());
    return this.#cookies;
  }

  header(name: string): string | undefined {
    return this.#answer.header(name.toLowerCase());
  }

  text(): string {
    this.#text ??= this.#answer.text();
    return this.#text;
  }

  json(): unknown {
    this.#json ??= { value: parseJson(this.text()) };
    return this.#json.value;
  }
}

/** Name -> value as it was sent; the last one of a name counts. Attributes (Path, Max-Age ...) are left aside. */
export function parseSetCookies(setCookies: readonly string[]): Readonly<Record<string, string>> {
  const cookies: Record<string, string> = Object.create(null);
  for (const setCookie of setCookies) {
    const pair = setCookie.split(';', 1)[0] ?? '';
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    if (equals > 0 && name !== '') cookies[name] = pair.slice(equals + 1).trim();
  }
  return cookies;
}

/** For engines that have headers as a flat list: name, value, name, value ... */
export function answerFromRawHeaders(status: number, raw: readonly string[], text: () => string): ServerAnswer {
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
