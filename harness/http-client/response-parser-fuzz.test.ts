import { expect, test } from 'vitest';
import { integerBetween, pick, type Random, randomStream } from '../../scenarios/kit.ts';
import { BodyMemory, joined } from './body-memory.ts';
import { ClientResponse } from './client-response.ts';
import { ResponseParser } from './response-parser.ts';

/** CI takes a million: `TIERBENCH_FUZZ_ANSWERS=1000000 npx vitest run harness/http-client/response-parser-fuzz`, 10 s. */
const ANSWERS = Number(process.env.TIERBENCH_FUZZ_ANSWERS ?? 50_000);
const LIMITS = { mostHeadBytes: 600, mostBodyBytes: 3000 };

const seeds: readonly [string, ...string[]] = [
  'HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\nhello world\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n \r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
  'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nSet-Cookie: a=b; Path=/\r\n\r\n',
];

const tokens: readonly [string, ...string[]] = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  '\0',
  ':',
  ' ',
  '0',
  'ffffffff',
  '99999999999999999999',
  '-1',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'HTTP/1.1 200 OK\r\n',
  '0\r\n\r\n',
  'x'.repeat(700),
];

function mutated(random: Random): Buffer {
  let bytes = Buffer.from(pick(random, seeds), 'latin1');
  for (let changes = integerBetween(random, 1, 6); changes > 0; changes -= 1) {
    const at = integerBetween(random, 0, bytes.length);
    const to = Math.min(bytes.length, at + integerBetween(random, 0, 8));
    const kind = integerBetween(random, 0, 5);
    const before = bytes.subarray(0, at);
    if (kind === 0) bytes = Buffer.concat([before, Buffer.of(integerBetween(random, 0, 255)), bytes.subarray(at + 1)]);
    else if (kind === 1) bytes = Buffer.concat([before, bytes.subarray(to)]);
    else if (kind === 2) bytes = Buffer.concat([before, bytes.subarray(at, to), bytes.subarray(at)]);
    else if (kind === 3)
      bytes = Buffer.concat([before, Buffer.from(pick(random, tokens), 'latin1'), bytes.subarray(at)]);
    else if (kind === 4) bytes = Buffer.concat([bytes, Buffer.from(pick(random, seeds), 'latin1')]);
    else bytes = before.length > 0 ? before : bytes;
  }
  return bytes;
}

function parse(pieces: readonly Buffer[], method: string): string {
  const parser = new ResponseParser(new BodyMemory(), LIMITS);
  parser.expect(method);
  for (const piece of pieces) {
    const to = parser.read(piece, 0, piece.length);
    if (to < 0 || to > piece.length) throw new Error(`${to} of ${piece.length} bytes read`);
    if (parser.state !== 'waiting' && parser.state !== 'reading') break;
    if (to !== piece.length) throw new Error(`stopped at ${to} of ${piece.length} while ${parser.state}`);
  }
  parser.end();
  if (parser.state === 'malformed') {
    if (!/^[a-z -]+: [\x20-\x7e]+$/.test(parser.malformed)) throw new Error(`no kind: ${parser.malformed}`);
    return 'malformed';
  }
  if (parser.state !== 'complete') return parser.state;
  const answer = new ClientResponse(parser.response);
  const { body, headBytes, headLength, status, keepsConnection } = parser.response;
  const bodyLength = body === null ? headBytes.length - headLength : joined(body).length;
  if (headLength > LIMITS.mostHeadBytes || bodyLength > LIMITS.mostBodyBytes) throw new Error('too large');
  if (status < 200 || status > 599) throw new Error(`status ${status}`);
  return `${status} ${keepsConnection} ${answer.setCookies().join()} ${answer.header('connection')} ${answer.text()}`;
}

test(`${ANSWERS} mutated answers: each ends in a known way, the same however it is cut`, { timeout: 3_600_000 }, () => {
  const seen = { complete: 0, malformed: 0, unfinished: 0 };
  for (let index = 0; index < ANSWERS; index += 1) {
    const random = randomStream(index, 0, 0);
    const bytes = mutated(random);
    const method = random() < 0.1 ? 'HEAD' : 'GET';
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const to = at + integerBetween(random, 1, random() < 0.5 ? 3 : 60);
      pieces.push(bytes.subarray(at, to));
      at = to;
    }
    const whole = parse([bytes], method);
    const cut = parse(pieces, method);
    if (whole !== cut) expect([index, bytes.toString('latin1'), cut]).toEqual([index, '', whole]);
    if (whole === 'malformed') seen.malformed += 1;
    else if (whole === 'reading' || whole === 'waiting') seen.unfinished += 1;
    else seen.complete += 1;
  }
  // Each way is really taken, so the mutations are neither too mild nor too wild.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(ANSWERS / 20);
});
