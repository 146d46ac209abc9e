import { once } from 'node:events';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { buildApp, type Overrides } from '../app.ts';
import { type Config, type Environment, readConfig } from '../config.ts';
import type { Mail } from '../plugins/mailer.ts';

export const password = 'a good long password';
export const jwtSecret = 'Vt8Zq2mKx9Lw4Rb7Yc1Nf6Hd3Ps5Gj0U';

/** Options for tests: a quick hash, no limits unless a test asks for them. */
export function testConfig(databaseUrl: string, environment: Environment = {}): Config {
  return readConfig({
    NODE_ENV: 'test',
    DATABASE_URL: databaseUrl,
    DATABASE_POOL_MIN: '0',
    BCRYPT_COST: '4',
    JWT_SECRET: jwtSecret,
    RATE_LIMIT: 'off',
    ...environment,
  });
}

export interface TestApp extends AsyncDisposable {
  readonly app: FastifyInstance;
  readonly outbox: Mail[];
  readonly logLines: string[];
  send(request: InjectOptions): Promise<LightMyRequestResponse>;
  post(url: string, body: object, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  get(url: string, accessToken?: string): Promise<LightMyRequestResponse>;
  register(email: string): Promise<LightMyRequestResponse>;
  logIn(email: string): Promise<SignedIn>;
}

export interface SignedIn {
  readonly userId: number;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** The app on a migrated database, with mail kept in `outbox` and the log in `logLines`. */
export async function startTestApp(config: Config, overrides: Overrides = {}): Promise<TestApp> {
  const outbox: Mail[] = [];
  const logLines: string[] = [];
  const app = buildApp(config, {
    mailer: { send: async (mail) => void outbox.push(mail) },
    logTo: { write: (line) => void logLines.push(line) },
    ...overrides,
  });
  await app.ready();
  const send = (request: InjectOptions) => app.inject(request);
  const post: TestApp['post'] = (url, body, headers = {}) => send({ method: 'POST', url, payload: body, headers });
  return {
    app,
    outbox,
    logLines,
    send,
    post,
    get: (url, accessToken) =>
      send({ method: 'GET', url, headers: accessToken === undefined ? {} : bearer(accessToken) }),
    register: (email) => post('/api/auth/register', { email, password, name: 'Test Person' }),
    async logIn(email) {
      const answer = await post('/api/auth/login', { email, password });
      if (answer.statusCode !== 200) throw new Error(`login answered ${answer.statusCode}: ${answer.body}`);
      const { accessToken, user } = answer.json();
      return { accessToken, userId: user.id, refreshToken: cookieOf(answer, 'refreshToken') };
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

export function bearer(accessToken: string): Record<string, string> {
  return { authorization: `Bearer ${accessToken}` };
}

export function cookieOf(answer: LightMyRequestResponse, name: string): string {
  const found = answer.cookies.find((cookie) => cookie.name === name);
  if (found === undefined) throw new Error(`the answer sets no cookie ${name}`);
  return found.value;
}

/**
 * Resolves when the app answers from Redis. It goes on without it for a moment when its process was stopped for a second,
 * as may happen on a busy machine.
 */
export async function untilRedisAnswers({ get }: Pick<TestApp, 'get'>): Promise<void> {
  await until(async () => (await get('/ready')).json().status === 'ready');
}

/** Resolves when `condition` holds, and rejects after thirty seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(30_000);
  while (!(await condition())) {
    limit.throwIfAborted();
    await once(AbortSignal.timeout(20), 'abort');
  }
}
