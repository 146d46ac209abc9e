import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningInstance } from '../../core/deployment.ts';
import type { Service } from '../../core/tier.ts';
import { controlGroupName } from '../../orphans/control-groups.ts';
import type { Credentials } from '../../services/address.ts';
import { allOrFirstFailure, type StartedService, type Surroundings } from '../bring-up.ts';
import type { InstanceAccess } from '../provider.ts';
import { type ApiPrograms, newJwtSecret, startApiInstance } from './api-instance.ts';
import { type Limits, makeInstanceGroup } from './control-groups.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import type { LocalServer, LocalServerOptions } from './local-server.ts';
import { startNginx } from './nginx.ts';
import { startPgbouncer } from './pgbouncer.ts';
import { startRedis } from './redis.ts';
import { startReplica } from './replica.ts';

/** A service that is up, with what those that connect to it must know. */
export interface LocalService extends StartedService {
  /** Where clients connect; of a database, a pooler and a cache with credentials. */
  readonly url: string;
  /** Whether named prepared statements outlive a transaction there. */
  readonly preparedStatements: boolean;
}

export interface LocalServicesOptions {
  readonly surroundings: Surroundings;
  readonly runId: string;
  /** Of this deployment: every server has a folder in it. */
  readonly folder: string;
  /** Tells the control groups of this deployment from those of others of the run. */
  readonly deploymentName: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly systemCpus?: readonly number[] | undefined;
  readonly api: ApiPrograms;
  /** Called with the primary's address as soon as it answers; the API is up when this is done too. */
  readonly migrate: (databaseUrl: string) => Promise<void>;
  /** Takes every server by the name of its instance. */
  readonly servers: Map<string, LocalServer>;
}

interface Placed<Server> {
  readonly server: Server;
  readonly running: RunningInstance;
}

/** How each kind of service is started as processes. */
export function localServices(options: LocalServicesOptions) {
  const { surroundings, folder, systemCpus, servers, api } = options;
  const { stack, failures, signal, onProgress, note } = surroundings;
  const jwtSecret = newJwtSecret();
  let migrating: Promise<void> = Promise.resolve();

  /** One instance in a folder and control groups of its own. */
  async function place<Server extends LocalServer>(
    service: Service,
    number: number,
    start: (options: LocalServerOptions) => Promise<Server>,
  ): Promise<Placed<Server>> {
    const name = `${service.name}/${number}`;
    const fileName = name.replaceAll(/[^\w-]/g, '-');
    const serverFolder = join(folder, fileName);
    await mkdir(serverFolder, { mode: 0o700 });
    const groupName = controlGroupName(options.runId, `${options.deploymentName}.${fileName}`);
    const group = stack.use(makeInstanceGroup(groupName, service.resources));
    const server = stack.use(
      await start({
        folder: serverFolder,
        environment: options.environment,
        signal,
        confinement: { ...(systemCpus && { cpus: systemCpus }), join: group.join },
      }),
    );
    failures.watch(name, server.ended());
    servers.set(name, server);
    const limits = group.enforced();
    const reason = group.reason();
    if (reason !== undefined) note(`${limitsText(service, limits)} are not enforced: ${reason}`);
    return {
      server,
      running: {
        name,
        host: '127.0.0.1',
        port: server.port,
        // Another one after it was killed and started.
        get processIds() {
          const processId = server.mainProcessId();
          return processId === undefined ? [] : [processId];
        },
        limits,
      },
    };
  }

  function started<Server extends LocalServer>(
    service: Service,
    placed: readonly Placed<Server>[],
    urls: {
      readonly client: (server: Server) => string;
      readonly access: (server: Server) => string;
      readonly preparedStatements?: boolean;
    },
  ): LocalService {
    const version = placed[0]?.server.version;
    return {
      running: {
        name: service.name,
        kind: service.kind,
        instances: placed.map(({ running }) => running),
        ...(version !== undefined && { version }),
      },
      access: placed.map(
        ({ server, running }): InstanceAccess => ({
          instance: running.name,
          kind: service.kind,
          url: urls.access(server),
        }),
      ),
      url: placed[0] === undefined ? '' : urls.client(placed[0].server),
      preparedStatements: urls.preparedStatements ?? true,
    };
  }

  const databaseUrls = { client: ({ url }: EmbeddedPostgres) => url, access: ({ url }: EmbeddedPostgres) => url };

  async function startPrimary(service: Service): Promise<LocalService> {
    const { settings } = service;
    const placed = await place(service, 1, (server) => startEmbeddedPostgres({ ...server, settings }));
    migrating = options.migrate(placed.server.url);
    // Who waits for it says that it failed. Nothing may be removed before it has ended.
    const ended = migrating.catch(() => {});
    stack.defer(() => ended);
    return started(service, [placed], databaseUrls);
  }

  async function startCopy(service: Service, connections: Connections): Promise<LocalService> {
    const primaryUrl = urlOf(connections, 'primary');
    const { settings } = service;
    const placed = await place(service, 1, (server) => startReplica({ ...server, settings, primaryUrl }));
    return started(service, [placed], databaseUrls);
  }

  async function startPooler(service: Service, connections: Connections): Promise<LocalService> {
    const { credentials, address } = databaseAt(urlOf(connections, 'database'));
    const placed = await place(service, 1, (server) =>
      startPgbouncer({ ...server, service, database: address, credentials }),
    );
    const { preparedStatements, version } = placed.server;
    if (!preparedStatements && Number(service.settings.max_prepared_statements ?? 0) > 0) {
      note(
        `${service.name}: ${version ?? 'this PgBouncer'} cannot keep named prepared statements in transaction mode ` +
          '(1.21 and later can), so max_prepared_statements is left out and the API prepares none',
      );
    }
    return started(service, [placed], {
      client: ({ url }) => url,
      access: ({ consoleUrl }) => consoleUrl,
      preparedStatements,
    });
  }

  async function startCache(service: Service): Promise<LocalService> {
    const placed = await place(service, 1, (server) => startRedis({ ...server, service }));
    return started(service, [placed], { client: ({ url }) => url, access: ({ url }) => url });
  }

  async function startApi(service: Service, connections: Connections): Promise<LocalService> {
    const databases = ['writer', 'reader'].flatMap((role) => connections.get(role) ?? []);
    const readerUrl = connections.get('reader')?.url;
    const cacheUrl = connections.get('cache')?.url;
    const oneFailed = new AbortController();
    const instances = Array.from({ length: service.instances }, (_, index) =>
      place(service, index + 1, (server) =>
        startApiInstance({
          ...server,
          signal: AbortSignal.any([signal, oneFailed.signal]),
          name: `${service.name}/${index + 1}`,
          programs: api,
          service,
          connections: {
            writerUrl: urlOf(connections, 'writer'),
            ...(readerUrl !== undefined && { readerUrl }),
            ...(cacheUrl !== undefined && { cacheUrl }),
            jwtSecret,
            preparedStatements: databases.every(({ preparedStatements }) => preparedStatements),
          },
        }),
      ),
    );
    const schema = migrating.then(() => undefined);
    const placed = (await allOrFirstFailure([schema, ...instances], oneFailed)).filter((each) => each !== undefined);
    const url = ({ port }: LocalServer) => `http://127.0.0.1:${port}`;
    return started(service, placed, { client: url, access: url });
  }

  async function startBalancer(service: Service, connections: Connections): Promise<LocalService> {
    const backends = connections.get('backend')?.running.instances ?? [];
    const placed = await place(service, 1, (server) => startNginx({ ...server, service, backends }));
    return started(service, [placed], {
      client: ({ port }) => `http://127.0.0.1:${port}`,
      access: ({ statusUrl }) => statusUrl,
    });
  }

  return (service: Service, connections: Connections): Promise<LocalService> => {
    onProgress(`starting ${service.name}`);
    switch (service.kind) {
      case 'primary':
        return startPrimary(service);
      case 'replica':
        return startCopy(service, connections);
      case 'pooler':
        return startPooler(service, connections);
      case 'cache':
        return startCache(service);
      case 'api':
        return startApi(service, connections);
      case 'load-balancer':
        return startBalancer(service, connections);
      default:
        throw new Error(`no kind of service: ${service.kind}`);
    }
  };
}

type Connections = ReadonlyMap<string, LocalService>;

function urlOf(connections: Connections, role: string): string {
  const url = connections.get(role)?.url;
  if (url === undefined) throw new Error(`nothing is connected as '${role}'`);
  return url;
}

function databaseAt(url: string): {
  readonly address: { readonly host: string; readonly port: number };
  readonly credentials: Credentials;
} {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    address: { host: hostname, port: Number(port) },
    credentials: {
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: decodeURIComponent(pathname.slice(1)),
    },
  };
}

/** `limits of api (1 CPU, 512 MiB)`: those asked for and not enforced. */
function limitsText({ name, resources }: Service, enforced: Limits): string {
  const { cpus, memoryBytes } = resources;
  const texts = [
    ...(cpus === undefined || enforced.cpus !== undefined ? [] : [`${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`]),
    ...(memoryBytes === undefined || enforced.memoryBytes !== undefined
      ? []
      : [`${Math.round(memoryBytes / 1024 ** 2)} MiB`]),
  ];
  return `limits of ${name} (${texts.join(', ')})`;
}
