import { randomBytes } from 'node:crypto';
import { extname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TierbenchError } from '../../core/errors.ts';
import { redact } from '../../core/redact.ts';
import type { Service } from '../../core/tier.ts';
import { type ApiConnections, apiEnvironment } from '../../services/api.ts';
import { get } from '../http-get.ts';
import { startChild } from './child-process.ts';
import type { LocalServer, LocalServerOptions } from './local-server.ts';
import { startServer, surroundingsOf } from './local-server-process.ts';

/** The programs of an API: file paths, each run by this Node. */
export interface ApiPrograms {
  /** Listens on HOST and PORT and logs a line of JSON with `"msg":"listening"` when it does. */
  readonly server: string;
  /** Brings the schema of DATABASE_URL up to date. */
  readonly migrate: string;
  /** Fills DATABASE_URL: `--users N --tasks-per-user M --seed S`, the users' password in SEED_PASSWORD. */
  readonly seed: string;
}

/** The reference app: its sources in a checkout, what tsc made of them in the installed package. */
export function referenceApp(): ApiPrograms {
  const extension = extname(import.meta.url);
  const program = (name: string) =>
    fileURLToPath(new URL(`../../../reference-app/${name}${extension}`, import.meta.url));
  return { server: program('server'), migrate: program('migrate'), seed: program('seed') };
}

export interface ApiInstanceOptions extends LocalServerOptions {
  /** `api/1` */
  readonly name: string;
  readonly programs: ApiPrograms;
  readonly service: Service;
  readonly connections: ApiConnections;
}

const POLL_S = 0.02;

export function newJwtSecret(): string {
  return randomBytes(48).toString('base64url');
}

/**
 * One instance of the API, ready.
 * @throws TierbenchError API_DID_NOT_START, API_NOT_READY, PORT_BUSY
 */
export async function startApiInstance(options: ApiInstanceOptions): Promise<LocalServer> {
  const { name, programs, service, connections } = options;
  const secrets = secretsOf(options);
  let lastAnswer = 'none';
  try {
    return await startServer(
      {
        name,
        failureCode: 'API_DID_NOT_START',
        // 0 takes a free one.
        fixedPort: Number(service.settings.PORT) || undefined,
        launch(port) {
          const listening = Promise.withResolvers<void>();
          const surroundings = surroundingsOf(options, undefined);
          const child = startChild({
            ...surroundings,
            command: process.execPath,
            arguments: [programs.server],
            environment: {
              ...surroundings.environment,
              ...apiEnvironment(service, connections),
              ...options.environment,
              HOST: '127.0.0.1',
              PORT: String(port),
            },
            secrets,
            onOutput: untilListening(listening.resolve),
          });
          const answers = async (signal: AbortSignal) => {
            // Before that, another server may answer where it is going to.
            await Promise.race([listening.promise, rejectionOf(signal)]);
            await untilReady(new URL(`http://127.0.0.1:${port}`), signal, (answer) => {
              lastAnswer = answer;
            });
            return undefined;
          };
          return { child, answers };
        },
        // Nothing is waiting for its answers any more.
        stop: (child) => child.stop('SIGKILL', 0),
      },
      options,
    );
  } catch (error) {
    if (!(error instanceof TierbenchError) || (error.cause as Error | undefined)?.name !== 'TimeoutError') throw error;
    throw new TierbenchError(
      'API_NOT_READY',
      `${error.message}; its last answer: ${redact(lastAnswer, secrets)}`,
      'Its last lines above say what it waits for; run it by hand with the same settings to see more.',
    );
  }
}

function secretsOf({ service, connections }: ApiInstanceOptions): string[] {
  const { writerUrl, readerUrl, cacheUrl, jwtSecret } = connections;
  const urls = [writerUrl, readerUrl, cacheUrl].filter((url) => url !== undefined);
  const named = Object.entries(service.settings).filter(([key]) => /SECRET|PASSWORD|TOKEN/.test(key));
  return [
    jwtSecret,
    ...urls.flatMap((url) => [url, new URL(url).password]),
    ...named.map(([, value]) => String(value)),
  ];
}

/** Reads output for the listening line. Stops reading then: request logs are not worth the generator's time. */
function untilListening(found: () => void): (text: string) => boolean {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (!lines.some((line) => parseJson(line)?.msg === 'listening')) return true;
    found();
    return false;
  };
}

function parseJson(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Resolves when /ready (or /health, where there is no /ready) answers 200. */
async function untilReady(baseUrl: URL, signal: AbortSignal, onAnswer: (answer: string) => void): Promise<void> {
  for (;;) {
    for (const path of ['/ready', '/health']) {
      const answer = await get(new URL(path, baseUrl), signal).catch((error: Error) => error);
      signal.throwIfAborted();
      if (answer instanceof Error) {
        onAnswer(answer.message);
        break;
      }
      if (answer.status === 200) return;
      onAnswer(`${answer.status} from ${path} ${answer.body}`.trim());
      if (answer.status !== 404) break;
    }
    await delay(POLL_S * 1000);
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
