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

/**
 * What the scenario asked for, checked and spelled out. Throws SCENARIO_INVALID_REQUEST with all problems at once.
 * @param baseUrls the named ones of the trial
 */
export function prepareRequest(
  scenario: string,
  request: Request,
  baseUrls: Readonly<Record<string, string>> = {},
): PreparedRequest {
  const problems: Problem[] = [];
  const complain = (what: string, nextStep?: string) =>
    problems.push(nextStep === undefined ? { what } : { what, nextStep });

  if (typeof request !== 'object' || request === null) throw invalid(scenario, [{ what: 'the request is no object' }]);
  if (typeof request.name !== 'string' || request.name === '' || request.name.length > LONGEST_NAME) {
    complain(`name must be a text of 1 to ${LONGEST_NAME} letters`, 'results are kept by this name');
  }
  if (!METHODS.has(request.method)) {
    complain(`method must be one of ${[...METHODS].join(', ')}, but is ${shown(request.method)}`);
  }
  if (typeof request.path !== 'string' || !PATH.test(request.path)) {
    complain(
      `path must start with / and hold no blanks or special characters, but is ${shown(request.path)}`,
      'encode what varies: encodeURIComponent(text)',
    );
  }
  if (request.check !== undefined && typeof request.check !== 'function') complain('check must be a function');
  if (!isExpectation(request.expectStatus)) {
    complain(`expectStatus must be a status code (100..599) or a list of them, but is ${shown(request.expectStatus)}`);
  }

  const { base } = request;
  if (base !== undefined && (typeof base !== 'string' || !Object.hasOwn(baseUrls, base))) {
    complain(
      `there is no base URL named ${shown(base)}`,
      'give its address beside the main one when the load is started',
    );
  }

  const headers: Record<string, string> = {};
  const content = request.body === undefined ? undefined : contentOf(request.body, complain);
  if (content !== undefined) headers['content-type'] = content.type;
  if (request.headers) addHeaders(headers, request.headers, complain);
  const cookie = request.cookies ? cookieHeader(request.cookies, complain) : '';
  if (cookie !== '') headers.cookie = cookie;

  if (problems.length > 0) throw invalid(scenario, problems, request.name);
  const { name, method, path } = request;
  return {
    name,
    method,
    path,
    headers,
    ...(base !== undefined && { base }),
    ...(content !== undefined && { body: content.body }),
  };
}

type Complain = (what: string, nextStep?: string) => void;

interface Content {
  readonly body: string | Uint8Array;
  readonly type: string;
}

const BODY_KINDS = 'one of { json }, { form }, { text, type } and { bytes, type }';

function contentOf(body: Body, complain: Complain): Content | undefined {
  if (typeof body !== 'object' || body === null) {
    complain(`body must be ${BODY_KINDS}, but is ${body === null ? 'null' : `a ${typeof body}`}`);
    return undefined;
  }
  if ('json' in body) return jsonContent(body.json, complain);
  if ('form' in body) return formContent(body.form, complain);
  const { type } = body;
  if (type !== undefined && (typeof type !== 'string' || !HEADER_VALUE.test(type))) {
    complain('the type of the body holds no header text');
  } else if ('text' in body && typeof body.text === 'string') {
    return { body: body.text, type: type ?? 'text/plain; charset=utf-8' };
  } else if ('bytes' in body && body.bytes instanceof Uint8Array) {
    return { body: body.bytes, type: type ?? 'application/octet-stream' };
  } else complain(`body must be ${BODY_KINDS}, but has ${Object.keys(body).join(', ') || 'no fields'}`);
  return undefined;
}

function jsonContent(json: unknown, complain: Complain): Content | undefined {
  try {
    const text = JSON.stringify(json);
    if (typeof text === 'string') return { body: text, type: 'application/json' };
    complain(`body.json must be JSON, but is a ${typeof json}`);
  } catch (error) {
    complain(`body.json must be JSON: ${describeThrown(error)}`);
  }
  return undefined;
}

/** As a browser sends a form (https://url.spec.whatwg.org/#urlencoded-serializing); k6 has no URLSearchParams. */
function formContent(form: unknown, complain: Complain): Content | undefined {
  if (typeof form !== 'object' || form === null) {
    complain(`body.form must be an object, but is a ${typeof form}`);
    return undefined;
  }
  const pairs: string[] = [];
  for (const [name, values] of Object.entries(form)) {
    for (const value of Array.isArray(values) ? values : [values]) {
      if (typeof value === 'string') pairs.push(`${formText(name)}=${formText(value)}`);
      else complain(`the form field ${shown(name)} must be text or a list of texts`);
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

/** By their index: in k6 to iterate over entries takes seven times as long, and this is done for each request. */
function addHeaders(headers: Record<string, string>, given: Fields, complain: Complain): void {
  const names = Object.keys(given);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    const value = given[name];
    if (!TOKEN.test(name)) complain(`the header name ${shown(name)} is not one`);
    else if (typeof value !== 'string' || !HEADER_VALUE.test(value))
      complain(`the header ${name} holds no header text`);
    else if (FRAMING.test(name)) complain(`the header ${name} follows from the body`, 'leave it out');
    else headers[name.toLowerCase()] = value;
  }
}

function cookieHeader(cookies: Fields, complain: Complain): string {
  const pairs: string[] = [];
  const names = Object.keys(cookies);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    const value = cookies[name];
    if (!COOKIE_NAME.test(name)) complain(`the cookie name ${shown(name)} is not one`);
    // The value itself may be a session, so it is not shown.
    else if (typeof value !== 'string' || !COOKIE_VALUE.test(value))
      complain(`the cookie ${name} holds no cookie text`);
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
  if (expected === undefined) return true;
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
