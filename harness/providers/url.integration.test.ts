import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { describeProvider } from '../contracts/providers/provider-contract.ts';
import { freePort } from '../machine/free-port.ts';
import { referenceApp } from '../services/reference-app.ts';
import { externalTier, urlProvider } from './url.ts';

const never = new AbortController().signal;

async function listening(listener: RequestListener): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

describeProvider('url', '/', async () => {
  const server = await listening((_, response) => response.end('hello'));
  return {
    provider: urlProvider(`http://127.0.0.1:${server.port}`),
    tier: externalTier,
    app: referenceApp,
    leftBehind: async () => [],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
});

describe('url provider', () => {
  it.each([200, 301, 401, 404, 500])('takes any answer as a sign of life: %i', async (status) => {
    await using server = await listening((_, response) => response.writeHead(status, { location: '/x' }).end());
    const deployment = await urlProvider(`http://localhost:${server.port}/api/`).deploy(
      { tier: externalTier, app: referenceApp },
      never,
    );
    expect(deployment.baseUrl).toBe(`http://localhost:${server.port}/api`);
    expect(deployment.prepareData).toBeUndefined();
    expect(deployment.access).toEqual([]);
  });

  it('takes other addresses by name, and asks each for an answer', async () => {
    await using main = await listening((_, response) => response.end('hello'));
    await using search = await listening((_, response) => response.end('hello'));
    const mainUrl = `http://127.0.0.1:${main.port}`;
    const deployment = await urlProvider(`${mainUrl}, search=http://127.0.0.1:${search.port}/v1/`).deploy(
      { tier: externalTier, app: referenceApp },
      never,
    );
    expect(deployment).toMatchObject({ baseUrl: mainUrl, baseUrls: { search: `http://127.0.0.1:${search.port}/v1` } });
    const missing = `${mainUrl},search=http://127.0.0.1:${await freePort()}`;
    await expect(urlProvider(missing).deploy({ tier: externalTier, app: referenceApp }, never)).rejects.toMatchObject({
      code: 'URL_NOT_REACHABLE',
    });
    expect(() => urlProvider(`${mainUrl},${mainUrl}`)).toThrow(expect.objectContaining({ code: 'URL_INVALID' }));
  });

  it('says so when nothing listens there', async () => {
    const port = await freePort();
    await expect(
      urlProvider(`http://127.0.0.1:${port}`).deploy({ tier: externalTier, app: referenceApp }, never),
    ).rejects.toMatchObject({
      code: 'URL_NOT_REACHABLE',
      message: expect.stringContaining(`ECONNREFUSED 127.0.0.1:${port}`),
    });
  });

  it('says so when the server never answers, and stops waiting when it is aborted', async () => {
    await using server = await listening(() => {});
    const address = `http://127.0.0.1:${server.port}`;
    await expect(
      urlProvider(address, { answerLimitS: 0.05 }).deploy({ tier: externalTier, app: referenceApp }, never),
    ).rejects.toMatchObject({
      code: 'URL_ANSWERS_BADLY',
      message: expect.stringContaining('no answer within 0.05 s'),
    });
    const reason = new Error('enough');
    const controller = new AbortController();
    const deployed = urlProvider(address).deploy({ tier: externalTier, app: referenceApp }, controller.signal, () =>
      controller.abort(reason),
    );
    await expect(deployed).rejects.toBe(reason);
  });

  it('says so when what listens there does not speak HTTP', async () => {
    const server = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await expect(
      urlProvider(`http://127.0.0.1:${port}`).deploy({ tier: externalTier, app: referenceApp }, never),
    ).rejects.toMatchObject({
      code: 'URL_ANSWERS_BADLY',
      message: expect.stringContaining('HTTP'),
    });
    server.close();
  });
});
