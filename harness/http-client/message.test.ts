import { expect, test } from 'vitest';
import { createRequestEncoder, socketFailure } from './message.ts';

const encode = createRequestEncoder(new URL('http://[::1]:8080/base/'));
const request = { name: 'a', method: 'GET', path: '/x?y=1', headers: {} } as const;

test('a request without a body', () => {
  expect(encode(request)).toEqual({
    text: 'GET /base/x?y=1 HTTP/1.1\r\nhost: [::1]:8080\r\n\r\n',
    encoding: 'latin1',
  });
});

test('a method that usually has a body says that it has none', () => {
  const { text } = encode({ ...request, method: 'POST', headers: { 'x-a': 'b' } });
  expect(text).toBe('POST /base/x?y=1 HTTP/1.1\r\nhost: [::1]:8080\r\nx-a: b\r\ncontent-length: 0\r\n\r\n');
});

test.each([
  ['"plain"', 'latin1', 7],
  ['"Grüße, 世界"', 'utf8', 17],
  ['"\u{1f600}"', 'utf8', 6],
] as const)('the length of %s is counted in bytes as they are written', (body, encoding, length) => {
  const encoded = encode({ ...request, method: 'PUT', body });
  const [head = '', sent = ''] = encoded.text.split('\r\n\r\n');
  expect([encoded.encoding, head.split('\r\n').at(-1)]).toEqual([encoding, `content-length: ${length}`]);
  expect(Buffer.from(sent, encoded.encoding).length).toBe(length);
});

test('what a scenario says of host counts, what it says of the framing does not', () => {
  const headers = { host: 'other', 'content-length': '9', 'transfer-encoding': 'chunked' };
  const { text } = encode({ ...request, method: 'POST', headers, body: '{}' });
  expect(text).toBe('POST /base/x?y=1 HTTP/1.1\r\nhost: other\r\ncontent-length: 2\r\n\r\n{}');
});

test.each([
  ['ECONNREFUSED', false, { outcome: 'refused' }],
  ['ETIMEDOUT', false, { outcome: 'refused' }],
  ['ECONNRESET', false, { outcome: 'reset' }],
  ['EPIPE', true, { outcome: 'reset' }],
  ['ETIMEDOUT', true, { outcome: 'reset' }],
  ['EADDRNOTAVAIL', false, { outcome: 'generator-limit', resource: 'ports' }],
  ['EMFILE', false, { outcome: 'generator-limit', resource: 'files' }],
  ['ENFILE', false, { outcome: 'generator-limit', resource: 'files' }],
])('%s of a socket (connected: %s)', (code, wasConnected, failure) => {
  const error = Object.assign(new Error(`connect ${code}`), { code });
  expect(socketFailure(error, wasConnected)).toEqual({ kind: 'failed', message: `connect ${code}`, ...failure });
  // Of a name with several addresses each has its own error.
  const several = new AggregateError([error, error], '');
  expect(socketFailure(several, wasConnected)).toMatchObject({
    ...failure,
    ...(code === 'ECONNRESET' && { outcome: 'refused' }),
  });
});
