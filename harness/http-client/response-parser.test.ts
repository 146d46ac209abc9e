import { describe, expect, test } from 'vitest';
import { BodyMemory } from './body-memory.ts';
import { ClientResponse } from './client-response.ts';
import { ResponseParser } from './response-parser.ts';

const LIMITS = { mostHeadBytes: 2000, mostBodyBytes: 10_000 };

interface Case {
  readonly what: string;
  readonly bytes: string;
  readonly method?: string;
  readonly status: number;
  readonly body: string;
  readonly keeps: boolean;
  /** It ends with the connection. */
  readonly needsEnd?: boolean;
}

const OK = 'HTTP/1.1 200 OK\r\n';

/** As real servers send them. */
const answers: readonly Case[] = [
  {
    what: 'nginx, length-delimited',
    bytes: `${OK}Server: nginx/1.26.0\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\nhello world\n`,
    status: 200,
    body: 'hello world\n',
    keeps: true,
  },
  {
    what: 'Node, JSON with a letter of several bytes',
    bytes: `HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 13\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n{"a":"\u00e9\u4e16"}`,
    status: 201,
    body: '{"a":"\u00e9\u4e16"}',
    keeps: true,
  },
  {
    what: 'chunks, with extension and trailer',
    bytes: `${OK}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n1;name="v;\u00e9"\r\n \r\n00A  \r\n0123456789\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n`,
    status: 200,
    body: 'hello 0123456789',
    keeps: true,
  },
  { what: 'no chunk', bytes: `${OK}transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n`, status: 200, body: '', keeps: true },
  {
    what: 'until the end',
    bytes: `${OK}\r\nall there is`,
    status: 200,
    body: 'all there is',
    keeps: false,
    needsEnd: true,
  },
  { what: '204', bytes: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204, body: '', keeps: true },
  {
    what: '304 with the length of what it stands for',
    bytes: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5000000\r\n\r\n',
    status: 304,
    body: '',
    keeps: true,
  },
  { what: 'HEAD', method: 'HEAD', bytes: `${OK}Content-Length: 77\r\n\r\n`, status: 200, body: '', keeps: true },
  {
    what: 'HEAD, chunked',
    method: 'HEAD',
    bytes: `${OK}Transfer-Encoding: chunked\r\n\r\n`,
    status: 200,
    body: '',
    keeps: true,
  },
  {
    what: 'interim answers',
    bytes: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}Content-Length: 2\r\n\r\n{}`,
    status: 200,
    body: '{}',
    keeps: true,
  },
  {
    what: 'close',
    bytes: `${OK}Connection: Foo , CLOSE\r\nContent-Length: 1\r\n\r\nx`,
    status: 200,
    body: 'x',
    keeps: false,
  },
  { what: 'HTTP/1.0', bytes: 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', status: 200, body: 'x', keeps: false },
  {
    what: 'HTTP/1.0 that keeps',
    bytes: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx',
    status: 200,
    body: 'x',
    keeps: true,
  },
  { what: 'no reason', bytes: 'HTTP/1.1 404\r\ncontent-length:0\r\n\r\n', status: 404, body: '', keeps: true },
  {
    what: 'the same length twice',
    bytes: `${OK}Content-Length: 3, 3\r\ncontent-length:3\r\n\r\nabc`,
    status: 200,
    body: 'abc',
    keeps: true,
  },
  {
    what: 'an empty header, and one of other letters',
    bytes: `${OK}a:\r\nb: \u00e9\t.\r\nContent-Length: 0\r\n\r\n`,
    status: 200,
    body: '',
    keeps: true,
  },
];

function outcomeOf(parser: ResponseParser) {
  if (parser.state !== 'complete') return { state: parser.state };
  const { status, keepsConnection } = parser.response;
  return { state: parser.state, status, keepsConnection, body: new ClientResponse(parser.response).text() };
}

function parsePieces(pieces: readonly Buffer[], method: string, ends: boolean) {
  const parser = new ResponseParser(new BodyMemory(), LIMITS);
  parser.expect(method);
  let used = 0;
  for (const piece of pieces) {
    // As on a socket: the bytes are overwritten by the next read, and lie anywhere in the buffer.
    const shared = Buffer.alloc(piece.length + 9, 'H');
    piece.copy(shared, 3);
    const to = parser.read(shared, 3, 3 + piece.length);
    shared.fill('\n');
    used += to - 3;
    if (to < 3 + piece.length) break;
  }
  if (ends) parser.end();
  return { ...outcomeOf(parser), used };
}

describe.each(answers)('$what', ({ bytes, method = 'GET', status, body, keeps, needsEnd = false }) => {
  const whole = Buffer.from(bytes);
  const expected = { state: 'complete', status, keepsConnection: keeps, body, used: whole.length };

  test('in one piece, byte by byte, and cut in two at every byte', () => {
    expect(parsePieces([whole], method, needsEnd)).toEqual(expected);
    expect(
      parsePieces(
        [...whole].map((byte) => Buffer.of(byte)),
        method,
        needsEnd,
      ),
    ).toEqual(expected);
    for (let at = 1; at < whole.length; at += 1) {
      const pieces = [whole.subarray(0, at), whole.subarray(at)];
      expect([at, parsePieces(pieces, method, needsEnd)]).toEqual([at, expected]);
    }
  });

  test('ended early at every byte it is neither complete nor malformed', () => {
    for (let at = 0; at < whole.length; at += 1) {
      const { state } = parsePieces([whole.subarray(0, at)], method, true);
      // Without a length a shorter body is a body too.
      const headEnds = bytes.indexOf('\r\n\r\n') + 4;
      expect([at, state]).toEqual([at, needsEnd && at >= headEnds ? 'complete' : at === 0 ? 'waiting' : 'reading']);
    }
  });
});

test('answers one after the other in one piece', () => {
  const kept = answers.filter(({ keeps, method }) => keeps && method === undefined);
  const bytes = Buffer.concat(kept.map((one) => Buffer.from(one.bytes)));
  const parser = new ResponseParser(new BodyMemory(), LIMITS);
  let at = 0;
  for (const { body } of kept) {
    parser.expect('GET');
    at = parser.read(bytes, at, bytes.length);
    expect(new ClientResponse(parser.response).text()).toBe(body);
  }
  expect(at).toBe(bytes.length);
});

test('headers and cookies as they were sent', () => {
  const parser = new ResponseParser(new BodyMemory(), LIMITS);
  parser.expect('GET');
  const bytes = Buffer.from(
    `${OK}Set-Cookie: a=1; Path=/\r\nX-A:  one \r\nset-cookie: b=2\r\nx-a: two\r\nContent-Length: 0\r\n\r\n`,
  );
  parser.read(bytes, 0, bytes.length);
  const answer = new ClientResponse(parser.response);
  expect(answer.setCookies()).toEqual(['a=1; Path=/', 'b=2']);
  expect([answer.header('x-a'), answer.header('x-b')]).toEqual(['one, two', undefined]);
});

const long = (count: number): string => 'x'.repeat(count);

test.each([
  ['status line', 'HTTP/2 200 OK\r\n\r\n'],
  ['status line', 'this is not HTTP\r\n\r\n'],
  ['status line', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['status line', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['status', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['status', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['status', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['status', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['status', 'HTTP/1.1 700 OK\r\n\r\n'],
  ['status', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['line end', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
  ['line end', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['line end', `${OK}Content-Length: 0\n`],
  ['line end', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['line end', `${OK}a: b\rc\r\n\r\n`],
  ['line end', `${OK}a: b\0c\r\n\r\n`],
  ['header name', `${OK}: b\r\n\r\n`],
  ['header name', `${OK}a b: c\r\n\r\n`],
  ['header name', `${OK}a: b\r\n folded\r\n\r\n`],
  ['header name', `${OK}no colon\r\n\r\n`],
  ['content-length', `${OK}Content-Length: -1\r\n\r\n`],
  ['content-length', `${OK}Content-Length: 1x\r\n\r\n`],
  ['content-length', `${OK}Content-Length:\r\n\r\n`],
  ['content-length', `${OK}Content-Length: 1, 2\r\n\r\n`],
  ['content-length', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`],
  ['content-length', `${OK}Content-Length: 99999999999999999999\r\n\r\n`],
  ['content-length', `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['transfer-encoding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
  ['transfer-encoding', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
  ['chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n\r\n`],
  ['chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n-1\r\n`],
  ['chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n5\nhello`],
  ['chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n5\rhello`],
  ['chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n${'0'.repeat(20)}5\r\n`],
  ['chunk end', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n`],
  ['chunk end', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n`],
  ['trailer', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\na: b\n\r\n`],
  ['header size', `${OK}a: ${long(3000)}\r\n\r\n`],
  ['header size', `${OK}a: ${long(3000)}`],
  ['trailer', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${long(3000)}`],
  ['chunk extension', `${OK}Transfer-Encoding: chunked\r\n\r\n1;${long(3000)}`],
  ['body size', `${OK}Content-Length: 10001\r\n\r\n`],
  ['body size', `${OK}Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n`],
  ['body size', `${OK}\r\n${long(10_001)}`],
])('malformed: %s (case %#)', (kind, text) => {
  for (const pieces of [[Buffer.from(text)], [...Buffer.from(text)].map((byte) => Buffer.of(byte))]) {
    const parser = new ResponseParser(new BodyMemory(), LIMITS);
    parser.expect('GET');
    for (const piece of pieces) parser.read(piece, 0, piece.length);
    expect([parser.state, parser.malformed.split(':')[0]]).toEqual(['malformed', kind]);
    // What a server sends cannot control the terminal of a person who reads it.
    expect(parser.malformed).toMatch(/^[\x20-\x7e]+$/);
  }
});

test('after a malformed answer the next one is read from the start', () => {
  const parser = new ResponseParser(new BodyMemory(), LIMITS);
  parser.expect('GET');
  parser.read(Buffer.from('nonsense'), 0, 8);
  parser.reset();
  parser.expect('GET');
  const bytes = Buffer.from(`${OK}Content-Length: 1\r\n\r\nx`);
  parser.read(bytes, 0, bytes.length);
  expect(outcomeOf(parser)).toMatchObject({ state: 'complete', body: 'x' });
});
