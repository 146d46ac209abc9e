import type { Body, Request } from '../../../scenarios/kit.ts';
import { describeThrown, type Problem, TierbenchError } from '../../core/errors.ts';
import type { HttpRequest } from '../../http-client/message.ts';

/** A request as every engine sends it. */
export interface PreparedRequest extends HttpRequest {
  readonly name: string;
  /** The name of another base URL than the main one. */
  readonly base?: string;
}

const METHODS: ReadonlySet<unknown> = new Set<Request['method']>([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);
const LONGEST_NAME = 200;
/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible ASCII, blanks and tabs: what every server reads the same, and nothing that ends the header early. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
/** What servers really set and browsers send back: all but what would end the cookie or the header. */
const COOKIE_VALUE = /^[\t\x20-\x3a\x3c-\x7e\x80-\uffff]*$/;
const COOKIE_NAME = /^[\x21-\x3a\x3c\x3e-\x7e\x80-\uffff]+$/;
/** These frame the message. */
const FRAMING = /^(?:content-length|transfer-encoding)$/i;
/** No blank, control or non-ASCII character: they would end the request line early or be sent garbled. */
const PATH = /^\/[\x21-\x7e]*$/;

/** Of the last right request: scenarios of one request mostly ask for the same again, and k6 is slow to match. */
let lastPath: string | undefined;

const NO_HEADERS: Fields = Object.freeze({});

/**
 * What the scenario asked for, checked and spelled out. Throws SCENARIO_INVALID_REQUEST with all problems at once.
 * Written for k6, where each object, closure and regular expression takes its time, and this runs for each request.
 * @param baseUrls the named ones of the trial
 */
export function prepareRequest(
  scenario: string,
  request: Request,
  baseUrls: Readonly<Record<string, string>> = {},
): PreparedRequest {
  if (typeof request !== 'object' || request === null) throw invalid(scenario, [{ what: 'the request is no object' }]);
  const problems: Problem[] = [];
  const { name, method, path, base, expectStatus, body, headers, cookies } = request;
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) {
    problems.push({
      what: `name must be a text of 1 to ${LONGEST_NAME} letters`,
      nextStep: 'results are kept by this name',
    });
  }
  if (!METHODS.has(method)) {
    problems.push({ what: `method must be one of ${[...METHODS].join(', ')}, but is ${shown(method)}` });
  }
  if (path !== lastPath && (typeof path !== 'string' || !PATH.test(path))) {
    problems.push({
      what: `path must start with / and hold no blanks or special characters, but is ${shown(path)}`,
      nextStep: 'encode what varies: encodeURIComponent(text)',
    });
  }
  if (request.check !== undefined && typeof request.check !== 'function') {
    problems.push({ what: 'check must be a function' });
  }
  if (expectStatus !== undefined && !isExpectation(expectStatus)) {
    const what = `expectStatus must be a status code (100..599) or a list of them, but is ${shown(expectStatus)}`;
    problems.push({ what });
  }
  if (base !== undefined && (typeof base !== 'string' || !Object.hasOwn(baseUrls, base))) {
    problems.push({
      what: `there is no base URL named ${shown(base)}`,
      nextStep: 'give its address beside the main one when the load is started',
    });
  }

  const content = body === undefined ? undefined : contentOf(body, problems);
  const prepared: { -readonly [Key in keyof PreparedRequest]: PreparedRequest[Key] } = {
    name,
    method,
    path,
    headers: content || headers || cookies ? headersOf(content?.type, headers, cookies, problems) : NO_HEADERS,
  };
  if (base !== undefined) prepared.base = base;
  if (content !== undefined) prepared.body = content.body;
  if (problems.length > 0) throw invalid(scenario, problems, name);
  lastPath = path;
  return prepared;
}

function headersOf(
  type: string | undefined,
  given: Fields | undefined,
  cookies: Fields | undefined,
  problems: Problem[],
): Fields {
  const headers: Record<string, string> = {};
  if (type !== undefined) headers['content-type'] = type;
  if (given) addHeaders(headers, given, problems);
  const cookie = cookies ? cookieHeader(cookies, problems) : '';
  if (cookie !== '') headers.cookie = cookie;
  return headers;
}

interface Content {
  readonly body: string | Uint8Array;
  readonly type: string;
}

const BODY_KINDS = 'one of { json }, { form }, { text, type } and { bytes, type }';

function contentOf(body: Body, problems: Problem[]): Content | undefined {
  if (typeof body !== 'object' || body === null) {
    problems.push({ what: `body must be ${BODY_KINDS}, but is ${body === null ? 'null' : `a ${typeof body}`}` });
    return undefined;
  }
  if ('json' in body) return jsonContent(body.json, problems);
  if ('form' in body) return formContent(body.form, problems);
  const { type } = body;
  if (type !== undefined && (typeof type !== 'string' || !HEADER_VALUE.test(type))) {
    problems.push({ what: 'the type of the body holds no header text' });
  } else if ('text' in body && typeof body.text === 'string') {
    return { body: body.text, type: type ?? 'text/plain; charset=utf-8' };
  } else if ('bytes' in body && body.bytes instanceof Uint8Array) {
    return { body: body.bytes, type: type ?? 'application/octet-stream' };
  } else problems.push({ what: `body must be ${BODY_KINDS}, but has ${Object.keys(body).join(', ') || 'no fields'}` });
  return undefined;
}

function jsonContent(json: unknown, problems: Problem[]): Content | undefined {
  try {
    const text = JSON.stringify(json);
    if (typeof text === 'string') return { body: text, type: 'application/json' };
    problems.push({ what: `body.json must be JSON, but is a ${typeof json}` });
  } catch (error) {
    problems.push({ what: `body.json must be JSON: ${describeThrown(error)}` });
  }
  return undefined;
}

/** As a browser sends a form (https://url.spec.whatwg.org/#urlencoded-serializing); k6 has no URLSearchParams. */
function formContent(form: unknown, problems: Problem[]): Content | undefined {
  if (typeof form !== 'object' || form === null) {
    problems.push({ what: `body.form must be an object, but is a ${typeof form}` });
    return undefined;
  }
  const pairs: string[] = [];
  for (const [name, values] of Object.entries(form)) {
    for (const value of Array.isArray(values) ? values : [values]) {
      if (typeof value === 'string') pairs.push(`${formText(name)}=${formText(value)}`);
      else problems.push({ what: `the form field ${JSON.stringify(name)} must be text or a list of texts` });
    }
  }
  return { body: pairs.join('&'), type: 'application/x-www-form-urlencoded' };
}

function formText(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!'()~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

type Fields = Readonly<Record<string, string>>;

/** The last right value of each header: most are those of the request before. */
const knownHeaders = new Map<string, { readonly name: string; value: string }>();
const MOST_KNOWN = 100;

/** By their index: in k6 to iterate over entries takes seven times as long. */
function addHeaders(headers: Record<string, string>, given: Fields, problems: Problem[]): void {
  const names = Object.keys(given);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    const value = given[name];
    const known = knownHeaders.get(name);
    if (known !== undefined && known.value === value) headers[known.name] = value;
    else if (!TOKEN.test(name)) problems.push({ what: `the header name ${JSON.stringify(name)} is not one` });
    else if (typeof value !== 'string' || !HEADER_VALUE.test(value))
      problems.push({ what: `the header ${name} holds no header text` });
    else if (FRAMING.test(name))
      problems.push({ what: `the header ${name} follows from the body`, nextStep: 'leave it out' });
    else {
      const lowerCase = name.toLowerCase();
      headers[lowerCase] = value;
      if (known !== undefined) known.value = value;
      else if (knownHeaders.size < MOST_KNOWN) knownHeaders.set(name, { name: lowerCase, value });
    }
  }
}

function cookieHeader(cookies: Fields, problems: Problem[]): string {
  const pairs: string[] = [];
  const names = Object.keys(cookies);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    const value = cookies[name];
    if (!COOKIE_NAME.test(name)) problems.push({ what: `the cookie name ${JSON.stringify(name)} is not one` });
    // The value itself may be a session, so it is not shown.
    else if (typeof value !== 'string' || !COOKIE_VALUE.test(value))
      problems.push({ what: `the cookie ${name} holds no cookie text` });
    else pairs.push(`${name}=${value}`);
  }
  return pairs.join('; ');
}

/** What a scenario gave in the place of something else. */
function shown(value: unknown): string {
  try {
    return describeThrown(JSON.stringify(value) ?? value);
  } catch {
    return describeThrown(value);
  }
}

function isExpectation(expected: unknown): boolean {
  if (!Array.isArray(expected)) return isStatus(expected);
  return expected.length > 0 && expected.every(isStatus);
}

function isStatus(status: unknown): boolean {
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599;
}

function invalid(scenario: string, problems: readonly Problem[], name?: string): TierbenchError {
  const which =
    typeof name === 'string' && name !== '' && name.length <= LONGEST_NAME ? `the request '${name}'` : 'a request';
  return new TierbenchError(
    'SCENARIO_INVALID_REQUEST',
    `Scenario '${scenario}' made ${which} that cannot be sent: ${problems.map((problem) => problem.what).join('; ')}.`,
    problems.find((problem) => problem.nextStep !== undefined)?.nextStep ?? 'Fix the request in the scenario file.',
    { problems },
  );
}
