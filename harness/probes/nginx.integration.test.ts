import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measured, readUntil, startSilentServer } from '../../test-support/readings.ts';
import { lacks } from '../../test-support/requirements.ts';
import { peerAt, startTestServer, type TestServer } from '../../test-support/servers.ts';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import { nginxProbe } from './nginx.ts';

describe.skipIf(lacks('nginx'))('nginx by its status page (needs nginx)', () => {
  let backend: Server;
  let nginx: TestServer;
  let answer: () => void;
  beforeAll(async () => {
    // Answers /slow when the test says so, everything else at once.
    backend = createServer((request, response) => {
      if (request.url !== '/slow') response.end('answered');
      else answer = () => response.end('answered');
    }).listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const { port } = backend.address() as AddressInfo;
    nginx = await startTestServer('load-balancer', { peers: { backend: peerAt(port) } });
  });
  afterAll(async () => {
    await nginx?.[Symbol.asyncDispose]();
    backend.closeAllConnections();
    backend.close();
  });

  const newProbe = () => nginxProbe({ url: nginx.probeUrl, source: 'balancer/1' });

  it('counts connections by what they do, without its own', async () => {
    await using probe = newProbe();
    const before = await readUntil(probe, (each) => measured(each, 'connections') === 0);
    expect(measured(before, 'connections-writing')).toBe(0);
    const idle = connect(nginx.port, '127.0.0.1');
    idle.write('GET /quick HTTP/1.1\r\nhost: here\r\n\r\n');
    await once(idle, 'data');
    const slow = get(`http://127.0.0.1:${nginx.port}/slow`, { agent: false });
    const responded = once(slow, 'response');
    const readings = await readUntil(probe, (each) => measured(each, 'connections-writing') === 1);
    expect(measured(readings, 'connections')).toBe(2);
    expect(measured(readings, 'connections-waiting')).toBe(1);
    await expect.poll(() => typeof answer).toBe('function');
    answer();
    const [response] = await responded;
    response.resume();
    await once(response, 'end');
    idle.destroy();
    await readUntil(probe, (each) => measured(each, 'connections') === 0);
  });

  it('counts requests per second, without its own', async () => {
    await using probe = newProbe();
    await probe.read();
    const startMs = performance.now();
    expect(measured(await probe.read(), 'requests')).toBe(0);
    for (let request = 1; request <= 25; request += 1) {
      await (await fetch(`http://127.0.0.1:${nginx.port}/quick`)).text();
    }
    const rate = measured(await probe.read(), 'requests') ?? 0;
    expect((rate * (performance.now() - startMs)) / 1000).toBeGreaterThanOrEqual(24.9);
  });

  it('reads on when nginx comes back', async () => {
    await using probe = newProbe();
    for (let cut = 0; cut < 3; cut += 1) {
      await probe.read();
      await nginx.kill();
      await expect(probe.read()).rejects.toThrow(/\w/);
      await nginx.start();
      const back = await readUntil(probe, (each) => each.length > 0);
      // What it counted before is gone with it.
      expect(measured(back, 'requests')).toBeUndefined();
    }
  });

  it('says so when the page is another', async () => {
    await using elsewhere = nginxProbe({ url: `http://127.0.0.1:${nginx.port}/quick`, source: 'balancer/1' });
    await expect(elsewhere.read()).rejects.toThrow('no stub status');
  });

  probeContract(
    'nginx',
    async () => ({ probe: newProbe(), async [Symbol.asyncDispose]() {} }),
    async () => {
      const silent = await startSilentServer();
      return {
        probe: nginxProbe({ url: `http://127.0.0.1:${silent.port}/status`, source: 'balancer/1' }),
        [Symbol.asyncDispose]: () => silent[Symbol.asyncDispose](),
      };
    },
  );
});
