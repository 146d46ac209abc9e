import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { accountId } from './processes.ts';

/** Where a container engine takes requests. */
export type EngineAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/**
 * Where the engine of this account listens, as testcontainers looks for it: DOCKER_HOST, then the usual sockets.
 * Undefined when there is none, or only one that wants certificates.
 */
export function engineAddress(environment: NodeJS.ProcessEnv = process.env): EngineAddress | undefined {
  const stated = environment.DOCKER_HOST ?? '';
  if (stated !== '') {
    const url = URL.parse(stated);
    if (url?.protocol === 'unix:') return { socketPath: url.pathname };
    if (url === null || environment.DOCKER_TLS_VERIFY === '1' || !['tcp:', 'http:'].includes(url.protocol)) return;
    return { host: url.hostname, port: Number(url.port || 2375) };
  }
  const runtime = environment.XDG_RUNTIME_DIR ?? '';
  const sockets = [
    '/var/run/docker.sock',
    ...(runtime === '' ? [] : [join(runtime, 'docker.sock')]),
    join(homedir(), '.docker', 'run', 'docker.sock'),
    join(homedir(), '.docker', 'desktop', 'docker.sock'),
    `/run/user/${accountId()}/docker.sock`,
  ];
  const socketPath = sockets.find((path) => existsSync(path));
  return socketPath === undefined ? undefined : { socketPath };
}

/** What the engine answered when it was not what was asked for. */
export class EngineError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * One request to the engine, with its answer as parsed JSON; undefined when it has none.
 * Plain HTTP: every command asks at its start, and a client library takes longer to load than the question does.
 */
export function askEngine(
  address: EngineAddress,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  limitS: number,
): Promise<unknown> {
  const signal = AbortSignal.timeout(limitS * 1000);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const failed = (error: Error) =>
    reject(signal.aborted ? new Error(`the container engine did not answer within ${limitS} s`) : error);
  request({ ...address, method, path, signal, agent: false }, async (response) => {
    try {
      const body = await text(response);
      const status = response.statusCode ?? 0;
      const answer: unknown = /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(body) : undefined;
      if (status < 300) return resolve(answer);
      const said = (answer as { message?: unknown } | undefined)?.message ?? body.trim();
      reject(new EngineError(status, `the container engine answered ${status}: ${said}`));
    } catch (error) {
      failed(error as Error);
    }
  })
    .once('error', failed)
    .end();
  return promise;
}
