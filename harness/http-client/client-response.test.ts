import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ScenarioResponse } from '../engines/shared/classify-response.ts';
import { BodyMemory } from './body-memory.ts';
import { ClientResponse } from './client-response.ts';
import { createRequestEncoder } from './message.ts';
import { ResponseParser } from './response-parser.ts';

function received(headers: string, body: Buffer): ScenarioResponse {
  const parser = new ResponseParser(new BodyMemory());
  parser.expect('GET');
  const head = Buffer.from(`HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n`);
  const bytes = Buffer.concat([head, body]);
  parser.read(bytes, 0, bytes.length);
  return new ScenarioResponse(new ClientResponse(parser.response), true);
}

const json = Buffer.from('\ufeff{"a":"ü"}');

test.each([
  ['no encoding', '', json],
  ['gzip', 'Content-Encoding: gzip\r\n', gzipSync(json)],
  ['x-gzip', 'content-encoding: X-GZIP\r\n', gzipSync(json)],
  ['br', 'content-encoding: br\r\n', brotliCompressSync(json)],
  ['deflate', 'content-encoding: deflate\r\n', deflateSync(json)],
  ['deflate without zlib', 'content-encoding: deflate\r\n', deflateRawSync(json)],
  ['two of them', 'content-encoding: br, gzip\r\n', gzipSync(brotliCompressSync(json))],
  ['an encoding that it does not have', 'content-encoding: gzip\r\n', json],
])('JSON with a byte order mark, in %s', (_what, headers, body) => {
  expect(received(headers, body).json()).toEqual({ a: 'ü' });
});

test('a small body that stands for much more than 64 MiB is not decoded', () => {
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024));
  expect(received('content-encoding: gzip\r\n', bomb).text().length).toBeLessThan(100_000);
});

test.each(['{"a": [1, "b c"]}', 'Grüße à', '"quoted"', '世界'])(
  'the bytes of a cookie go back as they came: %s',
  (value) => {
    const { cookies } = received(`Set-Cookie: user[0]=${value}; Path=/\r\n`, Buffer.alloc(0));
    const cookie = `user[0]=${cookies['user[0]']}`;
    for (const body of ['x', 'ü', undefined]) {
      const request = { method: 'POST', path: '/', headers: { cookie }, ...(body !== undefined && { body }) };
      const { text, encoding, bytes = new Uint8Array() } = createRequestEncoder(new URL('http://a'))(request);
      const sent = Buffer.concat([Buffer.from(text, encoding), bytes]);
      expect(sent.toString('utf8')).toContain(`\r\ncookie: user[0]=${value}\r\n`);
      expect(sent.toString('utf8')).toMatch(new RegExp(`\r\n\r\n${body ?? ''}$`));
    }
  },
);
