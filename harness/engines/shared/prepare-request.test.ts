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
        body: { ü: [1, null] },
      }),
    ).toEqual({
      name: 'post',
      method: 'POST',
      path: '/a?b=c',
      headers: { 'content-type': 'application/json', 'x-a': 'b c', cookie: 'a=1; b=x=y' },
      body: '{"ü":[1,null]}',
    });
    expect(prepare(get)).toEqual({ ...get, headers: {} });
    expect(prepare({ ...get, body: null })?.body).toBe('null');
    const own = prepare({ ...get, body: {}, headers: { 'Content-Type': 'application/merge-patch+json' } });
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

describe('a request that cannot be sent has', () => {
  test.each<[string, object, RegExp]>([
    ['no name', { name: '' }, /name must be some text/],
    ['an unknown method', { method: 'FETCH' }, /method must be one of GET, .* but is "FETCH"/],
    ['a path without a slash', { path: 'tasks' }, /path must start with \//],
    ['a path with a blank', { path: '/a b' }, /path must start/],
    ['a path that breaks the line', { path: '/a\r\nx: y' }, /path must start/],
    ['an address', { path: 'http://other' }, /path must start/],
    ['a header that breaks the line', { headers: { a: 'b\r\nc: d' } }, /the header a holds no header text/],
    ['a header beyond ASCII', { headers: { a: 'é' } }, /the header a holds no header text/],
    ['a header name with a colon', { headers: { 'a:b': 'c' } }, /header name "a:b"/],
    ['a header that is undefined', { headers: { a: undefined } }, /the header a/],
    ['a cookie with a semicolon', { cookies: { a: 'b; c=d' } }, /the cookie a/],
    ['a body with a cycle', { body: cycle() }, /body must be JSON/],
    ['a body that is a function', { body: () => {} }, /body must be JSON, but is a function/],
    ['a bigint in its body', { body: { n: 1n } }, /body must be JSON/],
    ['a check that is none', { check: true }, /check must be a function/],
    ['a status that is none', { expectStatus: 2000 }, /expectStatus must be/],
    ['no status at all', { expectStatus: [] }, /expectStatus must be/],
  ])('%s', (_what, part, message) => {
    const work = () => prepareRequest('mine', { ...get, ...part } as Request);
    expect(work).toThrow(expect.objectContaining({ code: 'SCENARIO_INVALID_REQUEST' }));
    expect(work).toThrow(message);
  });

  test('all that is wrong with a request is told at once', () => {
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
