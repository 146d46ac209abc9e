import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { lacks } from '../../../test-support/requirements.ts';
import { peerAt, startTestServer } from '../../../test-support/servers.ts';
import type { SettingValue } from '../../core/tier.ts';

interface Backend extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
}

/** Answers with its name, how it was asked, and over which of its connections. */
async function startBackend(name: string): Promise<Backend> {
  const connections = new Map<unknown, number>();
  const server = createServer((request, response) => {
    if (!connections.has(request.socket)) connections.set(request.socket, connections.size + 1);
    request.resume().once('end', () => {
      const { headers, httpVersion } = request;
      response.end(JSON.stringify({ name, headers, httpVersion, connection: connections.get(request.socket) }));
    });
  }).listen(0, '127.0.0.1');
  // Otherwise an idle connection may be closed at the moment a request is sent over it.
  server.keepAliveTimeout = 0;
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function startBalancer(backends: readonly Backend[], settings: Record<string, SettingValue> = {}) {
  return startTestServer('load-balancer', {
    settings,
    peers: { backend: peerAt(...backends.map(({ port }) => port)) },
  });
}

async function ask(port: number, init?: RequestInit) {
  const response = await fetch(`http://127.0.0.1:${port}/api/tasks`, init);
  return (await response.json()) as {
    name: string;
    headers: Record<string, string>;
    httpVersion: string;
    connection: number;
  };
}

describe.skipIf(lacks('nginx'))('nginx (needs nginx)', () => {
  it('takes turns with the backends, and forwards who asks over connections it keeps', async () => {
    await using one = await startBackend('one');
    await using two = await startBackend('two');
    await using nginx = await startBalancer([one, two]);
    const answers = [];
    for (let request = 1; request <= 20; request += 1) answers.push(await ask(nginx.port));
    expect(answers.filter(({ name }) => name === 'one')).toHaveLength(10);
    expect(Math.max(...answers.map(({ connection }) => connection))).toBe(1);
    expect(answers[0]).toMatchObject({
      httpVersion: '1.1',
      headers: { host: `127.0.0.1:${nginx.port}`, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' },
    });
  });

  it('passes on a body that it has to keep in a file, below a path with a space', async () => {
    await using backend = await startBackend('one');
    await using nginx = await startBalancer([backend]);
    const body = JSON.stringify({ text: 'x'.repeat(200_000) });
    const answer = await ask(nginx.port, { method: 'POST', body });
    expect(answer.headers['content-length']).toBe(String(body.length));
  });

  it('goes on with the others when one is gone', async () => {
    await using one = await startBackend('one');
    const two = await startBackend('two');
    await using nginx = await startBalancer([one, two]);
    await two[Symbol.asyncDispose]();
    for (let request = 1; request <= 6; request += 1) expect((await ask(nginx.port)).name).toBe('one');
  });

  it('shows its state on a port of its own, to this machine alone', async () => {
    await using backend = await startBackend('one');
    await using nginx = await startBalancer([backend]);
    const status = new URL(nginx.probeUrl);
    expect(status.port).not.toBe(String(nginx.port));
    expect(status.hostname).toBe('127.0.0.1');
    expect(await (await fetch(status)).text()).toMatch(/^Active connections: \d+/);
  });
});
