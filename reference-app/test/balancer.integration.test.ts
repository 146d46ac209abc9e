import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { bearer, password, startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase } from './postgres.ts';
import { lacks } from './programs.ts';
import { startTestNginx } from './servers.ts';

let databaseUrl: string;

beforeAll(async () => {
  databaseUrl = await newDatabase();
});

const environment = { TRUST_PROXY: 'loopback,uniquelocal' };

test.each([
  ['127.0.0.1', '203.0.113.7'],
  ['::1', '203.0.113.7'],
  ['10.1.2.3', '203.0.113.7'],
  ['172.18.0.5', '203.0.113.7'],
  ['192.168.7.7', '203.0.113.7'],
  ['fd00::17', '203.0.113.7'],
  ['198.51.100.9', '198.51.100.9'],
])('with loopback and uniquelocal a caller at %s is taken for %s', async (remoteAddress, expected) => {
  await using app = await startTestApp(testConfig(databaseUrl, environment));
  const email = `${remoteAddress.replaceAll(':', '-')}@example.com`;
  await app.register(email);
  const login = await app.send({
    method: 'POST',
    url: '/api/auth/login',
    remoteAddress,
    headers: { 'x-forwarded-for': '203.0.113.7' },
    payload: { email, password },
  });
  const { sessions } = (await app.get('/api/auth/sessions', login.json().accessToken)).json();
  expect(sessions).toMatchObject([{ ip: expected }]);
});

test('a kept connection outlives the 65 s of a balancer before it', async () => {
  await using app = await startTestApp(testConfig(databaseUrl));
  await app.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [answer] = await once(socket, 'data');
  socket.destroy();
  expect(Number(/keep-alive: timeout=(\d+)/i.exec(String(answer))?.[1])).toBeGreaterThan(65);
});

describe.skipIf(lacks('nginx'))('behind nginx (needs nginx)', () => {
  test('REQUEST_TIMEOUT_MS holds for a slow body', async () => {
    await using app = await startTestApp(testConfig(databaseUrl, { REQUEST_TIMEOUT_MS: '1000' }));
    await using nginx = await startTestNginx([await listeningPort(app)]);
    const socket = connect(nginx.port, '127.0.0.1').on('error', () => {});
    const head = 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    socket.write(`${head}Content-Length: 1000\r\n\r\n{`);
    const trickle = setInterval(() => socket.writable && socket.write(' '), 100);
    const startedMs = performance.now();
    const [answer] = await once(socket, 'data');
    clearInterval(trickle);
    socket.destroy();
    expect(String(answer)).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  async function listeningPort({ app }: TestApp): Promise<number> {
    await app.listen({ host: '127.0.0.1', port: 0 });
    return (app.server.address() as AddressInfo).port;
  }

  test('sessions, limits and cookies work as without it, over connections that are kept', async () => {
    await using one = await startTestApp(testConfig(databaseUrl, environment));
    await using other = await startTestApp(testConfig(databaseUrl, environment));
    const apps = [one, other];
    let connections = 0;
    const countOne = () => {
      connections += 1;
    };
    for (const { app } of apps) app.server.on('connection', countOne);
    await using nginx = await startTestNginx(await Promise.all(apps.map(listeningPort)));
    const origin = nginx.url;
    const send = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
      fetch(origin + path, {
        method,
        headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
        ...(body && { body: JSON.stringify(body) }),
      });
    const email = 'balanced@example.com';
    expect((await send('POST', '/api/auth/register', { email, password, name: 'Balanced' })).status).toBe(201);
    const forwarded = { 'x-forwarded-for': '203.0.113.7' };
    const login = await send('POST', '/api/auth/login', { email, password }, forwarded);
    const { accessToken } = (await login.json()) as { accessToken: string };
    const cookie = login.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ');
    const headers = { ...bearer(accessToken), ...forwarded };
    const listed = await send('GET', '/api/auth/sessions', undefined, headers);
    // This machine is trusted too, so that its requests may name whom they are for.
    expect(await listed.json()).toMatchObject({ sessions: [{ ip: '203.0.113.7' }] });
    const sameOrigin = await send('POST', '/api/tasks', { title: 'from the page' }, { cookie, origin });
    expect(sameOrigin.status).toBe(201);
    const foreign = await send('POST', '/api/tasks', { title: 'forged' }, { cookie, origin: 'http://evil.example' });
    expect(foreign.status).toBe(403);
    for (let request = 0; request < 60; request += 1) {
      expect((await send('GET', '/api/tasks', undefined, headers)).status).toBe(200);
    }
    expect(connections).toBeLessThan(10);
    const served = await Promise.all(apps.map(async (app) => (await app.get('/metrics')).body));
    for (const metrics of served) {
      expect(metrics).toMatch(
        /http_request_duration_seconds_count\{method="GET",route="\/api\/tasks",status_code="200"\} [1-9]/,
      );
    }
  });
});
