import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { withinMs } from '../plugins/database.ts';
import type { RedisConnection } from '../plugins/redis.ts';
import { jsonSchema } from '../schemas/envelope.ts';

const dependencyState = z.object({
  state: z.enum(['up', 'down']),
  latencyMs: z.number().meta({ description: 'time of the check' }),
  reason: z.string().optional(),
});

const health = z.object({ status: z.literal('ok') });
const readiness = z.object({
  status: z
    .enum(['ready', 'degraded', 'not-ready', 'stopping'])
    .meta({ description: 'degraded: all requests are answered, without the reader or Redis' }),
  dependencies: z.record(z.string(), dependencyState),
});

type DependencyState = z.output<typeof dependencyState>;

const checkTimeoutMs = 2000;
const tags = ['operations'];

export interface OperationsDependencies {
  readonly config: Config;
  readonly redis: RedisConnection | undefined;
  readonly metricsText: () => Promise<string>;
  readonly isStopping: () => boolean;
}

export function operationsRoutes(app: FastifyInstance, dependencies: OperationsDependencies): void {
  const { metricsText, isStopping } = dependencies;
  const checks = dependencyChecks(dependencies);
  let checking: Promise<[string, DependencyState][]> | undefined;

  /** Callers at the same moment share one check, so that a flood of them opens no flood of connections. */
  function checkAll(): Promise<[string, DependencyState][]> {
    checking ??= Promise.all(
      checks.map(async ([name, check]) => [name, await timed(check)] as [string, DependencyState]),
    ).finally(() => {
      checking = undefined;
    });
    return checking;
  }

  app.get('/health', { schema: { tags, response: { 200: jsonSchema(health) } } }, (_request, reply) => {
    reply.send({ status: 'ok' });
  });

  app.get(
    '/ready',
    { schema: { tags, response: { 200: jsonSchema(readiness), 503: jsonSchema(readiness) } } },
    async (_request, reply) => {
      const states = await checkAll();
      const down = states.filter(([, { state }]) => state === 'down').map(([name]) => name);
      const status = isStopping() ? 'stopping' : readyStatus(down);
      const serves = status === 'ready' || status === 'degraded';
      reply.code(serves ? 200 : 503).header('cache-control', 'no-store');
      return { status, dependencies: Object.fromEntries(states) };
    },
  );

  const prometheusText = { 200: { content: { 'text/plain': { schema: { type: 'string' } } } } };
  app.get('/metrics', { schema: { tags, response: prometheusText } }, async (_request, reply) => {
    const text = await metricsText();
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return text;
  });

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** Reader and Redis can be done without. All instances lose them at once: were that 503, nobody would serve at all. */
function readyStatus(down: readonly string[]): 'ready' | 'degraded' | 'not-ready' {
  if (down.includes('database')) return 'not-ready';
  return down.length > 0 ? 'degraded' : 'ready';
}

function dependencyChecks({ config, redis }: OperationsDependencies): [string, () => Promise<void>][] {
  const checks: [string, () => Promise<void>][] = [['database', () => checkDatabase(config.DATABASE_URL)]];
  const readerUrl = config.DATABASE_READER_URL;
  if (readerUrl !== undefined) checks.push(['databaseReader', () => checkDatabase(readerUrl)]);
  if (redis !== undefined) checks.push(['redis', () => checkRedis(redis)]);
  return checks;
}

/** A connection of its own: one of the pool could wait behind requests, and load is no reason to be taken out. */
async function checkDatabase(connectionString: string): Promise<void> {
  const client = new pg.Client({
    connectionString,
    application_name: 'reference-app ready',
    connectionTimeoutMillis: checkTimeoutMs,
    query_timeout: checkTimeoutMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end();
  }
}

async function checkRedis(redis: RedisConnection): Promise<void> {
  if (redis.client.status !== 'ready') throw new Error('not connected');
  await redis.client.ping();
}

async function timed(check: () => Promise<void>): Promise<DependencyState> {
  const startedMs = performance.now();
  const latencyMs = () => Math.round((performance.now() - startedMs) * 10) / 10;
  try {
    await withinMs(checkTimeoutMs, check());
    return { state: 'up', latencyMs: latencyMs() };
  } catch (error) {
    return { state: 'down', latencyMs: latencyMs(), reason: reasonWithoutAddress(error) };
  }
}

/** What anyone may read: the kind of failure, not the address, user or database it was about. */
function reasonWithoutAddress(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code !== undefined) return code;
  return /^(no answer|not connected)/.test(message ?? '') ? (message as string) : 'failed';
}
