import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TierbenchError } from '../../core/errors.ts';
import type { SettingValue } from '../../core/tier.ts';
import { get } from '../http-get.ts';
import { bareEnvironment, type Child, redact, startChild } from './child-process.ts';

/** The programs of an API: file paths, each run by this Node. */
export interface ApiPrograms {
  /** Listens on HOST and PORT and logs a line of JSON with `"msg":"listening"` and its `port` when it does. */
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

export interface ApiInstance {
  readonly port: number;
  readonly process: Child;
  /** The main process and the workers it started. */
  readonly processIds: readonly number[];
}

export interface ApiInstanceOptions {
  readonly name: string;
  readonly programs: ApiPrograms;
  /** Its working directory: inside the folder of the run. */
  readonly folder: string;
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Called as soon as there is a process, which the caller stops in every case. */
  readonly onStarted: (process: Child) => void;
  readonly signal: AbortSignal;
}

/** How long an instance may take to listen, and then to be ready, in seconds. */
const START_LIMIT_S = 60;
const POLL_S = 0.02;

export function newJwtSecret(): string {
  return randomBytes(48).toString('base64url');
}

/**
 * Starts one instance of the API and resolves when it is ready.
 * @throws TierbenchError API_DID_NOT_START, API_NOT_READY, PORT_BUSY
 */
export async function startApiInstance(options: ApiInstanceOptions): Promise<ApiInstance> {
  const { name, settings, signal } = options;
  signal.throwIfAborted();
  const secrets = secretsOf(options);
  const listening = Promise.withResolvers<number>();
  const child = startChild({
    command: process.execPath,
    arguments: [options.programs.server],
    folder: options.folder,
    environment: apiEnvironment(options),
    secrets,
    onOutput: listeningPort(listening.resolve),
  });
  options.onStarted(child);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(START_LIMIT_S * 1000)]);
  const ended = child.ended.then((end) => {
    if (end.what.includes('EADDRINUSE')) {
      throw new TierbenchError(
        'PORT_BUSY',
        `${name} cannot listen on 127.0.0.1:${settings.PORT}: something else does`,
        'Take PORT out of the settings of the tier, so that a free one is chosen, or stop what uses it.',
      );
    }
    throw new TierbenchError(
      'API_DID_NOT_START',
      `${name} ${end.what}`,
      `Mend what its last lines above name; its options are the settings of the service in the tier file.`,
    );
  });
  let lastAnswer = 'none';
  try {
    const port = await Promise.race([listening.promise, ended, rejectionOf(limit)]);
    const ready = answersReady(new URL(`http://127.0.0.1:${port}`), limit, (answer) => {
      lastAnswer = answer;
    });
    await Promise.race([ready, ended]);
    return { port, process: child, processIds: [child.processId, ...(await childrenOf(child.processId))] };
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
    const lastWords = `its last answer: ${redact(lastAnswer, secrets)}\n${child.lastLines()}`.trim();
    throw new TierbenchError(
      'API_NOT_READY',
      `${name} was not ready within ${START_LIMIT_S} s; ${lastWords}`,
      'Its last lines above say what it waits for; run it by hand with the same settings to see more.',
    );
  }
}

/** See proc(5), /proc/pid/task/tid/children; empty where the system does not tell. */
async function childrenOf(processId: number): Promise<number[]> {
  const text = await readFile(`/proc/${processId}/task/${processId}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

function apiEnvironment(options: ApiInstanceOptions): Record<string, string> {
  const settings = Object.entries(options.settings).map(([key, value]) => [key, String(value)]);
  return {
    ...bareEnvironment(),
    NODE_ENV: 'production',
    PORT: '0',
    ...Object.fromEntries(settings),
    HOST: '127.0.0.1',
    DATABASE_URL: options.databaseUrl,
    JWT_SECRET: options.jwtSecret,
    ...options.environment,
  };
}

function secretsOf({ settings, databaseUrl, jwtSecret }: ApiInstanceOptions): string[] {
  const named = Object.entries(settings).filter(([key]) => /SECRET|PASSWORD|TOKEN/.test(key));
  return [jwtSecret, databaseUrl, new URL(databaseUrl).password, ...named.map(([, value]) => String(value))];
}

/** Reads output for the listening line. Stops reading then: request logs are not worth the generator's time. */
function listeningPort(found: (port: number) => void): (text: string) => boolean {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const entry = parseJson(line);
      if (entry?.msg === 'listening' && typeof entry.port === 'number') {
        found(entry.port);
        return false;
      }
    }
    return true;
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
async function answersReady(baseUrl: URL, signal: AbortSignal, onAnswer: (answer: string) => void): Promise<void> {
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
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
