import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Request } from '../../../scenarios/kit.ts';
import { TierbenchError } from '../../core/errors.ts';
import { prepareRequest } from './prepare-request.ts';

const get: Request = { name: 'get', method: 'GET', path: '/' };

describe('a prepared request', () => {
  const prepare = (request: Request) => prepareRequest('mine', request);

  test('has lower-case headers, its JSON and one cookie header', () => {
    expect(
      prepare({
        name: 'post',
        method: 'POST',
        path: '/a?b=c',
        headers: { 'X-A': 'b c' },
        cookies: { a: '1', b: 'x=y' },
        body: { json: { ü: [1, null] } },
      }),
    ).toEqual({
      name: 'post',
      method: 'POST',
      path: '/a?b=c',
      headers: { 'content-type': 'application/json', 'x-a': 'b c', cookie: 'a=1; b=x=y' },
      body: '{"ü":[1,null]}',
    });
    expect(prepare(get)).toEqual({ ...get, headers: {} });
    expect(prepare({ ...get, body: { json: null } })?.body).toBe('null');
    const own = prepare({ ...get, body: { json: {} }, headers: { 'Content-Type': 'application/merge-patch+json' } });
    expect(own?.headers['content-type']).toBe('application/merge-patch+json');
  });

  test('whatever a scenario puts into path, headers and cookies, it stays one request', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 8 });
    fc.assert(
      fc.property(anyText, anyText, anyText, (path, header, cookie) => {
        let prepared: ReturnType<typeof prepare>;
        try {
          prepared = prepare({ ...get, path: `/${path}`, headers: { a: header }, cookies: { c: cookie } });
        } catch (error) {
          expect(error).toBeInstanceOf(TierbenchError);
          return;
        }
        const head = `${prepared?.path} ${Object.values(prepared?.headers ?? {}).join(' ')}`;
        expect(head).not.toMatch(/[\r\n\0]/);
        expect(prepared?.path).not.toMatch(/\s/);
      }),
      { numRuns: 500 },
    );
  });
});

test.each<[string, NonNullable<Request['body']>, string | Uint8Array, string]>([
  [
    'a form',
    { form: { a: 'b c&d', 'é~*': ['1', '2'] } },
    'a=b+c%26d&%C3%A9%7E*=1&%C3%A9%7E*=2',
    'application/x-www-form-urlencoded',
  ],
  ['text', { text: 'Grüße' }, 'Grüße', 'text/plain; charset=utf-8'],
  ['text of a type', { text: 'a,b', type: 'text/csv' }, 'a,b', 'text/csv'],
  ['bytes', { bytes: new Uint8Array([0, 255]) }, new Uint8Array([0, 255]), 'application/octet-stream'],
])('%s is sent as such', (_what, body, sent, type) => {
  const request: Request = { ...get, method: 'POST', base: 'search', body };
  const prepared = { ...get, method: 'POST', base: 'search', headers: { 'content-type': type }, body: sent };
  expect(prepareRequest('mine', request, { search: 'http://search' })).toEqual(prepared);
});

test('cookies go back as they were set, in blanks, brackets and letters beyond ASCII', () => {
  const cookies = { 'user[0]': '{"a": [1, "b c"]}', g: 'Grüße' };
  expect(prepareRequest('mine', { ...get, cookies }).headers).toEqual({
    cookie: 'user[0]={"a": [1, "b c"]}; g=Grüße',
  });
});

describe('a request that cannot be sent has', () => {
  test.each<[string, object, RegExp]>([
    ['no name', { name: '' }, /name must be a text of 1 to 200 letters/],
    ['a name that is a document', { name: 'x'.repeat(201) }, /^(?!.*xxx).*name must be a text of 1 to 200 letters/],
    ['an unknown method', { method: 'FETCH' }, /method must be one of GET, .* but is "FETCH"/],
    ['a path without a slash', { path: 'tasks' }, /path must start with \//],
    ['a path with a blank', { path: '/a b' }, /path must start/],
    ['a path that breaks the line', { path: '/a\r\nx: y' }, /path must start/],
    ['an address', { path: 'http://other' }, /path must start/],
    ['a header that breaks the line', { headers: { a: 'b\r\nc: d' } }, /the header a holds no header text/],
    ['a header beyond ASCII', { headers: { a: 'é' } }, /the header a holds no header text/],
    ['a header name with a colon', { headers: { 'a:b': 'c' } }, /header name "a:b"/],
    ['a length of its own', { headers: { 'Content-Length': '5' } }, /header Content-Length follows from the body/],
    [
      'a framing of its own',
      { headers: { 'transfer-encoding': 'chunked' } },
      /transfer-encoding follows from the body/,
    ],
    ['a header that is undefined', { headers: { a: undefined } }, /the header a/],
    ['a cookie with a semicolon', { cookies: { a: 'b; c=d' } }, /the cookie a/],
    ['a cookie that breaks the line', { cookies: { a: 'b\r\nc: d' } }, /the cookie a/],
    ['a cookie name with a blank', { cookies: { 'a b': 'c' } }, /the cookie name "a b"/],
    ['a body with a cycle', { body: { json: cycle() } }, /body.json must be JSON/],
    ['a body that is a function', { body: { json: () => {} } }, /body.json must be JSON, but is a function/],
    ['a bigint in its body', { body: { json: { n: 1n } } }, /body.json must be JSON/],
    ['a body that is no kind of one', { body: {} }, /body must be one of .*, but has no fields/],
    ['a body that is bare text', { body: 'text' }, /body must be one of .*, but is a string/],
    ['a form with a number', { body: { form: { a: 1 } } }, /form field "a" must be text/],
    ['a type that breaks the line', { body: { text: '', type: 'a\r\nb: c' } }, /type of the body/],
    ['a base URL that nobody named', { base: 'search' }, /no base URL named "search"/],
    ['a check that is none', { check: true }, /check must be a function/],
    ['a status that is none', { expectStatus: 2000 }, /expectStatus must be/],
    ['no status at all', { expectStatus: [] }, /expectStatus must be/],
  ])('%s', (_what, part, message) => {
    const work = () => prepareRequest('mine', { ...get, ...part } as Request);
    expect(work).toThrow(expect.objectContaining({ code: 'SCENARIO_INVALID_REQUEST' }));
    expect(work).toThrow(message);
  });

  test('all that is wrong with a request is reported at once', () => {
    try {
      prepareRequest('mine', { name: '', method: 'X' as 'GET', path: '' });
      expect.unreachable();
    } catch (error) {
      expect((error as TierbenchError).problems).toHaveLength(3);
    }
  });
});

function cycle(): object {
  const round: { self?: object } = {};
  round.self = round;
  return round;
}
