import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../harness/machine/free-port.ts';
import { findProgram } from '../harness/operating-system/find-program.ts';

/** A server that does next to nothing, in a process of its own, so that a benchmark sees who asks it. */
export interface PlainServer extends AsyncDisposable {
  readonly baseUrl: string;
  readonly processId: number;
}

/** Words that run a command on these CPUs alone. */
export function onCpus(cpus: readonly number[] | undefined, command: readonly string[]): readonly string[] {
  return cpus === undefined ? command : ['taskset', '-c', cpus.join(','), ...command];
}

/** Node's own server. It answers after so many milliseconds, by Node's timer: up to 1 ms more, for whoever asks. */
export async function startNodeServer(delayMs: number, cpus: readonly number[] | undefined): Promise<PlainServer> {
  const answers = delayMs > 0 ? `setTimeout(() => response.end('{}'), ${delayMs})` : "response.end('{}')";
  const source = `
    const { createServer } = require('node:http');
    const server = createServer((request, response) => { ${answers}; });
    server.keepAliveTimeout = 60000;
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  `;
  const server = start(onCpus(cpus, [process.execPath, '-e', source]), 'pipe');
  for await (const port of createInterface({ input: server.process.stdout as NodeJS.ReadableStream })) {
    return { ...server, baseUrl: `http://127.0.0.1:${port}` };
  }
  throw new Error('the server ended before it listened');
}

/** Undefined where nginx is not installed. Answers `/` with a few bytes, and `/login` and `/tasks` with JSON. */
export async function startNginx(cpus: readonly number[] | undefined): Promise<PlainServer | undefined> {
  const program = findProgram(['nginx']);
  if (program === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-bench-nginx-'));
  const port = await freePort();
  await writeFile(
    join(folder, 'nginx.conf'),
    `worker_processes 1; daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 20000; }
http {
  access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / { default_type text/plain; return 200 "hello world\\n"; }
    location /login { default_type application/json; return 200 '{"token":"abcdefghijklmnop","user":{"id":17,"name":"someone"},"expiresInS":900}'; }
    location /tasks { default_type application/json; return 200 '{"tasks":[{"id":1,"title":"one","done":false},{"id":2,"title":"two","done":true}],"page":1,"total":2}'; }
  }
}
`,
  );
  const server = start(onCpus(cpus, [program, '-p', folder, '-c', join(folder, 'nginx.conf')]), 'ignore');
  const baseUrl = `http://127.0.0.1:${port}`;
  await untilAnswers(baseUrl, server.process);
  return {
    processId: server.processId,
    baseUrl,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function start([program = '', ...words]: readonly string[], stdout: 'pipe' | 'ignore') {
  const child = spawn(program, words, { stdio: ['ignore', stdout, 'inherit'] });
  const ended = once(child, 'close');
  return {
    process: child,
    // taskset becomes the program, so this is the server itself.
    processId: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

async function untilAnswers(url: string, server: ChildProcess): Promise<void> {
  while (server.exitCode === null) {
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server at ${url} ended before it answered`);
}
