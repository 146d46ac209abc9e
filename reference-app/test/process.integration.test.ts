import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { jwtSecret, password } from './app.ts';
import { newDatabase } from './postgres.ts';
import { childrenOf, isRunning, until } from './processes.ts';

let databaseUrl: string;

beforeAll(async () => {
  databaseUrl = await newDatabase();
});

interface Server extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  output(): string;
}

function start(environment: Record<string, string>): Server {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../server.ts', import.meta.url))], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      RATE_LIMIT: 'off',
      JWT_SECRET: jwtSecret,
      // Stripping types is most of what a start costs.
      NODE_COMPILE_CACHE: join(inject('workerServers'), 'compiled'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  return {
    child,
    ended,
    output: () => output,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function listening(server: Server): Promise<{ url: string; line: Record<string, unknown> }> {
  const find = () =>
    server
      .output()
      .split('\n')
      .find((line) => line.includes('"msg":"listening"'));
  await until(() => find() !== undefined || server.child.exitCode !== null);
  const line = JSON.parse(find() ?? '{}');
  return { url: `http://${line.host}:${line.port}`, line };
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is checked by what is expected of it
const json = async (answer: Response): Promise<any> => answer.json();

function post(url: string, body: object): Promise<Response> {
  return fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}

describe('starting', () => {
  test('with wrong options names all of them, shows no secret and no stack trace, and exits with 1', async () => {
    await using server = start({ NODE_ENV: 'production', JWT_SECRET: 'hunter2', BCRYPT_COST: '99', LOG_LEVEL: 'loud' });
    expect(await server.ended).toEqual({ code: 1, signal: null });
    for (const name of ['DATABASE_URL', 'JWT_SECRET', 'BCRYPT_COST', 'LOG_LEVEL'])
      expect(server.output()).toContain(name);
    expect(server.output()).not.toMatch(/hunter2|\n\s+at /);
  });

  test('on a port in use says so, and exits with 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    for (const INSTANCES of ['1', '2']) {
      await using server = start({ DATABASE_URL: databaseUrl, PORT: String(port), INSTANCES });
      expect((await server.ended).code).toBe(1);
      expect(server.output()).toMatch(/EADDRINUSE.*Set PORT/);
      expect(server.output()).not.toMatch(/\n\s+at /);
    }
    other.close();
  });

  test('logs one line with host and port, whatever the log level', async () => {
    await using server = start({ DATABASE_URL: databaseUrl, LOG_LEVEL: 'silent' });
    const { url, line } = await listening(server);
    expect(line).toMatchObject({ msg: 'listening', host: '127.0.0.1', port: expect.any(Number) });
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
    expect(server.output().trim().split('\n')).toHaveLength(1);
  });
});

describe.each(['1', '2'])('stopping %s instances', (INSTANCES) => {
  const inUse = async (url: string) =>
    Number(/password_hash_in_use (\d+)/.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);

  test('lets requests in flight finish, and exits with 0', async () => {
    await using server = start({ DATABASE_URL: databaseUrl, INSTANCES, BCRYPT_COST: '12' });
    const { url } = await listening(server);
    const email = `stop${INSTANCES}@example.com`;
    expect((await post(`${url}/api/auth/register`, { email, password, name: 'Stop' })).status).toBe(201);
    const login = post(`${url}/api/auth/login`, { email, password });
    await until(async () => (await inUse(url)) > 0);
    server.child.kill('SIGTERM');
    const answer = await login;
    expect(answer.status).toBe(200);
    expect((await json(answer)).accessToken).toEqual(expect.any(String));
    expect(await server.ended).toEqual({ code: 0, signal: null });
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  test('does not wait for connections on which nothing was asked', async () => {
    await using server = start({ DATABASE_URL: databaseUrl, INSTANCES, SHUTDOWN_TIMEOUT_MS: '60000' });
    const { line } = await listening(server);
    const openedAhead = connect(Number(line.port), '127.0.0.1');
    await once(openedAhead, 'connect');
    const kept = new Agent({ keepAlive: true });
    const asked = get({ host: '127.0.0.1', port: Number(line.port), path: '/health', agent: kept });
    const [answer] = await once(asked, 'response');
    answer.resume();
    await once(answer, 'end');
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
    kept.destroy();
    openedAhead.destroy();
  });

  test('takes no longer than its limit, and then exits with 1', async () => {
    await using server = start({ DATABASE_URL: databaseUrl, INSTANCES, BCRYPT_COST: '14', SHUTDOWN_TIMEOUT_MS: '100' });
    const { url } = await listening(server);
    const body = { email: 'late@example.com', password, name: 'Late' };
    const registration = post(`${url}/api/auth/register`, body).catch(() => 'cut');
    await until(async () => (await inUse(url)) > 0);
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(1);
    expect(await registration).toBe('cut');
  });
});

test('while it waits for the load balancer to notice, it serves and is not ready', async () => {
  await using server = start({ DATABASE_URL: databaseUrl, SHUTDOWN_DELAY_MS: '60000' });
  const { url } = await listening(server);
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  server.child.kill('SIGTERM');
  await until(async () => (await fetch(`${url}/ready`)).status === 503);
  expect((await json(await fetch(`${url}/ready`))).status).toBe('stopping');
  expect((await fetch(`${url}/health`)).status).toBe(200);
  server.child.kill('SIGTERM');
  expect((await server.ended).code).toBe(1);
});

describe('two instances', () => {
  test('share the port and the tokens, and answer /metrics for both', async () => {
    await using server = start({ DATABASE_URL: databaseUrl, INSTANCES: '2', JWT_SECRET: '' });
    const { url, line } = await listening(server);
    expect(line.instances).toBe(2);
    const email = 'cluster@example.com';
    await post(`${url}/api/auth/register`, { email, password, name: 'Cluster' });
    const { accessToken } = await json(await post(`${url}/api/auth/login`, { email, password }));
    const me = () =>
      fetch(`${url}/api/auth/me`, { headers: { authorization: `Bearer ${accessToken}`, connection: 'close' } });
    const answers = await Promise.all(Array.from({ length: 20 }, me));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain(
      'http_request_duration_seconds_count{method="GET",route="/api/auth/me",status_code="200"} 20',
    );
    expect(text).toContain('db_pool_max{pool="writer"} 20');
  });

  test('are started again when one dies, and end when the primary is killed', async () => {
    await using server = start({ DATABASE_URL: databaseUrl, INSTANCES: '2' });
    const { url } = await listening(server);
    const workers = childrenOf(server.child.pid ?? 0);
    expect(workers).toHaveLength(2);
    process.kill(workers[0] as number, 'SIGKILL');
    await until(() => {
      const now = childrenOf(server.child.pid ?? 0);
      return now.length === 2 && !now.includes(workers[0] as number);
    });
    await until(async () => (await fetch(`${url}/health`)).ok);
    const last = childrenOf(server.child.pid ?? 0);
    server.child.kill('SIGKILL');
    await until(() => last.every((pid) => !isRunning(pid)));
  });
});
