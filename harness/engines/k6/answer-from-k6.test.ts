import { describe, expect, test } from 'vitest';
import { answerFromK6, failureOf, type K6Answer } from './answer-from-k6.ts';

const answered: K6Answer = {
  status: 201,
  error: '',
  error_code: 0,
  headers: {
    'Content-Type': 'text/plain',
    'X-Twice': 'a, b',
    'Set-Cookie': 'session=old, theme=dark; Path=/, session=new',
  },
  body: 'déjà',
};

test('an answer is shown as the other engines show it', () => {
  const answer = answerFromK6(answered, 'GET');
  if (answer.kind !== 'answered') throw new Error('it was answered');
  expect([answer.status, answer.text(), answer.header('content-type'), answer.header('x-twice')]).toEqual([
    201,
    'déjà',
    'text/plain',
    'a, b',
  ]);
  expect(answer.header('etag')).toBeUndefined();
  expect(answer.setCookies()).toEqual(['session=new', 'theme=dark']);
});

test.each([
  ['a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT, ab=2; Path=/, b=x=y, a=3', ['a=3', 'ab=2', 'b=x=y']],
  ['user[0]=a b; Path=/, q="quoted, twice", n=Grüße; HttpOnly', ['user[0]=a b', 'q="quoted, twice"', 'n=Grüße']],
])('cookies come in the order and as the server set them: %s', (setCookie, cookies) => {
  const answer = answerFromK6({ ...answered, headers: { 'Set-Cookie': setCookie } }, 'GET');
  expect(answer.kind === 'answered' && answer.setCookies()).toEqual(cookies);
});

test('a status that is an error is an answer too, and no body is an empty one', () => {
  const answer = answerFromK6({ ...answered, status: 503, error_code: 1503, body: null }, 'GET');
  expect(answer).toMatchObject({ kind: 'answered', status: 503 });
  if (answer.kind === 'answered') expect(answer.text()).toBe('');
});

test('no answer says why', () => {
  const error = 'dial: connection refused';
  expect(answerFromK6({ ...answered, status: 0, error, error_code: 1212 }, 'GET')).toEqual({
    kind: 'failed',
    outcome: 'refused',
    message: error,
  });
});

// Codes and words as k6 1.8.1 and 2.2.0 gave them.
describe('why there is no answer', () => {
  test.each([
    [1050, 'request timeout', 'timeout'],
    [1101, 'lookup: no such host', 'refused'],
    [1200, 'read tcp 127.0.0.1:1->127.0.0.1:2: use of closed network connection', 'reset'],
    [1201, 'write: broken pipe', 'reset'],
    [1211, 'dial: i/o timeout', 'timeout'],
    [1212, 'dial: connection refused', 'refused'],
    [1213, 'dial: unknown errno 113 error with msg `no route to host`', 'refused'],
    [1220, 'read: connection reset by peer', 'reset'],
    [1310, 'x509: unknown authority', 'refused'],
    [1000, 'EOF', 'reset'],
    [1000, 'unexpected EOF', 'reset'],
    [1000, 'http: unexpected EOF reading trailer', 'reset'],
    [1000, 'http: server closed idle connection', 'reset'],
    [1000, 'malformed HTTP response "this is not HTTP"', 'malformed'],
    [1000, 'malformed MIME header: missing colon: "content-le"', 'malformed'],
    [1000, 'invalid byte in chunk length', 'malformed'],
    [0, 'unsupported response status: 101 Switching Protocols', 'malformed'],
    [1000, 'malformed HTTP response "too many open files"', 'malformed'],
    [1701, 'unsupported compression', 'malformed'],
  ])('%i %s: %s', (code, message, outcome) => {
    expect(failureOf(code, message)).toEqual({ outcome });
  });

  test.each([
    [1213, 'dial: unknown errno 24 error with msg `too many open files`', 'files'],
    [1213, 'dial: unknown errno 23 error with msg `too many open files in system`', 'files'],
    [1100, 'lookup api on 10.0.0.1:53: dial udp 10.0.0.1:53: socket: too many open files', 'files'],
    [1213, 'dial: unknown errno 99 error with msg `cannot assign requested address`', 'ports'],
    [1213, "dial: unknown errno 49 error with msg `can't assign requested address`", 'ports'],
    [1213, 'dial: unknown errno 98 error with msg `address already in use`', 'ports'],
  ])('%i %s: the machine of k6 is out of %s', (code, message, resource) => {
    expect(failureOf(code, message)).toEqual({ outcome: 'generator-limit', resource });
  });
});

test.each([
  ['of the length that was sent, compressed', 'GET', 200, { 'Content-Length': '7' }, 'a long text', 7],
  ['in UTF-8 where no length was sent', 'GET', 200, {}, 'déjà', 6],
  ['in UTF-8, with one byte more', 'GET', 200, {}, 'déjà!', 7],
  ['in UTF-8, with two bytes more', 'GET', 200, {}, '€ déjà', 10],
  ['of ASCII where no length was sent', 'GET', 200, {}, 'text', 4],
  ['of HEAD none', 'HEAD', 200, { 'Content-Length': '7' }, '', 0],
  ['of 304 none', 'GET', 304, { 'Content-Length': '7' }, '', 0],
] as const)('bytes of a body: %s', (_, method, status, headers, body, bytes) => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  expect(answerFromK6({ ...answered, status, headers, body }, method, base64)).toMatchObject({ bodyBytes: bytes });
});
