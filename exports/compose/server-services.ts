import type { Service, Tier } from '../../harness/core/tier.ts';
import { redisConfiguration } from '../../harness/services/cache.ts';
import { images } from '../../harness/services/images.ts';
import { nginxConfiguration } from '../../harness/services/load-balancer.ts';
import { pgbouncerConfiguration, pgbouncerUserList } from '../../harness/services/pooler.ts';
import { postgresFlags } from '../../harness/services/postgres.ts';
import {
  after,
  type ComposeParts,
  common,
  composeName,
  composeNames,
  connected,
  credentials,
  healthCheck,
  httpHealthCheck,
  ports,
  published,
} from './parts.ts';
import { interpolated, secretPlaceholders } from './secrets.ts';

const STATUS_PORT = 8081;

export function balancerParts(tier: Tier, service: Service, port: number): ComposeParts {
  const name = composeName(tier, service);
  const backend = connected(tier, service, 'backend');
  const backends = backend === undefined ? [] : composeNames(tier, backend);
  const configuration = nginxConfiguration(service, {
    listen: String(ports['load-balancer']),
    statusListen: `127.0.0.1:${STATUS_PORT}`,
    backends: backends.map((host) => ({ host, port: ports.api })),
    folder: '/tmp',
  });
  return {
    services: {
      [name]: {
        image: images['load-balancer'],
        ...common(tier, service),
        command: ['nginx', '-c', '/etc/tierbench/nginx.conf'],
        configs: [{ source: `${name}-conf`, target: '/etc/tierbench/nginx.conf' }],
        // It looks its backends up when it starts, and ends when one has no address yet.
        depends_on: after('started', ...backends),
        ...published(tier, service, port),
        ...httpHealthCheck(STATUS_PORT, '/status'),
      },
    },
    volumes: {},
    configs: { [`${name}-conf`]: { content: interpolated(configuration) } },
  };
}

export function poolerParts(tier: Tier, service: Service): ComposeParts {
  const name = composeName(tier, service);
  const database = connected(tier, service, 'database');
  const host = database === undefined ? '' : composeName(tier, database);
  const configuration = pgbouncerConfiguration(service, {
    listen: { host: '0.0.0.0', port: ports.pooler },
    database: { host, port: ports.primary },
    credentials,
    userListFile: '/etc/tierbench/users.txt',
  });
  return {
    services: {
      [name]: {
        image: images.pooler,
        ...common(tier, service),
        entrypoint: ['pgbouncer', '/etc/tierbench/pgbouncer.ini'],
        configs: [
          { source: `${name}-ini`, target: '/etc/tierbench/pgbouncer.ini' },
          { source: `${name}-users`, target: '/etc/tierbench/users.txt' },
        ],
        depends_on: after('started', host),
        ...healthCheck('CMD', 'pg_isready', '--host=127.0.0.1', `--port=${ports.pooler}`, ...asApp),
      },
    },
    volumes: {},
    configs: {
      [`${name}-ini`]: { content: interpolated(configuration) },
      [`${name}-users`]: { content: interpolated(pgbouncerUserList(credentials)) },
    },
  };
}

export function primaryParts(tier: Tier, service: Service): ComposeParts {
  const name = composeName(tier, service);
  const replicas = tier.services.filter(({ kind }) => kind === 'replica');
  const initialise = [
    `echo 'host replication all all scram-sha-256' >> "$PGDATA/pg_hba.conf"`,
    // What a replica has not read yet is kept for it.
    ...replicas.map(
      (replica) =>
        'psql --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" ' +
        `--command="select pg_create_physical_replication_slot('${slotOf(replica)}')"`,
    ),
  ];
  return {
    services: {
      [name]: {
        image: images.primary,
        ...common(tier, service),
        ...postgresStorage(name),
        environment: {
          POSTGRES_USER: credentials.user,
          POSTGRES_DB: credentials.database,
          POSTGRES_PASSWORD: interpolated(credentials.password),
          // As the providers make it, so that sorting text costs the same.
          POSTGRES_INITDB_ARGS: '--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C --encoding=UTF8',
        },
        command: ['postgres', ...postgresFlags(service, { port: ports.primary }).map(interpolated)],
        ...(replicas.length > 0 && {
          configs: [{ source: `${name}-init`, target: '/docker-entrypoint-initdb.d/replication.sh' }],
        }),
        ...postgresHealth,
      },
    },
    volumes: { [`${name}-data`]: {} },
    configs: replicas.length === 0 ? {} : { [`${name}-init`]: { content: interpolated(`${initialise.join('\n')}\n`) } },
  };
}

/** Copied from the primary while that is running, then streaming. */
export function replicaParts(tier: Tier, service: Service): ComposeParts {
  const name = composeName(tier, service);
  const primary = connected(tier, service, 'primary');
  const host = primary === undefined ? '' : composeName(tier, primary);
  const start = `set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  until pg_isready --quiet; do sleep 0.2; done
  pg_basebackup --pgdata="$PGDATA" --write-recovery-conf --slot=${slotOf(service)} --checkpoint=fast
  chmod 0700 "$PGDATA"
fi
exec postgres "$@"
`;
  return {
    services: {
      [name]: {
        image: images.replica,
        ...common(tier, service),
        ...postgresStorage(name),
        user: 'postgres',
        environment: {
          PGHOST: host,
          PGUSER: credentials.user,
          PGDATABASE: credentials.database,
          PGPASSWORD: interpolated(credentials.password),
        },
        entrypoint: ['bash', '/etc/tierbench/start-replica.sh'],
        command: postgresFlags(service, { port: ports.replica, listen_addresses: '*' }).map(interpolated),
        configs: [{ source: `${name}-start`, target: '/etc/tierbench/start-replica.sh' }],
        depends_on: after('started', host),
        ...postgresHealth,
      },
    },
    volumes: { [`${name}-data`]: {} },
    configs: { [`${name}-start`]: { content: interpolated(start) } },
  };
}

export function cacheParts(tier: Tier, service: Service): ComposeParts {
  const name = composeName(tier, service);
  const password = secretPlaceholders.redisPassword;
  const configuration = redisConfiguration(service, {
    listen: { host: '0.0.0.0', port: ports.cache },
    password,
    folder: '/data',
  });
  return {
    services: {
      [name]: {
        image: images.cache,
        ...common(tier, service),
        command: ['redis-server', '/etc/tierbench/redis.conf'],
        environment: { REDISCLI_AUTH: interpolated(password) },
        configs: [{ source: `${name}-conf`, target: '/etc/tierbench/redis.conf' }],
        ...healthCheck('CMD', 'redis-cli', '-e', 'ping'),
      },
    },
    volumes: {},
    configs: { [`${name}-conf`]: { content: interpolated(configuration) } },
  };
}

function postgresStorage(name: string) {
  return {
    // Parallel queries share memory there; 64 MiB, the default, is too little for them.
    shm_size: '256m',
    volumes: [`${name}-data:/var/lib/postgresql/data`],
  };
}

const asApp = [`--username=${credentials.user}`, `--dbname=${credentials.database}`];

const postgresHealth = healthCheck(...['CMD', 'pg_isready', '--host=127.0.0.1'], ...asApp);

function slotOf({ name }: Service): string {
  return name.replaceAll('-', '_');
}
