import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, LogController } from 'fastify';
import type { Config } from './config.ts';
import type { AppDependencies } from './dependencies.ts';
import { createAccessTokens } from './plugins/access-tokens.ts';
import { createAuthCookies, createAuthentication } from './plugins/authentication.ts';
import { createBackground } from './plugins/background.ts';
import { createBlacklist } from './plugins/blacklist.ts';
import { createCache } from './plugins/cache.ts';
import { createDatabase } from './plugins/database.ts';
import {
  answerBadAddress,
  answerBrokenRequest,
  answerFailures,
  validateStrictly,
  watchRoutes,
} from './plugins/failures.ts';
import { loggingMailer, type Mailer } from './plugins/mailer.ts';
import { createMetrics, type Metrics, timeRequests } from './plugins/metrics.ts';
import { createPasswords } from './plugins/passwords.ts';
import { limitRequests, memoryCounts, redisCounts } from './plugins/rate-limits.ts';
import { connectRedis } from './plugins/redis.ts';
import { parseJsonOnly, registerWebPlugins } from './plugins/web.ts';
import { createWritePositions, walStart } from './plugins/write-positions.ts';
import { createMailedTokensRepository, removeExpired } from './repositories/mailed-tokens.ts';
import { createSessionsRepository, type Revoked } from './repositories/sessions.ts';
import { createUsersRepository } from './repositories/users.ts';
import { authRoutes, sessionRoutes } from './routes/auth.ts';
import { mailedTokenRoutes } from './routes/mailed-tokens.ts';
import { operationsRoutes } from './routes/operations.ts';
import { taskRoutes } from './routes/tasks.ts';
import { userRoutes } from './routes/users.ts';

/** What a process or a test puts in the place of what the app would make itself. */
export interface Overrides {
  readonly mailer?: Mailer;
  readonly metrics?: Metrics;
  /** The text of /metrics: of all instances when several share the port. */
  readonly metricsText?: () => Promise<string>;
  /** True from the moment the process was asked to stop. */
  readonly isStopping?: () => boolean;
  readonly logTo?: { write(line: string): void };
}

/** Builds the app; nothing listens yet. `close()` ends all it opened. */
export function buildApp(config: Config, overrides: Overrides = {}): FastifyInstance {
  const app = createServer(config, overrides);
  const metrics = overrides.metrics ?? createMetrics();
  const database = createDatabase(config, metrics, app.log);
  app.addHook('onClose', () => database.close());
  const { REDIS_URL } = config;
  const redis = REDIS_URL === undefined ? undefined : connectRedis({ ...config, REDIS_URL }, app.log);
  app.addHook('onReady', async () => redis?.tried);
  app.addHook('onClose', async () => redis?.close());
  const inBackground = createBackground(app);

  const accessTokens = createAccessTokens(config);
  const blacklist = createBlacklist(config, database, redis);
  const authentication = createAuthentication(app, config, accessTokens, blacklist);
  const cache = createCache(config, database, redis, metrics);
  const writePositions = createWritePositions(config, database);
  const dependencies: AppDependencies = {
    config,
    database,
    cache,
    writePositions,
    metrics,
    authenticate: authentication.authenticate,
  };
  const authDependencies = {
    ...dependencies,
    users: createUsersRepository(database),
    sessions: createSessionsRepository(database, config.ACCESS_TOKEN_TTL_S, config.REFRESH_TOKEN_TTL_S),
    mailedTokens: createMailedTokensRepository(database),
    passwords: createPasswords(config, metrics),
    accessTokens,
    authentication,
    async endedSessions({ userId, entries }: Pick<Revoked, 'userId' | 'entries'>, reply?: FastifyReply) {
      const written = reply === undefined ? walStart : await writePositions.tell(reply);
      if (userId !== undefined) await cache.invalidate('sessions', String(userId), written);
      await blacklist.added(entries);
    },
    cookies: createAuthCookies(config),
    mailer: overrides.mailer ?? loggingMailer(app.log),
    inBackground,
  };

  answerFailures(app);
  const refuseUnknownRequests = watchRoutes(app);
  validateStrictly(app);
  parseJsonOnly(app);
  timeRequests(app, metrics);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  registerWebPlugins(app, config);
  // Hooks run in the order they were added, and the limits read cookies: so after the plugins are there.
  app.after(() => {
    if (config.RATE_LIMIT === 'on') {
      const counts = config.RATE_LIMIT_STORE === 'redis' && redis !== undefined ? redisCounts(redis) : memoryCounts();
      limitRequests(app, config, counts, authentication, metrics);
    }
    refuseUnknownRequests();
    const metricsText = overrides.metricsText ?? (() => metrics.registry.metrics());
    const isStopping = overrides.isStopping ?? (() => false);
    app.register(async (scope) => operationsRoutes(scope, { config, redis, metricsText, isStopping }));
    app.register(async (scope) => authRoutes(scope, authDependencies), { prefix: '/api/auth' });
    app.register(async (scope) => mailedTokenRoutes(scope, authDependencies), { prefix: '/api/auth' });
    app.register(async (scope) => sessionRoutes(scope, authDependencies), { prefix: '/api/auth/sessions' });
    app.register(async (scope) => taskRoutes(scope, dependencies), { prefix: '/api/tasks' });
    app.register(async (scope) => userRoutes(scope, authDependencies), { prefix: '/api/users' });
  });
  closeIdleConnections(app);
  cleanUpRegularly(app, config.CLEANUP_INTERVAL_S, () => removeExpired(database));
  return app;
}

function createServer(config: Config, { logTo }: Overrides): FastifyInstance {
  const logsRequests = ['trace', 'debug', 'info'].includes(config.LOG_LEVEL);
  return fastify({
    logger: {
      level: config.LOG_LEVEL,
      // The detail of a PostgreSQL error can be a whole row, with its password hash.
      redact: [
        'req.headers',
        'res.headers',
        'err.detail',
        '*.password',
        '*.token',
        '*.accessToken',
        '*.refreshToken',
        '*.email',
      ],
      ...(logTo && { stream: logTo }),
    },
    logController: new LogController({ disableRequestLogging: !logsRequests }),
    genReqId: requestIds(),
    requestIdHeader: false,
    trustProxy: config.TRUST_PROXY,
    bodyLimit: config.BODY_LIMIT_BYTES,
    keepAliveTimeout: config.KEEP_ALIVE_TIMEOUT_MS,
    http: {
      maxHeaderSize: config.HEADER_LIMIT_BYTES,
      requestTimeout: config.REQUEST_TIMEOUT_MS,
      headersTimeout: config.REQUEST_TIMEOUT_MS,
      // Node looks for requests that are over their time this often: by default every 30 s.
      connectionsCheckingInterval: Math.min(1000, config.REQUEST_TIMEOUT_MS / 4),
    },
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: answerBadAddress,
    forceCloseConnections: 'idle',
  });
}

/** The id a proxy gave the request when it is a plain one, else a process-wide unique one. */
function requestIds(): (request: IncomingMessage) => string {
  const start = randomBytes(6).toString('base64url');
  const plain = /^[\w-]{8,64}$/;
  let count = 0;
  return (request) => {
    const given = request.headers['x-request-id'];
    if (typeof given === 'string' && plain.test(given)) return given;
    count += 1;
    return `${start}-${count.toString(36)}`;
  };
}

/**
 * While the app closes: a kept connection whose request was in flight would else hold it up until its timeout, and so
 * would one that was opened ahead and has sent nothing yet, which Node does not count as idle.
 */
function closeIdleConnections(app: FastifyInstance): void {
  const connections = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  let timer: NodeJS.Timeout | undefined;
  app.addHook('preClose', (done) => {
    timer = setInterval(() => {
      app.server.closeIdleConnections();
      for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
    }, 20).unref();
    done();
  });
  app.addHook('onClose', async () => clearInterval(timer));
}

function cleanUpRegularly(app: FastifyInstance, intervalS: number, cleanUp: () => Promise<void>): void {
  if (intervalS === 0) return;
  let timer: NodeJS.Timeout | undefined;
  app.addHook('onListen', (done) => {
    timer = setInterval(() => {
      cleanUp().catch((error: Error) => app.log.warn({ reason: error.message }, 'removing what expired failed'));
    }, intervalS * 1000).unref();
    done();
  });
  app.addHook('preClose', (done) => {
    clearInterval(timer);
    done();
  });
}
