import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { homedir, hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Obstacle } from '../core/findings.ts';

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
  const home = homeFolder();
  const sockets = [
    '/var/run/docker.sock',
    ...(runtime === '' ? [] : [join(runtime, 'docker.sock')]),
    ...(home === undefined
      ? []
      : [join(home, '.docker', 'run', 'docker.sock'), join(home, '.docker', 'desktop', 'docker.sock')]),
    `/run/user/${process.getuid?.() ?? -1}/docker.sock`,
  ];
  const socketPath = sockets.find((path) => existsSync(path));
  return socketPath === undefined ? undefined : { socketPath };
}

/** Undefined where neither HOME nor the list of accounts names one. */
export function homeFolder(): string | undefined {
  try {
    const home = homedir();
    return isAbsolute(home) ? home : undefined;
  } catch {
    return undefined;
  }
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

/** What the engine says of itself. */
export interface EngineFacts {
  readonly version: string;
  /** The host name of the machine it runs on. */
  readonly machine: string;
  readonly cpus: number;
  /** Whether its kernel holds containers to CPUs and memory. */
  readonly limitsCpus: boolean;
  readonly limitsMemory: boolean;
}

const ANSWER_LIMIT_S = 5;

/** What the engine says of itself, or why containers cannot be used from here. */
export async function engineFacts(): Promise<EngineFacts | { readonly obstacle: Obstacle }> {
  const engine = engineAddress();
  if (engine === undefined) return { obstacle: { code: 'no-container-engine' } };
  const address = 'socketPath' in engine ? engine.socketPath : `${engine.host}:${engine.port}`;
  if ('host' in engine && !['localhost', '127.0.0.1', '::1', '[::1]'].includes(engine.host)) {
    return { obstacle: { code: 'container-engine-remote', address } };
  }
  const answer = await askEngine(engine, 'GET', '/info', ANSWER_LIMIT_S).catch((error: NodeJS.ErrnoException) => error);
  if (answer instanceof Error) {
    const isRefused = (answer as NodeJS.ErrnoException).code === 'EACCES';
    return {
      obstacle: isRefused
        ? { code: 'container-engine-refused', address }
        : { code: 'container-engine-not-reachable', address, detail: answer.message },
    };
  }
  const info = answer as Record<string, unknown>;
  const facts = {
    version: String(info.ServerVersion),
    machine: String(info.Name),
    cpus: Number(info.NCPU),
    limitsCpus: info.CpuCfsQuota === true,
    limitsMemory: info.MemoryLimit === true,
  };
  if (isInContainer() && facts.machine !== hostname()) {
    return { obstacle: { code: 'inside-container' } };
  }
  return facts;
}

/** tierbench runs in a container, or on a machine that looks like one. */
export function isInContainer(): boolean {
  return existsSync('/.dockerenv');
}

/** What the engine says of a container's CPU, memory and throttling, at once instead of after a second of watching. */
export async function readContainerStats(containerId: string): Promise<unknown> {
  const engine = engineAddress();
  if (engine === undefined) throw new Error('no container engine was found');
  return await askEngine(engine, 'GET', `/containers/${containerId}/stats?stream=false&one-shot=true`, ANSWER_LIMIT_S);
}
