import type { Request, Response } from '../../../scenarios/kit.ts';
import { describeThrown } from '../../core/errors.ts';
import type { GeneratorResource, RequestOutcome } from '../../core/trial.ts';
import type { RawResponse, ReceivedResponse } from '../../http-client/message.ts';

export interface EndedRequest {
  readonly step: string;
  readonly outcome: RequestOutcome;
  /** 0 when no answer came. */
  readonly status: number;
  /** Of the body of the answer, as it was sent. */
  readonly bodyBytes: number;
  /** Of `generator-limit`: what ran out. */
  readonly resource?: GeneratorResource;
  /** What was wrong, for a person; empty when nothing was. Worked out only when asked for. */
  describe(): string;
}

/** With what the scenario gets to see. */
export interface ClassifiedResponse extends EndedRequest {
  readonly response: Response;
}

const nothing = (): string => '';

/** How a request ended by what the scenario expects of it. One object and few closures: in k6 each takes its time. */
export function classifyResponse(
  request: Request,
  answer: RawResponse,
  onBodyLost: () => void = nothing,
): ClassifiedResponse {
  const { name: step } = request;
  if (answer.kind === 'failed') {
    const { outcome, message, resource } = answer;
    const response = new ScenarioResponse(noResponse, false);
    const ended = { response, step, outcome, status: 0, bodyBytes: 0, describe: () => message };
    return resource === undefined ? ended : { ...ended, resource };
  }
  const { status, bodyBytes } = answer;
  if (!isExpected(status, request.expectStatus)) {
    const response = new ScenarioResponse(answer, false, onBodyLost);
    const describe = () => `${placeOfRequest(request)} answered ${status}: ${excerpt(answer.text())}`;
    return { response, step, outcome: 'http-error', status, bodyBytes, describe };
  }
  const response = new ScenarioResponse(answer, true, onBodyLost);
  const complaint = request.check === undefined ? undefined : checkContent(request, response);
  if (complaint === undefined) return { response, step, outcome: 'ok', status, bodyBytes, describe: nothing };
  response.ok = false;
  const describe = wrong(request, status, complaint);
  return { response, step, outcome: 'wrong-answer', status, bodyBytes, describe };
}

function wrong(request: Request, status: number, complaint: string): () => string {
  return () => `${placeOfRequest(request)} answered ${status}, but ${complaint}`;
}

function checkContent(request: Request, response: Response): string | undefined {
  try {
    return request.check?.(response) === true ? undefined : 'the scenario says its content is wrong';
  } catch (error) {
    return `the scenario's check threw: ${describeThrown(error)}`;
  }
}

function isExpected(status: number, expected: Request['expectStatus']): boolean {
  if (expected === undefined) return status >= 200 && status < 300;
  return typeof expected === 'number' ? status === expected : expected.includes(status);
}

const noResponse: ReceivedResponse = {
  kind: 'answered',
  status: 0,
  bodyBytes: 0,
  header: () => undefined,
  setCookies: () => [],
  text: () => '',
};

/** Without the query, which may carry secrets. */
function placeOfRequest(request: Request): string {
  return `${request.method} ${request.path.split('?')[0]}`;
}

const EXCERPT_LENGTH = 160;

/** The start of a body on one line, without anything long enough to be a token. */
function excerpt(body: string): string {
  const line = body.slice(0, 4 * EXCERPT_LENGTH).replace(/\s+/g, ' ');
  const safe = line.replace(/[A-Za-z0-9_\-.+/=]{32,}/g, '[left out]');
  return safe.length <= EXCERPT_LENGTH ? safe : `${safe.slice(0, EXCERPT_LENGTH)}...`;
}

/** What a scenario sees of an answer: body and cookies are read when it first looks. */
export class ScenarioResponse implements Response {
  ok: boolean;
  readonly #answer: ReceivedResponse;
  readonly #onBodyLost: () => void;
  #cookies: Readonly<Record<string, string>> | undefined;
  #text: string | undefined;
  #json: { readonly value: unknown } | undefined;

  /** `onBodyLost`: the scenario reads a body that was not kept. */
  constructor(answer: ReceivedResponse, ok: boolean, onBodyLost: () => void = nothing) {
    this.#answer = answer;
    this.ok = ok;
    this.#onBodyLost = onBodyLost;
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
    if (this.#answer.bodyLost !== undefined) {
      this.ok = false;
      this.#onBodyLost();
    }
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
    const name = withoutBlanks(pair.slice(0, equals));
    if (equals > 0 && name !== '') cookies[name] = withoutBlanks(pair.slice(equals + 1));
  }
  return cookies;
}

/** Not `trim`: bytes of a letter in UTF-8 may look like other blanks. */
function withoutBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

function parseJson(text: string): unknown {
  try {
    // A byte order mark is no part of the JSON.
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}
