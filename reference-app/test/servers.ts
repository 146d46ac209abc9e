import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { childrenOf, isRunning, signalAll, until } from './processes.ts';
import { findProgram } from './programs.ts';

/** A server of a test, as a process of its own on 127.0.0.1. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** All processes it consists of. */
  processIds(): readonly number[];
  /** Resolves when all its processes are gone. */
  kill(): Promise<void>;
  /** After it was killed: on the same port, with the same files. */
  start(): Promise<void>;
}

export interface ServerProgram {
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** Resolves when it can be used, and rejects until then. */
  readonly answers: () => Promise<unknown>;
  readonly stopSignal?: NodeJS.Signals;
}

/** PostgreSQL and PgBouncer refuse to run as root. */
export const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** A folder that belongs to the account of the servers. */
export async function serverFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reference-app-test-'));
  give(folder);
  return folder;
}

export function give(path: string): void {
  if (account.uid !== undefined) chownSync(path, account.uid, account.gid);
}

export async function writeServerFile(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  give(path);
}

/** Disposing stops it and removes its folder. */
export async function startServer(program: ServerProgram): Promise<TestServer> {
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const { command, folder } = program;
    child = spawn(command, program.arguments, { cwd: folder, ...account, stdio: ['ignore', 'pipe', 'pipe'] });
    const started = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        if (output.length < 10_000) output += chunk;
      });
    }
    await until(async () => {
      if (started.pid === undefined || !isRunning(started.pid)) throw new Error(`${command} did not start:\n${output}`);
      return program.answers().then(
        () => true,
        () => false,
      );
    });
  }

  function processIds(): readonly number[] {
    const main = child?.pid;
    return main !== undefined && isRunning(main) ? [main, ...childrenOf(main)] : [];
  }
  async function kill(): Promise<void> {
    // Stopped, the main process starts none that would be missed.
    signalAll(processIds().slice(0, 1), 'SIGSTOP');
    const ids = processIds();
    signalAll(ids, 'SIGKILL');
    await until(() => !ids.some(isRunning));
  }
  async function stop(): Promise<void> {
    const ids = processIds();
    signalAll(ids.slice(0, 1), program.stopSignal ?? 'SIGTERM');
    // One that is paused would not notice.
    signalAll(ids, 'SIGCONT');
    await until(() => !ids.some(isRunning));
    await rm(program.folder, { recursive: true, force: true });
  }

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  const { url, port } = program;
  return { url, port, processIds, kill, start, [Symbol.asyncDispose]: stop };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function accepts(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

export async function answersQueries(url: string, text = 'select 1'): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end();
  }
}

function installedProgram(name: string): string {
  const program = findProgram(name);
  if (program === undefined) throw new Error(`${name} is not installed`);
  return program;
}

/** A Redis that keeps nothing: killed and started again it is empty. */
export async function startTestRedis(fixedPort?: number): Promise<TestServer> {
  const port = fixedPort ?? (await freePort());
  return await startServer({
    folder: await serverFolder(),
    port,
    url: `redis://127.0.0.1:${port}`,
    command: installedProgram('redis-server'),
    arguments: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      ...['--maxmemory', '100mb', '--maxmemory-policy', 'noeviction'],
    ],
    answers: () => accepts(port),
  });
}

/** A PgBouncer in transaction mode before a server of this machine. */
export async function startTestPgbouncer(
  databaseUrl: string,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<TestServer> {
  const folder = await serverFolder();
  const port = await freePort();
  const { hostname, port: databasePort, username, password } = new URL(databaseUrl);
  const lines = Object.entries({
    pool_mode: 'transaction',
    ignore_startup_parameters: 'extra_float_digits',
    server_login_retry: 1,
    ...settings,
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: 'userlist.txt',
    admin_users: username,
  }).map(([name, value]) => `${name} = ${value}`);
  const configuration = join(folder, 'pgbouncer.ini');
  const databases = `[databases]\n* = host=${hostname} port=${databasePort}\n`;
  await writeServerFile(configuration, `${databases}[pgbouncer]\n${lines.join('\n')}\n`);
  await writeServerFile(join(folder, 'userlist.txt'), `"${username}" "${password}"\n`);
  const url = new URL(databaseUrl);
  url.port = String(port);
  const console = new URL(url);
  console.pathname = '/pgbouncer';
  return await startServer({
    folder,
    port,
    url: url.href,
    command: installedProgram('pgbouncer'),
    arguments: [configuration],
    answers: () => answersQueries(console.href, 'show version'),
    stopSignal: 'SIGINT',
  });
}

/** An nginx that shares requests among the ports in turn, and keeps connections to them. */
export async function startTestNginx(backendPorts: readonly number[]): Promise<TestServer> {
  const folder = await serverFolder();
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const configuration = join(folder, 'nginx.conf');
  await writeServerFile(
    configuration,
    `daemon off; pid ${folder}/nginx.pid; error_log stderr warn; worker_processes 1;
events {}
http {
  access_log off; ${temporary.join(' ')}
  upstream api { ${backendPorts.map((each) => `server 127.0.0.1:${each};`).join(' ')} keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://api; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`,
  );
  return await startServer({
    folder,
    port,
    url: `http://127.0.0.1:${port}`,
    command: installedProgram('nginx'),
    arguments: ['-e', 'stderr', '-p', folder, '-c', configuration],
    answers: () => accepts(port),
  });
}
