import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EXPIRED_CERTIFICATE, TEST_CERTIFICATE, TEST_KEY } from '../contracts/engines/certificate.ts';
import { referenceApp } from '../services/reference-app.ts';
import { askUrl } from './ask-url.ts';
import { externalTier, urlProvider } from './url.ts';

const { signal } = new AbortController();
const options = { limitS: 0.5, verifiesCertificates: true, authorities: undefined, signal };

/** A server and what it is connected to, all closed at the end. */
async function listening(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends this after the request, and ends the connection, or does not. */
function sending(text: string, isEnded: boolean): Server {
  return createServer((socket) => {
    socket.once('data', () => {
      socket.write(text);
      if (isEnded) socket.end();
    });
  });
}

it.each([
  ['garbage', 'not HTTP\r\n\r\n', true, 'not HTTP/1.1'],
  ['nothing', '', true, 'closes them without an answer'],
  ['silence', '', false, 'no answer within 0.5 s'],
  ['a head alone', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n', true, 'answered 200, but closed the connection'],
  ['half a body', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', false, 'answered 200, but the body did not come'],
])('says what the server did: %s', async (_, text, isEnded, message) => {
  await using server = await listening(sending(text, isEnded));
  const url = new URL(`http://127.0.0.1:${server.port}`);
  await expect(askUrl(url, ['127.0.0.1'], options)).rejects.toMatchObject({
    code: 'URL_ANSWERS_BADLY',
    message: expect.stringContaining(message),
  });
});

it('takes the beginning of a body without end for an answer', async () => {
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  await using server = await listening(sending(`${head}7d0\r\n${'x'.repeat(2000)}\r\n`, false));
  expect(await askUrl(new URL(`http://127.0.0.1:${server.port}`), ['127.0.0.1'], options)).toBe('127.0.0.1');
});

it('takes the address that answers, when another one accepts no connection', async () => {
  await using server = await listening(sending('HTTP/1.1 204 No Content\r\n\r\n', false));
  const url = new URL(`http://localhost:${server.port}`);
  // Reserved for documentation, so nobody is there.
  expect(await askUrl(url, ['192.0.2.1', '127.0.0.1'], options)).toBe('127.0.0.1');
});

function tlsServer(cert: string): Server {
  return createHttpsServer({ key: TEST_KEY, cert }, (_, response) => response.end('hello'));
}

it.each([
  ['self-signed', TEST_CERTIFICATE, 'localhost', undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['expired', EXPIRED_CERTIFICATE, 'localhost', EXPIRED_CERTIFICATE, 'CERT_HAS_EXPIRED'],
  ['for another name', TEST_CERTIFICATE, 'other.test', TEST_CERTIFICATE, 'ERR_TLS_CERT_ALTNAME_INVALID'],
])('says what is wrong with a certificate: %s', async (_, certificate, host, authorities, reason) => {
  await using server = await listening(tlsServer(certificate));
  const url = new URL(`https://${host}:${server.port}`);
  await expect(askUrl(url, ['127.0.0.1'], { ...options, authorities })).rejects.toMatchObject({
    code: 'CERTIFICATE_REFUSED',
    message: expect.stringContaining(reason),
    remedy: 'trust-certificate',
  });
});

it('says so when a server of http is asked over https', async () => {
  await using server = await listening(sending('HTTP/1.1 400 Bad Request\r\n\r\n', true));
  await expect(askUrl(new URL(`https://localhost:${server.port}`), ['127.0.0.1'], options)).rejects.toMatchObject({
    code: 'URL_ANSWERS_BADLY',
    message: expect.stringContaining('does not speak TLS'),
  });
});

it('does not check certificates of this machine, but does where authorities are given', async () => {
  await using server = await listening(tlsServer(TEST_CERTIFICATE));
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-'));
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  const [right, wrong, none] = ['right.pem', 'wrong.pem', 'none.pem'].map((name) => join(folder, name));
  await writeFile(right ?? '', TEST_CERTIFICATE);
  await writeFile(wrong ?? '', EXPIRED_CERTIFICATE);
  await writeFile(none ?? '', 'nothing');
  const reachWith = async (authoritiesFile?: string) => {
    const provider = urlProvider(`https://localhost:${server.port}`, { authoritiesFile });
    return (await provider.deploy({ tier: externalTier, app: referenceApp }, signal)).reach;
  };
  const addresses = { localhost: '127.0.0.1' };
  expect(await reachWith()).toEqual({ addresses, verifiesCertificates: false, authoritiesFile: null });
  expect(await reachWith(right)).toEqual({ addresses, verifiesCertificates: true, authoritiesFile: right });
  await expect(reachWith(wrong)).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' });
  await expect(reachWith(none)).rejects.toMatchObject({ code: 'FILE_NOT_READABLE' });
  await expect(reachWith(join(folder, 'missing.pem'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});
