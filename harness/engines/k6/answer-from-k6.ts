import type { FailedRequest, ReceivedResponse, TransportFailure } from '../../http-client/message.ts';

/** As `http.request` of k6 gives it. */
export interface K6Answer {
  /** 0 when no answer came whole. */
  readonly status: number;
  readonly error: string;
  readonly error_code: number;
  /** Names as Go spells them, `Set-Cookie`; several values joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Of a text in UTF-8, as `k6/encoding` has it. */
export type Base64 = (text: string) => string;

/**
 * Runs inside k6, which makes each field of an answer anew when it is read: nothing is read before it is needed.
 * @param method that of the request
 * @param base64 of k6: what counts the bytes of a text; left out where nobody asks for them
 */
export function answerFromK6(answer: K6Answer, method: string, base64?: Base64): ResponseOfK6 | FailedRequest {
  const { status } = answer;
  if (status !== 0) return new ResponseOfK6(answer, status, method, base64);
  const { error, error_code: code } = answer;
  return { kind: 'failed', message: error, ...failureOf(code, error) };
}

/** A class, because k6 takes longer to make three closures than to send half a request. */
export class ResponseOfK6 implements ReceivedResponse {
  readonly kind = 'answered';
  readonly status: number;
  readonly bodyBytes: number;
  /** It sets cookies. */
  readonly hasCookies: boolean;
  readonly #answer: K6Answer;

  constructor(answer: K6Answer, status: number, method: string, base64: Base64 | undefined) {
    const { headers } = answer;
    this.#answer = answer;
    this.status = status;
    this.hasCookies = headers['Set-Cookie'] !== undefined;
    const length = headers['Content-Length'];
    if (method === 'HEAD' || status === 304 || base64 === undefined) this.bodyBytes = 0;
    else this.bodyBytes = length === undefined ? bytesIn(answer.body ?? '', base64) : Number(length);
  }

  header(name: string): string | undefined {
    const { headers } = this.#answer;
    const spelled = Object.keys(headers).find((each) => each.toLowerCase() === name);
    return spelled === undefined ? undefined : headers[spelled];
  }

  setCookies(): readonly string[] {
    // Its own cookies lack what Go finds wrong, lack quotes, and come in another order each time.
    const values = new Map<string, string>();
    for (const setCookie of (this.#answer.headers['Set-Cookie'] ?? '').split(NEXT_COOKIE)) {
      const [pair = ''] = setCookie.split(';', 1);
      const equals = pair.indexOf('=');
      if (equals > 0) values.set(pair.slice(0, equals), pair.slice(equals + 1));
    }
    return [...values].map(([name, value]) => `${name}=${value}`);
  }

  text(): string {
    return this.#answer.body ?? '';
  }
}

/**
 * In UTF-8. Of a body whose length the server did not give: k6 hands over its text, decompressed. A script would take a
 * second for the characters of a megabyte; what k6 encodes takes milliseconds.
 */
function bytesIn(text: string, base64: Base64): number {
  if (!/[\u0080-\uffff]/.test(text)) return text.length;
  const encoded = base64(text);
  const padding = encoded.endsWith('==') ? 2 : encoded.endsWith('=') ? 1 : 0;
  return (encoded.length / 4) * 3 - padding;
}

/** What k6 takes for a body. */
export function bodyForK6(body: string | Uint8Array | undefined): string | ArrayBuffer | null {
  // Of an empty body that is not null it would tell no length.
  if (body === undefined || body.length === 0) return null;
  if (typeof body === 'string') return body;
  return new Uint8Array(body).buffer;
}

/** Headers are joined with `, `, which dates hold too. */
const NEXT_COOKIE = /, (?=[^\s;,=]+=)/;

/**
 * The error codes of k6 that tell more than their hundred (lib/netext/httpext/error_codes.go;
 * https://grafana.com/docs/k6/latest/javascript-api/error-codes/).
 */
const byCode: Readonly<Record<number, TransportFailure>> = {
  1050: 'timeout',
  // Dialing: an error, no answer in time, refused, an error of the system.
  1210: 'refused',
  1211: 'timeout',
  1212: 'refused',
  1213: 'refused',
};

/** DNS and TLS: there was no connection to send anything over. TCP: there was one, and it broke. */
const byHundred: Readonly<Record<number, TransportFailure>> = { 11: 'refused', 12: 'reset', 13: 'refused' };

/** All that k6 has no code for (1000) is reported by the words of Go's net/http: these are a connection that ended too soon. */
const endedTooSoon = /\bEOF\b|closed idle connection|use of closed|connection reset|broken pipe|context canceled/;

/** k6 has no codes for what its own machine ran out of while it looked up a name (11xx) or dialed (12xx). */
const outOfFiles = /too many open files/;
const outOfPorts = /can(not|'t) assign requested address|address already in use/;

/** Why a request of k6 has no answer. What is neither known nor a broken connection is an answer that is no HTTP/1.1. */
export function failureOf(code: number, message: string): Pick<FailedRequest, 'outcome' | 'resource'> {
  if (code >= 1100 && code < 1300) {
    if (outOfFiles.test(message)) return { outcome: 'generator-limit', resource: 'files' };
    if (outOfPorts.test(message)) return { outcome: 'generator-limit', resource: 'ports' };
  }
  return { outcome: outcomeOf(code, message) };
}

function outcomeOf(code: number, message: string): TransportFailure {
  const known = byCode[code] ?? byHundred[Math.floor(code / 100)];
  if (known !== undefined) return known;
  return endedTooSoon.test(message) ? 'reset' : 'malformed';
}
