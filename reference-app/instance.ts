import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { buildApp, type Overrides } from './app.ts';
import type { Config } from './config.ts';

export interface Instance {
  readonly host: string;
  readonly port: number;
  /** Lets requests in flight finish, at most SHUTDOWN_TIMEOUT_MS. Gives the exit code: 1 when some had to be cut. */
  stop(): Promise<0 | 1>;
}

/** Listens. Rejects when the address cannot be had. */
export async function startInstance(config: Config, overrides: Omit<Overrides, 'isStopping'> = {}): Promise<Instance> {
  let stopping: Promise<0 | 1> | undefined;
  const app = buildApp(config, { ...overrides, isStopping: () => stopping !== undefined });
  await app.listen({ host: config.HOST, port: config.PORT });
  const { address, port } = app.server.address() as AddressInfo;

  async function stop(): Promise<0 | 1> {
    await delay(config.SHUTDOWN_DELAY_MS);
    const limit = new AbortController();
    const closed = app.close().then(() => 0 as const);
    const tooLate = delay(config.SHUTDOWN_TIMEOUT_MS, 1 as const, { signal: limit.signal });
    const exitCode = await Promise.race([closed, tooLate]);
    limit.abort();
    tooLate.catch(() => {});
    if (exitCode === 1) app.log.error('requests were still in flight when the time to stop was over');
    return exitCode;
  }

  return {
    host: address,
    port,
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** One line whatever LOG_LEVEL is: who started the process reads the port from it. */
export function announceListening(details: { host: string; port: number; instances: number }): void {
  const line = { level: 30, time: Date.now(), pid: process.pid, msg: 'listening', ...details };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A start that failed, in a line for a person. */
export function explainFailedStart(error: unknown, { HOST, PORT }: Config): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'EADDRINUSE')
    return `${HOST}:${PORT} is in use (EADDRINUSE). Set PORT to another one, or to 0 for a free one.`;
  if (code === 'EACCES') return `${HOST}:${PORT} may not be listened on (EACCES). Set PORT to 1024 or more.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST ${HOST} is no address of this machine (${code}). Set HOST to one.`;
  return `The app did not start: ${message ?? String(error)}`;
}
