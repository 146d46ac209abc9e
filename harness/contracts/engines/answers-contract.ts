import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { integerBetween, randomStream } from '../../../scenarios/kit.ts';
import { lacks } from '../../../test-support/requirements.ts';
import type { Trial } from '../../core/trial.ts';
import type { LoadEngine, TrialRequest } from '../../engines/engine.ts';
import { TEST_CERTIFICATE } from './certificate.ts';
import framingsScenario, { framings } from './scenarios/framings.ts';
import large, { largeText } from './scenarios/large.ts';
import oneRequest from './scenarios/one-request.ts';
import { type RawServer, startRawServer, startTestServer } from './server.ts';
import { expectConsistent, expectOnly, outcomesOf, requestFor, testWhere } from './trial-contract.ts';

type Framing = (typeof framings)[number]['name'];

/** The pieces in which each answer is sent; `null` closes the connection. */
const answers: Readonly<Record<Framing, readonly (string | Buffer | null)[]>> = {
  length: ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nsome text'],
  'byte by byte': [...Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\ndéjà 世界')].map((byte) =>
    Buffer.from([byte]),
  ),
  chunks: ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nsome \r\n', '4\r\nte', 'xt\r\n0\r\n', '\r\n'],
  'chunks with extensions and trailers': [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n',
    '5;a=b\r\nsome \r\n0004\r\ntext\r\n0\r\nX-Sum: 9\r\n\r\n',
  ],
  empty: ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
  'no content': ['HTTP/1.1 204 No Content\r\n\r\n'],
  // The length is that of the body the client has; none follows.
  'not modified': ['HTTP/1.1 304 Not Modified\r\ncontent-length: 100\r\netag: "1"\r\n\r\n'],
  'after interim answers': [
    'HTTP/1.1 102 Processing\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nsome text',
  ],
  'connection: close': ['HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nsome text', null],
  'until the end of the connection': ['HTTP/1.1 200 OK\r\n\r\nsome ', 'text', null],
  'HTTP/1.0': ['HTTP/1.0 200 OK\r\ncontent-length: 9\r\n\r\nsome text', null],
};

export interface AnswerSettings {
  /** The engine's HTTP client reports a response that was cut in the middle of a line as malformed. */
  readonly takesCutsForNonsense?: boolean;
  /** The engine's HTTP client sends a GET again, without telling, when a kept connection breaks before its answer. */
  readonly repeatsGets?: boolean;
}

/** What every engine must make of responses: read them however they are framed. */
export function answersContract(name: string, makeEngine: () => LoadEngine): void {
  const run = (request: TrialRequest) => makeEngine().run(request, new AbortController().signal);

  describe(`${name} reads answers as the contract says`, () => {
    test('whole, however they are framed, over connections that are kept', async () => {
      await using server = await startRawServer((path, socket) => {
        const pieces = answers[decodeURIComponent(path.slice(1)) as Framing];
        const sendFrom = (index: number): void => {
          const piece = pieces[index];
          if (piece === undefined || socket.destroyed) return;
          if (piece === null) socket.end();
          else socket.write(piece, () => setImmediate(sendFrom, index + 1));
        };
        sendFrom(0);
      });
      const trial = await run(requestFor(framingsScenario, server.baseUrl, 2, { durationS: 1 }));
      expectConsistent(trial);
      expect(trial.failureExamples).toEqual([]);
      expect(trial.steps.map((step) => step.name)).toEqual(framings.map((framing) => framing.name));
      let ended = 0;
      for (const { name: framing } of framings) {
        const ok = expectOnly('ok', trial, framing);
        expect(ok).toBeGreaterThanOrEqual(2);
        if (answers[framing].includes(null)) ended += ok;
      }
      expect(server.seen.connections).toBeLessThanOrEqual(ended + 4);
    });

    test('a large chunked body', async () => {
      await using server = await startTestServer((_seen, _request, response) => {
        for (let at = 0; at < largeText.length; at += 50_001) response.write(largeText.slice(at, at + 50_001));
        response.end();
      });
      const trial = await run(requestFor(large, server.baseUrl, 2, { durationS: 1 }));
      expectConsistent(trial);
      expect(expectOnly('ok', trial)).toBeGreaterThan(1);
    });

    for (const { over, title, isLacking } of [
      { over: 'https', title: 'over TLS, with a certificate nobody signed', isLacking: false },
      { over: 'http on IPv6', title: 'from an IPv6 address (needs IPv6)', isLacking: lacks('IPv6') },
    ] as const)
      test.skipIf(isLacking)(title, async () => {
        const connections = new Set<object>();
        await using server = await startTestServer(
          (_seen, { socket }, response) => {
            connections.add(socket);
            response.end('{}');
          },
          { over },
        );
        const trial = await run(requestFor(oneRequest, server.baseUrl, 2, { durationS: 1 }));
        expectConsistent(trial);
        expect(expectOnly('ok', trial)).toBeGreaterThan(2);
        // Kept: k6 may make one more for each user, when another became free before it was there.
        expect(connections.size).toBeGreaterThanOrEqual(2);
        expect(connections.size).toBeLessThanOrEqual(4);
        expect(new Set(server.seen.map((seen) => seen.headers.host))).toEqual(new Set([new URL(server.baseUrl).host]));
      });

    test('from the address that a plan names for a host, in the name of the host', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
      const host = `api.test:${new URL(server.baseUrl).port}`;
      const request = requestFor(oneRequest, `http://${host}`, 2, { durationS: 1 });
      const reach = { addresses: { 'api.test': '127.0.0.1' }, verifiesCertificates: true, authoritiesFile: null };
      const trial = await run({ ...request, plan: { ...request.plan, reach } });
      expect(expectOnly('ok', trial)).toBeGreaterThan(2);
      expect(new Set(server.seen.map((seen) => seen.headers.host))).toEqual(new Set([host]));
    });

    test('over TLS only with a certificate that is trusted, where a plan wants them checked', async () => {
      await using server = await startTestServer((_seen, _request, response) => response.end('{}'), { over: 'https' });
      const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-'));
      await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
      const file = join(folder, 'authorities.pem');
      await writeFile(file, TEST_CERTIFICATE);
      const request = requestFor(oneRequest, server.baseUrl, 2, { durationS: 1 });
      const trialWith = (authoritiesFile: string | null) => {
        const reach = { addresses: { localhost: '127.0.0.1' }, verifiesCertificates: true, authoritiesFile };
        return run({ ...request, plan: { ...request.plan, reach } });
      };
      const [step] = (await trialWith(null)).steps;
      expect(step?.outcomes).toMatchObject({ ok: 0 });
      expect(step?.outcomes.refused).toBeGreaterThan(0);
      expect(server.seen).toEqual([]);
      expect(expectOnly('ok', await trialWith(file))).toBeGreaterThan(2);
    });
  });
}

/** What every engine must make of what is no response. It wants thousands of them in a second, and timeouts of a fifth of one. */
export function nonsenseContract(
  name: string,
  makeEngine: () => LoadEngine,
  { takesCutsForNonsense = false, repeatsGets = false }: AnswerSettings = {},
): void {
  const run = (request: TrialRequest) => makeEngine().run(request, new AbortController().signal);

  describe(`${name}: whatever a server sends, nothing crashes, hangs or is counted twice`, () => {
    async function trialAgainst(server: RawServer, concurrency: number, timeoutS: number): Promise<Trial> {
      const request = requestFor(oneRequest, server.baseUrl, concurrency, { durationS: 1, timeoutS });
      const trial = await run(request);
      expectConsistent(trial);
      expect(trial.stopped).toBe(false);
      const ended = Object.values(trial.steps[0]?.outcomes ?? {}).reduce((sum, count) => sum + count, 0);
      expect(Math.abs(server.seen.requests - ended)).toBeLessThanOrEqual(concurrency);
      return trial;
    }
    const plain = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';
    const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n';

    test('two answers to one request', async () => {
      await using server = await startRawServer((_path, socket) => socket.write(plain + plain));
      const trial = await trialAgainst(server, 5, 5);
      expect(trial.steps[0]?.outcomes.ok).toBeGreaterThan(5);
    });

    testWhere(!repeatsGets)(
      'a kept connection that breaks is a reset, and what was sent is not sent again',
      async () => {
        await using server = await startRawServer((_path, socket) => {
          if (server.seen.requests % 2 === 0) socket.destroy();
          else socket.write(plain);
        });
        const trial = await trialAgainst(server, 5, 5);
        const { ok, reset, ...others } = outcomesOf(trial, 'request');
        expect(Math.abs(ok - reset)).toBeLessThanOrEqual(10);
        expect(reset).toBeGreaterThan(5);
        expect(Object.values(others).every((count) => count === 0)).toBe(true);
      },
    );

    test('an answer that is cut at any byte is never taken for a whole one', async () => {
      const cuts = [plain, chunked].flatMap((answer) => Array.from(answer, (_, length) => answer.slice(0, length)));
      await using server = await startRawServer((_path, socket) =>
        socket.end(cuts[server.seen.requests % cuts.length] ?? ''),
      );
      const trial = await trialAgainst(server, 50, 5);
      if (!takesCutsForNonsense) expect(expectOnly('reset', trial)).toBeGreaterThan(cuts.length);
      const { reset, malformed, ...others } = outcomesOf(trial, 'request');
      expect(reset + malformed).toBeGreaterThan(cuts.length);
      expect(Object.values(others).every((count) => count === 0)).toBe(true);
    });

    test('answers with a byte changed, cut or doubled', async () => {
      const random = randomStream(1, 0, 0);
      const whole = [
        plain,
        chunked,
        'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n',
      ];
      await using server = await startRawServer((_path, socket) => {
        const bytes = Buffer.from(whole[integerBetween(random, 0, whole.length - 1)] ?? '');
        const at = integerBetween(random, 0, bytes.length - 1);
        const kind = random();
        if (kind < 0.3) socket.write(bytes.subarray(0, at));
        else if (kind < 0.5) {
          socket.write(Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 1))]));
        } else {
          bytes[at] = integerBetween(random, 0, 255);
          socket.write(bytes);
        }
      });
      const trial = await trialAgainst(server, 50, 0.2);
      const { ok = 0, timeout = 0, malformed = 0 } = trial.steps[0]?.outcomes ?? {};
      for (const count of [ok, timeout, malformed]) expect(count).toBeGreaterThan(20);
    });
  });
}
